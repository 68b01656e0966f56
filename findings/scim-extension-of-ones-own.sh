#!/usr/bin/env bash
# A user with an extension of the provider's own meets a refused list, a lost attribute or the word "invalid" in four
# SCIM libraries, none of which passes it on.
# RFC 7643, section 3.3, lets anybody add a schema under a URN of his own, and one would guess that a reader which
# doesn't know it leaves it aside, or carries it along. scim2-client 0.13.2 (PyPI) refuses the whole list in which one
# user has it, unless it was given a model for it. scim-sanity 0.7.4 (PyPI), which tests servers and payloads, calls the
# user invalid, and finds nothing wrong with two primary addresses. pydantic-scim 0.0.8 (PyPI) and scimmy 1.3.5 (npm)
# drop the content without a word and keep its URN in "schemas"; whoever writes their user back by PUT erases what was
# there. A provider announces its extension in /Schemas, and puts nothing into it that a client has to send back.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scimmy@1.3.5
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim2-client==0.13.2' 'scim2-models==0.12.3' 'scim-sanity==0.7.4' 'pydantic-scim==0.0.8'
cat >user.json <<'END'
{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:example:scim:1.0:User"], "id": "1", "userName": "jane",
 "urn:example:scim:1.0:User": {"licensed": true}}
END
cat >try.py <<'END'
import json
from pydanticscim.user import User as OtherUser
from scim2_client import ResponsePayloadValidationException
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_models import ScimProvider, User
from scim_sanity.validator import SCIMValidator
with_extension = json.load(open("user.json"))
core, own = with_extension["schemas"]
plain = {"schemas": [core], "id": "2", "userName": "joe"}
two_primary = {**plain, "emails": [{"value": "a@example.com", "primary": True}, {"value": "b@example.com", "primary": True}]}
def client(*users):
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": len(users), "Resources": users}
    def application(_, start):
        start("200 OK", [("content-type", "application/scim+json")])
        return [json.dumps(body).encode()]
    return WSGISCIMClient(application, "https://scim.example.com/v2", provider=ScimProvider(models=[User]))
for name, users in (("plain", [plain]), ("plain and extended", [plain, with_extension])):
    try:
        print("scim2-client", name, "reads", len(client(*users).query(User).resources))
    except ResponsePayloadValidationException as error:
        print("scim2-client", name, "refused:", error.__cause__.errors()[0]["loc"], error.__cause__.errors()[0]["msg"])
for name, user in (("plain", plain), ("extended", with_extension), ("two primary", two_primary)):
    valid, errors = SCIMValidator().validate({name: value for name, value in user.items() if name != "id"})
    print("scim-sanity", name, "valid:", valid, *map(str, errors))
kept = OtherUser(**with_extension).model_dump(by_alias=True)
print("pydantic-scim keeps the URN:", own in kept["schemas"], "and the content:", own in kept)
END
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import SCIMMY from 'scimmy';
const kept = JSON.parse(JSON.stringify(new SCIMMY.Schemas.User(JSON.parse(readFileSync('user.json')))));
console.log('scimmy keeps the URN:', kept.schemas.includes('urn:example:scim:1.0:User'), 'and the content:', 'urn:example:scim:1.0:User' in kept);
END
venv/bin/python try.py >seen
node try.mjs >>seen
cat >expected <<'END'
scim2-client plain reads 1
scim2-client plain and extended refused: ('Resources', 1, 'urn:example:scim:1.0:User') Extra inputs are not permitted
scim-sanity plain valid: True
scim-sanity extended valid: False Unknown schema URN: urn:example:scim:1.0:User
scim-sanity two primary valid: True
pydantic-scim keeps the URN: True and the content: False
scimmy keeps the URN: true and the content: false
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
