#!/usr/bin/env bash
# scim-patch 0.8.3 (npm) compares attribute names of a path with case, so a PATCH adds a second attribute beside
# the first.
# RFC 7643, section 2.1, says that attribute names ignore case. "replace USERNAME" is taken without an error:
# the resource then holds userName with the old value and USERNAME with the new one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scim-patch@0.8.3
cat >try.mjs <<'END'
import patch from 'scim-patch';
const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], meta: {}, userName: 'old' };
const { userName, USERNAME } = patch.scimPatch(user, [{ op: 'replace', path: 'USERNAME', value: 'new' }]);
console.log(JSON.stringify({ userName, USERNAME }));
END
node try.mjs >seen
cat >expected <<'END'
{"userName":"old","USERNAME":"new"}
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
