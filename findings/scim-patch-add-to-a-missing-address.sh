#!/usr/bin/env bash
# Microsoft Entra ID gives a person a first work address with "Add" and a value path; scim-patch 0.8.3 (npm) makes the
# address, scimmy 1.3.5 (npm) and scim2-models 0.12.3 (PyPI) refuse the request.
# RFC 7644, section 3.5.2.3, has a "replace" whose filter matches nothing fail with "noTarget", and section 3.5.2.1
# says of "add" that what is missing is added. One would guess that a library which knows identity providers makes an
# element of the filter's own condition for "Add". Two of three don't, whatever the operation is called, and since a
# PATCH is all or nothing the name and the title that came with it are lost too. scim-patch makes the element for
# "Replace" as well, and refuses a filter of two conditions. A provider that wants Entra's default mapping
# to work has to make the element itself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scim-patch@0.8.3 scimmy@1.3.5
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim2-models==0.12.3'
cat >operations.json <<'END'
[{"op":"Add","path":"emails[type eq \"work\"].value","value":"w@example.com"},
 {"op":"Replace","path":"emails[type eq \"work\"].value","value":"w@example.com"},
 {"op":"Add","path":"emails[type eq \"work\" and primary eq true].value","value":"w@example.com"}]
END
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import patch from 'scim-patch';
import SCIMMY from 'scimmy';
const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
const user = () => ({ schemas, id: '1', meta: {}, userName: 'jane', emails: [{ type: 'home', value: 'h@example.com' }] });
let stored;
SCIMMY.Resources.declare(SCIMMY.Resources.User).egress(() => stored).ingress((_, changed) => (stored = { ...changed, id: '1' }));
for (const operation of JSON.parse(readFileSync('operations.json'))) {
  console.log(operation.op, operation.path);
  try { console.log('  scim-patch', JSON.stringify(patch.scimPatch(user(), [operation]).emails)); }
  catch (error) { console.log('  scim-patch refuses:', error.scimCode); }
  stored = user();
  try {
    await new SCIMMY.Resources.User('1').patch({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [operation] });
    console.log('  scimmy', JSON.stringify(stored.emails));
  } catch (error) { console.log('  scimmy refuses:', error.scimType); }
}
END
cat >try.py <<'END'
import json
from scim2_models import Context, PatchOp, SCIMException, User
for operation in json.load(open("operations.json")):
    user = User(user_name="jane", emails=[User.Emails(type="home", value="h@example.com")])
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}
    try:
        PatchOp[User].model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(user)
        print(operation["op"], "scim2-models", user.emails)
    except SCIMException as error:
        print(operation["op"], "scim2-models refuses:", type(error).__name__, error)
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
Add emails[type eq "work"].value
  scim-patch [{"type":"home","value":"h@example.com"},{"type":"work","value":"w@example.com"}]
  scimmy refuses: noTarget
Replace emails[type eq "work"].value
  scim-patch [{"type":"home","value":"h@example.com"},{"type":"work","value":"w@example.com"}]
  scimmy refuses: noTarget
Add emails[type eq "work" and primary eq true].value
  scim-patch refuses: noTarget
  scimmy refuses: noTarget
Add scim2-models refuses: NoTargetException no value of 'emails' matches the path filter
Replace scim2-models refuses: NoTargetException no value of 'emails' matches the path filter
Add scim2-models refuses: NoTargetException no value of 'emails' matches the path filter
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
