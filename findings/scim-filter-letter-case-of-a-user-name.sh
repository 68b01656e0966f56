#!/usr/bin/env bash
# Asked for in other letters, a user name isn't found by two of three filter libraries of npm, and by the third only
# with "eq".
# RFC 7643, section 8.7.1, declares userName with caseExact false, and RFC 7644, section 3.4.2.2, lets that decide how
# a filter compares; a client may ask for Jane@example.com whom the provider stored as jane@example.com. One would
# guess that libraries for SCIM know the schema, or ignore case everywhere. scimmy 1.3.5 and scim2-parse-filter 0.2.10
# compare the letters. scim-query-filter-parser 2.0.4 ignores case in "eq", also for externalId, which is exact, and
# doesn't in "sw" and "co". scim2-models 0.12.3 (PyPI) follows the schema. A lookup that finds nobody makes an identity
# provider create the person a second time.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scimmy@1.3.5 scim2-parse-filter@0.2.10 scim-query-filter-parser@2.0.4
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim2-models==0.12.3'
cat >filters.json <<'END'
["userName eq \"Jane@example.com\"", "userName sw \"Jane\"", "emails.value co \"EXAMPLE\"", "emails[type eq \"Work\"]", "externalId eq \"AB1\""]
END
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import SCIMMY from 'scimmy';
import parser from 'scim2-parse-filter';
import other from 'scim-query-filter-parser';
const users = [{ userName: 'jane@example.com', externalId: 'ab1', emails: [{ type: 'work', value: 'jane@example.com' }] }];
for (const text of JSON.parse(readFileSync('filters.json'))) {
  const found = [new SCIMMY.Types.Filter(text).match(users), users.filter(parser.filter(parser.parse(text))), users.filter(other.compileFilter(text))];
  console.log(text, 'finds:', ...['scimmy', 'scim2-parse-filter', 'scim-query-filter-parser'].map((name, at) => `${name} ${found[at].length}`));
}
END
cat >try.py <<'END'
import json
from scim2_models import ScimFilter, User
user = User(user_name="jane@example.com", external_id="ab1", emails=[User.Emails(type="work", value="jane@example.com")])
for text in json.load(open("filters.json")):
    print(text, "finds: scim2-models", int(ScimFilter[User](text).match(user)))
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
userName eq "Jane@example.com" finds: scimmy 0 scim2-parse-filter 0 scim-query-filter-parser 1
userName sw "Jane" finds: scimmy 0 scim2-parse-filter 0 scim-query-filter-parser 0
emails.value co "EXAMPLE" finds: scimmy 0 scim2-parse-filter 0 scim-query-filter-parser 0
emails[type eq "Work"] finds: scimmy 0 scim2-parse-filter 0 scim-query-filter-parser 1
externalId eq "AB1" finds: scimmy 0 scim2-parse-filter 0 scim-query-filter-parser 1
userName eq "Jane@example.com" finds: scim2-models 1
userName sw "Jane" finds: scim2-models 1
emails.value co "EXAMPLE" finds: scim2-models 1
emails[type eq "Work"] finds: scim2-models 1
externalId eq "AB1" finds: scim2-models 0
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
