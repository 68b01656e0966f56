#!/usr/bin/env bash
# scim-patch 0.8.3 (npm) leaves two primary email addresses after an "add" of a primary one.
# RFC 7644, section 3.5.2, says that a server MUST set the others to false when a PATCH makes a value primary.
# The library leaves that to its caller without saying so; a server that stores its result answers with two
# primary addresses, and who reads "the" primary address gets the old one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scim-patch@0.8.3
cat >try.mjs <<'END'
import patch from 'scim-patch';
const user = { schemas: [], meta: {}, emails: [{ type: 'work', value: 'old@example.com', primary: true }] };
const after = patch.scimPatch(user, [{ op: 'add', path: 'emails', value: [{ type: 'home', value: 'new@example.com', primary: true }] }]);
console.log(JSON.stringify(after.emails));
END
node try.mjs >seen
cat >expected <<'END'
[{"type":"work","value":"old@example.com","primary":true},{"type":"home","value":"new@example.com","primary":true}]
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
