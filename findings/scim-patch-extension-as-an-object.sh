#!/usr/bin/env bash
# scim-patch 0.8.3 (npm) takes the URN of an extension apart at the point of its version when it is a key of a value
# without a path.
# RFC 7644, section 3.5.2.1, has the value of such an operation hold attributes as the resource does, and RFC 7643,
# section 3.3, keeps an extension under its URN as an object. One would guess that a department which is sent in this
# form arrives. The library reads a key with a point as a path and makes "…:enterprise:2.0" with a "User" in it,
# without an error: a key that no schema knows, while the extension keeps its old department. The same change is right
# in scimmy 1.3.5 (npm), and in scim-patch itself with the attribute's full name as the key or as the path, which is
# what a client should send.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scim-patch@0.8.3 scimmy@1.3.5
cat >try.mjs <<'END'
import patch from 'scim-patch';
import SCIMMY from 'scimmy';
const core = 'urn:ietf:params:scim:schemas:core:2.0:User', extension = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const user = (extended) => ({ schemas: [core, extension], id: '1', meta: {}, userName: 'jane', ...structuredClone(extended) });
let stored;
SCIMMY.Resources.declare(SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false))
  .egress(() => stored).ingress((_, changed) => (stored = { ...changed, id: '1' }));
const show = (after) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(JSON.stringify(after))).filter(([name]) => name.startsWith('urn:'))));
for (const before of [{}, { [extension]: { department: 'Sales' } }])
  for (const operation of [{ op: 'replace', value: { [extension]: { department: 'Law' } } },
    { op: 'replace', value: { [`${extension}:department`]: 'Law' } }, { op: 'replace', path: `${extension}:department`, value: 'Law' }]) {
    console.log(show(before), JSON.stringify(operation).replaceAll(extension, '…User'));
    console.log('  scim-patch', show(patch.scimPatch(user(before), [operation])));
    stored = user(before);
    await new SCIMMY.Resources.User('1').patch({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [operation] });
    console.log('  scimmy', show(stored));
  }
END
node try.mjs >seen
cat >expected <<'END'
{} {"op":"replace","value":{"…User":{"department":"Law"}}}
  scim-patch {"urn:ietf:params:scim:schemas:extension:enterprise:2.0":{"User":{"department":"Law"}}}
  scimmy {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Law"}}
{} {"op":"replace","value":{"…User:department":"Law"}}
  scim-patch {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Law"}}
  scimmy {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Law"}}
{} {"op":"replace","path":"…User:department","value":"Law"}
  scim-patch {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Law"}}
  scimmy {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Law"}}
{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales"}} {"op":"replace","value":{"…User":{"department":"Law"}}}
  scim-patch {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales"},"urn:ietf:params:scim:schemas:extension:enterprise:2.0":{"User":{"department":"Law"}}}
  scimmy {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Law"}}
{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales"}} {"op":"replace","value":{"…User:department":"Law"}}
  scim-patch {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Law"}}
  scimmy {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Law"}}
{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales"}} {"op":"replace","path":"…User:department","value":"Law"}
  scim-patch {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Law"}}
  scimmy {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Law"}}
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
