#!/usr/bin/env bash
# SCIM's attribute $ref trips two OpenAPI parsers where it is no reference.
# Group members and managers have an attribute of this name (RFC 7643, sections 4.2 and 4.3). In an OpenAPI
# document it may be a property of a schema and stand in an example, where nothing is a reference: a schema's
# "properties" maps names, an example is plain data. @apidevtools/swagger-parser 13.1.0 (npm) takes the property,
# but follows the $ref of an example and fails when no file is there. prance 26.7.19.0 (PyPI) fails at both.
# openapi-spec-validator 0.9.0 (PyPI) takes all. A provider that describes its endpoints in OpenAPI reaches more
# tools if its examples leave $ref out, and can't reach prance at all as long as its schemas are complete.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @apidevtools/swagger-parser@13.1.0
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'prance==26.7.19.0' 'openapi-spec-validator==0.9.0'
cat >make.py <<'END'
import json
def document(properties, example):
    content = {"application/scim+json": {"schema": {"type": "object", "properties": properties}, "example": example}}
    operation = {"responses": {"200": {"description": "A member", "content": content}}}
    return {"openapi": "3.0.3", "info": {"title": "SCIM", "version": "1"}, "paths": {"/member": {"get": operation}}}
text = {"type": "string"}
for name, body in (("neither", document({"value": text}, {"value": "1"})),
                   ("property", document({"value": text, "$ref": text}, {"value": "1"})),
                   ("example", document({"value": text}, {"value": "1", "$ref": "../Users/1"}))):
    with open(name + ".json", "w") as file:
        json.dump(body, file)
END
cat >try.mjs <<'END'
import parser from '@apidevtools/swagger-parser';
for (const name of ['neither', 'property', 'example'])
  try { await parser.validate(`${name}.json`); console.log('swagger-parser', name, 'taken'); }
  catch (error) { console.log('swagger-parser', name, 'refused:', error.code, /Users.1/.test(error.message) ? 'at ../Users/1' : ''); }
END
cat >try.py <<'END'
import json
from openapi_spec_validator import validate
from prance import ResolvingParser
from prance.util.url import ResolutionError
for name in ("neither", "property", "example"):
    validate(json.load(open(name + ".json")))
    print("openapi-spec-validator", name, "taken")
    try:
        ResolvingParser(name + ".json", backend="openapi-spec-validator")
        print("prance", name, "taken")
    except ResolutionError as error:
        print("prance", name, "refused:", "at ../Users/1" if "Users/1" in str(error) else error)
END
venv/bin/python make.py
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
swagger-parser neither taken
swagger-parser property taken
swagger-parser example refused: ERESOLVER at ../Users/1
openapi-spec-validator neither taken
prance neither taken
openapi-spec-validator property taken
prance property refused: 'dict' object has no attribute 'decode' -- Unable to parse url: {'type': 'string'}
openapi-spec-validator example taken
prance example refused: at ../Users/1
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
