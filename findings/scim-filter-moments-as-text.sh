#!/usr/bin/env bash
# A filter on meta.lastModified compares texts in three filter libraries of npm, so that the same moment in another
# spelling is another one.
# RFC 7644, section 3.4.2.2, orders a DateTime chronologically, and RFC 7643, section 2.3.5, takes the spellings of
# XML Schema, with and without a fraction and with any offset. A sync that asks for what has changed since it last
# looked uses such a filter. One would guess that "eq" finds the moment and "gt" what came later, whatever the
# offset. "eq" finds nothing in scimmy 1.3.5, scim2-parse-filter 0.2.10 and scim-query-filter-parser 2.0.4 as soon as
# the fraction ".000" is there on one side only; scimmy alone orders moments of two offsets. scim2-models 0.12.3
# (PyPI) gets all right. A client should copy the text that the server gave in "meta", and a server should write all
# its moments in one spelling.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scimmy@1.3.5 scim2-parse-filter@0.2.10 scim-query-filter-parser@2.0.4
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim2-models==0.12.3'
cat >filters.json <<'END'
["meta.lastModified eq \"2024-05-01T10:00:00.000Z\"", "meta.lastModified eq \"2024-05-01T10:00:00Z\"",
 "meta.lastModified eq \"2024-05-01T12:00:00.000+02:00\"", "meta.lastModified gt \"2024-05-01T11:30:00.000+02:00\""]
END
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import SCIMMY from 'scimmy';
import parser from 'scim2-parse-filter';
import other from 'scim-query-filter-parser';
const users = [{ userName: 'jane', meta: { lastModified: '2024-05-01T10:00:00.000Z' } }];
for (const text of JSON.parse(readFileSync('filters.json'))) {
  const found = [new SCIMMY.Types.Filter(text).match(users), users.filter(parser.filter(parser.parse(text))), users.filter(other.compileFilter(text))];
  console.log(text, 'finds:', ...['scimmy', 'scim2-parse-filter', 'scim-query-filter-parser'].map((name, at) => `${name} ${found[at].length}`));
}
END
cat >try.py <<'END'
import json
from scim2_models import ScimFilter, User
user = User.model_validate({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "jane", "meta": {"lastModified": "2024-05-01T10:00:00.000Z"}})
for text in json.load(open("filters.json")):
    print(text, "finds: scim2-models", int(ScimFilter[User](text).match(user)))
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
meta.lastModified eq "2024-05-01T10:00:00.000Z" finds: scimmy 1 scim2-parse-filter 1 scim-query-filter-parser 1
meta.lastModified eq "2024-05-01T10:00:00Z" finds: scimmy 0 scim2-parse-filter 0 scim-query-filter-parser 0
meta.lastModified eq "2024-05-01T12:00:00.000+02:00" finds: scimmy 0 scim2-parse-filter 0 scim-query-filter-parser 0
meta.lastModified gt "2024-05-01T11:30:00.000+02:00" finds: scimmy 1 scim2-parse-filter 0 scim-query-filter-parser 0
meta.lastModified eq "2024-05-01T10:00:00.000Z" finds: scim2-models 1
meta.lastModified eq "2024-05-01T10:00:00Z" finds: scim2-models 1
meta.lastModified eq "2024-05-01T12:00:00.000+02:00" finds: scim2-models 1
meta.lastModified gt "2024-05-01T11:30:00.000+02:00" finds: scim2-models 1
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
