#!/usr/bin/env bash
# Microsoft Entra ID sends "active" as the text "False" and a manager as a bare id; of three PATCH libraries none reads
# both.
# Without its flag for RFC 7644, Entra writes booleans as capitalised texts, and the id of a manager where RFC 7643,
# section 4.3, has a complex attribute. One would guess that a library for SCIM servers converts both, or refuses them.
# scim-patch 0.8.3 (npm) stores both as they come, so that "active" is a text that JavaScript takes for true, and the
# deactivated person stays active for every test of "if (user.active)". scimmy 1.3.5 (npm) refuses both. scim2-models
# 0.12.3 (PyPI) reads the text and refuses the manager. A provider that builds on one of them should convert the
# operations by its schema beforehand.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scim-patch@0.8.3 scimmy@1.3.5
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim2-models==0.12.3'
cat >operations.json <<'END'
[{"op":"Replace","path":"active","value":"False"},
 {"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"u7"}]
END
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import patch from 'scim-patch';
import SCIMMY from 'scimmy';
const core = 'urn:ietf:params:scim:schemas:core:2.0:User', extension = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const user = () => ({ schemas: [core, extension], id: '1', meta: {}, userName: 'jane', active: true });
const show = (after) => `active ${JSON.stringify(after.active)} manager ${JSON.stringify(after[extension]?.manager)}`;
let stored;
SCIMMY.Resources.declare(SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false))
  .egress(() => stored).ingress((_, changed) => (stored = { ...changed, id: '1' }));
for (const operation of JSON.parse(readFileSync('operations.json'))) {
  console.log(operation.op, operation.path);
  console.log('  scim-patch', show(patch.scimPatch(user(), [operation])));
  stored = user();
  try {
    await new SCIMMY.Resources.User('1').patch({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [operation] });
    console.log('  scimmy', show(stored));
  } catch (error) { console.log('  scimmy refuses:', error.scimType); }
}
END
cat >try.py <<'END'
import json
from scim2_models import Context, EnterpriseUser, PatchOp, SCIMException, User
for operation in json.load(open("operations.json")):
    user = User[EnterpriseUser](user_name="jane", active=True)
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}
    try:
        PatchOp[User[EnterpriseUser]].model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(user)
        print("scim2-models active", user.active)
    except SCIMException as error:
        print("scim2-models refuses the manager:", type(error).__name__)
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
Replace active
  scim-patch active "False" manager undefined
  scimmy refuses: invalidValue
Add urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager
  scim-patch active true manager "u7"
  scimmy refuses: invalidValue
scim2-models active False
scim2-models refuses the manager: InvalidValueException
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
