#!/usr/bin/env bash
# scim2-client 0.13.2 (PyPI) refuses a whole list of users because one has an email address that ends in .local.
# The address is valid by its grammar, and such names are usual where people come from an Active Directory. RFC
# 7643, section 4.1.2, says only that an address SHOULD follow RFC 5321. One would guess that a reader either
# checks the grammar or nothing. The models (scim2-models 0.12.3) let email-validator 2.4.0 judge, which refuses
# names that are reserved for special use, though nothing is to be sent: local and test are among them, internal
# and lan are not. A provider that stores the address as sent can't be read by this client until the person is
# corrected; the user name may be the same text. Test data under .test meet this as well.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim2-client==0.13.2' 'scim2-models==0.12.3' 'email-validator==2.4.0'
cat >try.py <<'END'
import json
from scim2_client import ResponsePayloadValidationException
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_models import ScimProvider, User
def user(number, name, address):
    return {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": str(number), "userName": name, "emails": [{"value": address}]}
def client(*users):
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": len(users), "Resources": users}
    def application(_, start):
        start("200 OK", [("content-type", "application/scim+json")])
        return [json.dumps(body).encode()]
    return WSGISCIMClient(application, "https://scim.example.com/v2", provider=ScimProvider(models=[User]))
for name, address in (("joe", "joe@corp.example.com"), ("joe@corp.local", "joe@corp.example.com"), ("joe", "joe@corp.internal"),
                      ("joe", "joe@corp.lan"), ("joe", "joe@corp.local"), ("joe", "joe@corp.test")):
    scim = client(user(1, "jane", "jane@example.com"), user(2, name, address))
    try:
        print(name, address, "users read:", len(scim.query(User).resources))
    except ResponsePayloadValidationException as error:
        print(name, address, "list refused:", error.__cause__.errors()[0]["msg"])
END
venv/bin/python try.py >seen
cat >expected <<'END'
joe joe@corp.example.com users read: 2
joe@corp.local joe@corp.example.com users read: 2
joe joe@corp.internal users read: 2
joe joe@corp.lan users read: 2
joe joe@corp.local list refused: value is not a valid email address: The part after the @-sign is a special-use or reserved name that cannot be used with email.
joe joe@corp.test list refused: value is not a valid email address: The part after the @-sign is a special-use or reserved name that cannot be used with email.
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
