#!/usr/bin/env bash
# The way in which Microsoft Entra ID takes somebody out of a group does nothing in scim-patch 0.8.3 (npm), is
# refused by scim2-models 0.12.3 (PyPI) and works in scimmy 1.3.5 (npm).
# Without its flag for RFC 7644, Entra sends "Remove" with the path "members" and the member as a value, with
# "$ref" null. The RFC has no value in a "remove", so an engineer who knows both would guess that a library either
# takes out the one member or, after the letter, all of them. scim-patch looks for an element that is equal in
# every field, finds none if only the sent one has "$ref" (u2 below) or only the stored one has a display name
# (u1), and reports success: the person stays in the group. scim2-models has a setting, remove_value_as_filter,
# that is off. The RFC's own form, members[value eq "…"], works in all three.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scim-patch@0.8.3 scimmy@1.3.5
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim2-models==0.12.3'
cat >operations.json <<'END'
[{"op":"Remove","path":"members","value":[{"$ref":null,"value":"u2"}]},
 {"op":"Remove","path":"members","value":[{"value":"u1"}]},
 {"op":"remove","path":"members[value eq \"u1\"]"}]
END
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import patch from 'scim-patch';
import SCIMMY from 'scimmy';
const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
const group = () => ({ schemas, id: 'g', meta: {}, displayName: 'Clerks', members: [{ value: 'u1', display: 'Jane' }, { value: 'u2' }] });
const left = (after) => after.members.map((member) => member.value).join(' ');
let stored;
SCIMMY.Resources.declare(SCIMMY.Resources.Group).egress(() => stored).ingress((_, changed) => (stored = { ...changed, id: 'g' }));
for (const operation of JSON.parse(readFileSync('operations.json'))) {
  console.log(JSON.stringify(operation));
  console.log('  scim-patch leaves', left(patch.scimPatch(group(), [operation])));
  stored = group();
  await new SCIMMY.Resources.Group('g').patch({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [operation] });
  console.log('  scimmy leaves', left(stored));
}
END
cat >try.py <<'END'
import json
from pydantic import ValidationError
from scim2_models import Context, Group, PatchOp
for operation in json.load(open("operations.json")):
    group = Group(id="g", display_name="Clerks", members=[{"value": "u1", "display": "Jane"}, {"value": "u2"}])
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}
    try:
        PatchOp[Group].model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(group)
        print("scim2-models leaves", *(member.value for member in group.members))
    except ValidationError as error:
        print("scim2-models refuses:", error.errors()[0]["msg"])
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
{"op":"Remove","path":"members","value":[{"$ref":null,"value":"u2"}]}
  scim-patch leaves u1 u2
  scimmy leaves u1
{"op":"Remove","path":"members","value":[{"value":"u1"}]}
  scim-patch leaves u1 u2
  scimmy leaves u2
{"op":"remove","path":"members[value eq \"u1\"]"}
  scim-patch leaves u2
  scimmy leaves u2
scim2-models refuses: a remove operation carries no value, a filter in the path selects what to remove
scim2-models refuses: a remove operation carries no value, a filter in the path selects what to remove
scim2-models leaves u2
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
