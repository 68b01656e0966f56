#!/usr/bin/env bash
# An OpenAPI document that gives a body as application/json and as application/scim+json: a client generator of PyPI makes
# a module that can't be imported, and a call that fails before anything is sent.
# RFC 7644, section 3.1, lets a provider take application/json where application/scim+json is meant, and RFC 7396 has a
# type of its own for merge patches, so that a true document names two types for one body. One would guess that a generator
# picks one of them. openapi-python-client 0.29.1 offers both, and leaves the body's default `Unset` without its import where
# no other parameter brings it: the module fails when it is imported. Where the body is a list, the call asks isinstance() for
# a `list[Any]`, which Python refuses. The generator itself reports success, even with --fail-on-warning. A body that may be
# left out and may be null fails as well, if it is left out. With one type and no null all of it works. A provider reaches
# these clients if its document names one type, and tells the other in words.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'openapi-python-client==0.29.1' 'httpx==0.28.1' 'attrs==26.1.0'
cat >make.py <<'END'
import json
USER = {"$ref": "#/components/schemas/User"}
def operation(name, types, schema, required=True):
    body = {"required": required, "content": {type: {"schema": schema} for type in types}}
    answer = {"200": {"description": "Done", "content": {"application/json": {"schema": USER}}}}
    return {"post": {"operationId": name, "requestBody": body, "responses": answer}}
BOTH = ["application/json", "application/scim+json"]
USERS = {"type": "array", "items": {"type": "object"}}
paths = {"/a": operation("two_types", BOTH, USER), "/b": operation("one_type", BOTH[:1], USER),
         "/c": operation("list_in_two_types", BOTH, {"type": "array", "items": {}}),
         "/d": operation("list_in_one_type", BOTH[:1], {"type": "array", "items": {}}),
         "/e": operation("optional_or_null", BOTH[:1], {"oneOf": [USER, {"type": "null"}]}, False),
         "/f": operation("optional", BOTH[:1], USER, False)}
# Another parameter, so that `Unset` is imported for its sake.
for path in "ce":
    paths["/" + path]["post"]["parameters"] = [{"name": "limit", "in": "query", "required": False, "schema": {"type": "integer"}}]
user = {"type": "object", "properties": {"userName": {"type": "string"}}}
document = {"openapi": "3.1.0", "info": {"title": "SCIM", "version": "1"}, "paths": paths, "components": {"schemas": {"User": user}}}
json.dump(document, open("scim.json", "w"))
json.dump({"post_hooks": []}, open("config.json", "w"))
END
cat >try.py <<'END'
import importlib
import httpx
from client import Client
from client.models import User
def serve(request):
    return httpx.Response(200, json={"userName": f"{request.headers.get('content-type')} {request.content.decode() or '(nothing)'}"})
caller = Client(base_url="https://scim.example.com")
caller.set_httpx_client(httpx.Client(base_url="https://scim.example.com", transport=httpx.MockTransport(serve)))
user = User(user_name="jane")
for name, bodies in (("two_types", [user]), ("one_type", [user]), ("list_in_two_types", [[{}]]), ("list_in_one_type", [[{}]]),
                     ("optional_or_null", []), ("optional", [])):
    try:
        module = importlib.import_module(f"client.api.default.{name}")
        answer = module.sync(client=caller, **({"body": bodies[0]} if bodies else {}))
        print(name, "sends", answer.user_name)
    except Exception as error:
        print(name, "fails:", type(error).__name__, error)
END
venv/bin/python make.py
venv/bin/openapi-python-client generate --fail-on-warning --meta none --config config.json --path scim.json --output-path client >made
venv/bin/python try.py >seen
cat >expected <<'END'
two_types fails: NameError name 'Unset' is not defined
one_type sends application/json {"userName":"jane"}
list_in_two_types fails: TypeError isinstance() argument 2 cannot be a parameterized generic
list_in_one_type sends application/json [{}]
optional_or_null fails: TypeError Object of type Unset is not JSON serializable
optional sends application/json (nothing)
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
