#!/usr/bin/env bash
# Whether somebody without a title is found by title ne "Clerk" depends on the library, and so it is with "eq null".
# RFC 7644, section 3.4.2.2, says "not equal" and nothing about an attribute without a value; its grammar has null as a
# value. One would guess that "ne" is the opposite of "eq", as "not (… eq …)" is, and that null means the unset
# attribute. scimmy 1.3.5 (npm) and scim2-models 0.12.3 (PyPI) see it so. With scim2-parse-filter 0.2.10 and
# scim-query-filter-parser 2.0.4 (both npm) "ne" finds only people who have another title, and "eq null" nobody; the
# second refuses "not (…)" altogether. scim2-filter-parser 0.7.0 (PyPI) leaves it to SQL, where a NULL isn't unequal
# to anything, not even inside a "not". A client that wants everybody but the clerks adds "or not (title pr)", and
# looks through the list itself if that is refused.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scimmy@1.3.5 scim2-parse-filter@0.2.10 scim-query-filter-parser@2.0.4
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim2-models==0.12.3' 'scim2-filter-parser==0.7.0'
cat >filters.json <<'END'
["title ne \"Clerk\"", "not (title eq \"Clerk\")", "title eq null", "title ne \"Clerk\" or not (title pr)"]
END
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import SCIMMY from 'scimmy';
import parser from 'scim2-parse-filter';
import other from 'scim-query-filter-parser';
const users = [{ userName: 'jane', title: 'Clerk' }, { userName: 'joe', title: 'Smith' }, { userName: 'untitled' }];
const attempt = (name, text, act) => {
  try { console.log(name, text, '=>', act().map((user) => user.userName).join(' ') || 'nobody'); }
  catch (error) { console.log(name, text, 'refused:', error.message); }
};
for (const text of JSON.parse(readFileSync('filters.json'))) {
  attempt('scimmy', text, () => new SCIMMY.Types.Filter(text).match(users));
  attempt('scim2-parse-filter', text, () => users.filter(parser.filter(parser.parse(text))));
  attempt('scim-query-filter-parser', text, () => users.filter(other.compileFilter(text)));
}
END
cat >try.py <<'END'
import json, sqlite3
from scim2_filter_parser.queries import SQLQuery
from scim2_models import ScimFilter, User
people = [("jane", "Clerk"), ("joe", "Smith"), ("untitled", None)]
store = sqlite3.connect(":memory:")
store.execute("CREATE TABLE people (userName, title)")
store.executemany("INSERT INTO people VALUES (?, ?)", people)
for text in json.load(open("filters.json")):
    query = SQLQuery(text, "people", {(name, None, None): "people." + name for name in ("userName", "title")})
    print("scim2-filter-parser", text, "=>", " ".join(row[0] for row in store.execute(query.sql.replace("%s", "?"), query.params)) or "nobody")
    found = (name for name, title in people if ScimFilter[User](text).match(User(user_name=name, title=title)))
    print("scim2-models", text, "=>", " ".join(found) or "nobody")
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
scimmy title ne "Clerk" => joe untitled
scim2-parse-filter title ne "Clerk" => joe
scim-query-filter-parser title ne "Clerk" => joe
scimmy not (title eq "Clerk") => joe untitled
scim2-parse-filter not (title eq "Clerk") => joe untitled
scim-query-filter-parser not (title eq "Clerk") refused: Failed to parse!
scimmy title eq null => untitled
scim2-parse-filter title eq null => nobody
scim-query-filter-parser title eq null => nobody
scimmy title ne "Clerk" or not (title pr) => joe untitled
scim2-parse-filter title ne "Clerk" or not (title pr) => joe untitled
scim-query-filter-parser title ne "Clerk" or not (title pr) refused: Failed to parse!
scim2-filter-parser title ne "Clerk" => joe
scim2-models title ne "Clerk" => joe untitled
scim2-filter-parser not (title eq "Clerk") => joe
scim2-models not (title eq "Clerk") => joe untitled
scim2-filter-parser title eq null => nobody
scim2-models title eq null => untitled
scim2-filter-parser title ne "Clerk" or not (title pr) => joe untitled
scim2-models title ne "Clerk" or not (title pr) => joe untitled
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
