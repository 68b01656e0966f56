#!/usr/bin/env bash
# A binary value of a SCIM user comes out empty, or is refused, where RFC 7643 allows its spelling: scim2-models reads
# neither the URL-safe alphabet nor base64 without padding.
# Section 2.3.6 has binary values in base64, lets the definition of an attribute ask for the URL-safe alphabet, and says
# that the padding "=" may be left out. One would guess that a library which knows the type takes both, or refuses what
# it can't read. scim2-models 0.12.3 (PyPI) refuses the user, and with it the list that a client reads, for a
# certificate without "=". Of a value in the URL-safe alphabet, here a key in an extension of the provider's own, it
# drops each "-" and "_" without a word and keeps the rest, which may be nothing. A provider should return binary values
# in the standard alphabet with padding, and define an attribute in the URL-safe one as a string.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim2-models==0.12.3'
cat >try.py <<'END'
from pydantic import ValidationError
from scim2_models import Extension, Schema, User
core, urn = "urn:ietf:params:scim:schemas:core:2.0:User", "urn:example:params:scim:schemas:badge:2.0:User"
schema = Schema.model_validate({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"], "id": urn, "name": "Badge", "attributes": [
    {"name": "key", "type": "binary", "multiValued": False, "description": "The badge's key, in base64 URL encoding", "required": False,
        "caseExact": True, "mutability": "readWrite", "returned": "default", "uniqueness": "none"}]})
Badge = Extension.from_schema(schema)
def tell(name, value, content, read):
    try:
        print(name, value, "becomes:", repr(read(User[Badge].model_validate({"schemas": [core, urn], "userName": "jane", **content(value)}).model_dump())))
    except ValidationError as error:
        print(name, value, "is refused:", error.errors()[0]["msg"])
for value in ("+/+/AQI=", "+/+/AQI"):
    tell("certificate", value, lambda value: {"x509Certificates": [{"value": value}]}, lambda user: user["x509Certificates"][0]["value"])
for value in ("-_-_AQI=", "-_-_"):
    tell("key", value, lambda value: {urn: {"key": value}}, lambda user: user[urn]["key"])
END
venv/bin/python try.py >seen
cat >expected <<'END'
certificate +/+/AQI= becomes: '+/+/AQI='
certificate +/+/AQI is refused: Base64 decoding error: 'Incorrect padding'
key -_-_AQI= becomes: 'AQI='
key -_-_ becomes: ''
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
