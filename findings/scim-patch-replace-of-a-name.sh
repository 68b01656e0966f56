#!/usr/bin/env bash
# A "replace" of the name that gives a new given name only: scim-patch 0.8.3 and scimmy 1.3.5 (both npm) keep the
# family name in opposite cases.
# RFC 7644, section 3.5.2.3, says that sub-attributes which the value of a complex attribute does not have stay
# as they are, and one would expect a library to do the same with the path "name" as without a path, where the
# value is an object that holds "name". scim-patch keeps the family name with the path and loses it without;
# scimmy loses it with the path and keeps it without. A client that wants the same result everywhere names the
# sub-attribute ("name.givenName") or sends the whole name, and a provider should keep what was not sent.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scim-patch@0.8.3 scimmy@1.3.5
cat >try.mjs <<'END'
import patch from 'scim-patch';
import SCIMMY from 'scimmy';
const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
const user = () => ({ schemas, id: '1', meta: {}, userName: 'jane', name: { givenName: 'Jane', familyName: 'Doe' } });
let stored;
SCIMMY.Resources.declare(SCIMMY.Resources.User).egress(() => stored).ingress((_, changed) => (stored = { ...changed, id: '1' }));
for (const operation of [{ op: 'replace', path: 'name', value: { givenName: 'Joan' } },
  { op: 'replace', value: { name: { givenName: 'Joan' } } }, { op: 'replace', path: 'name.givenName', value: 'Joan' }]) {
  console.log(JSON.stringify(operation));
  console.log('  scim-patch', JSON.stringify(patch.scimPatch(user(), [operation]).name));
  stored = user();
  await new SCIMMY.Resources.User('1').patch({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [operation] });
  console.log('  scimmy', JSON.stringify(stored.name));
}
END
node try.mjs >seen
cat >expected <<'END'
{"op":"replace","path":"name","value":{"givenName":"Joan"}}
  scim-patch {"givenName":"Joan","familyName":"Doe"}
  scimmy {"givenName":"Joan"}
{"op":"replace","value":{"name":{"givenName":"Joan"}}}
  scim-patch {"givenName":"Joan"}
  scimmy {"familyName":"Doe","givenName":"Joan"}
{"op":"replace","path":"name.givenName","value":"Joan"}
  scim-patch {"givenName":"Joan","familyName":"Doe"}
  scimmy {"familyName":"Doe","givenName":"Joan"}
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
