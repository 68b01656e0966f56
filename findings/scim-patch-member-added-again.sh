#!/usr/bin/env bash
# A group has somebody twice after an "add" of a person who was in it: in scimmy 1.3.5 (npm) always, in scim-patch
# 0.8.3 (npm) and scim2-models 0.12.3 (PyPI) when the group also stores a display name or a type for the member.
# RFC 7644, section 3.5.2.1, says that an "add" of a value that is there already changes nothing. A member is known by
# its "value": Entra sends nothing else, Okta a display name of its own, and both repeat requests whose answer they
# lost. One would guess that the libraries compare "value". Two compare the whole element, one compares nothing. Each
# repetition makes the group longer and a count of its members wrong; a server has to take out the doubles by "value"
# itself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scim-patch@0.8.3 scimmy@1.3.5
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim2-models==0.12.3'
cat >try.mjs <<'END'
import patch from 'scim-patch';
import SCIMMY from 'scimmy';
const schemas = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
const group = () => ({ schemas, id: 'g', meta: {}, displayName: 'Clerks', members: [{ value: 'u1', display: 'Jane' }, { value: 'u2' }] });
const list = (after) => after.members.map((member) => member.value).join(' ');
let stored;
SCIMMY.Resources.declare(SCIMMY.Resources.Group).egress(() => stored).ingress((_, changed) => (stored = { ...changed, id: 'g' }));
for (const value of ['u2', 'u1']) {
  const operation = { op: 'add', path: 'members', value: [{ value }] };
  stored = group();
  await new SCIMMY.Resources.Group('g').patch({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [operation] });
  console.log('add', value, 'again: scim-patch', list(patch.scimPatch(group(), [operation])), '| scimmy', list(stored));
}
END
cat >try.py <<'END'
from scim2_models import Context, Group, PatchOp
for value in ("u2", "u1"):
    group = Group(id="g", display_name="Clerks", members=[{"value": "u1", "display": "Jane"}, {"value": "u2"}])
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "add", "path": "members", "value": [{"value": value}]}]}
    PatchOp[Group].model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(group)
    print("add", value, "again: scim2-models", *(member.value for member in group.members))
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
add u2 again: scim-patch u1 u2 | scimmy u1 u2 u2
add u1 again: scim-patch u1 u2 u1 | scimmy u1 u2 u1
add u2 again: scim2-models u1 u2
add u1 again: scim2-models u1 u2 u1
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
