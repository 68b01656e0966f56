#!/usr/bin/env bash
# scim2-filter-parser 0.7.0 (PyPI) reads "and" and "or" from left to right, so that a filter with both can select
# other people.
# RFC 7644, section 3.4.2.2, says that "and" is evaluated before "or", as nearly every language has it. The
# library makes one SQL condition of a filter, and "a or b and c" becomes "(a or b) and c"; "a and b or c" comes
# out right by chance. scimmy 1.3.5 and scim2-parse-filter 0.2.10 (both npm) follow the RFC. Servers that are built
# on the library (django-scim2 among them) answer without an error. A client that wants the same people everywhere
# writes the parentheses that the RFC makes superfluous.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scimmy@1.3.5 scim2-parse-filter@0.2.10
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim2-filter-parser==0.7.0'
cat >filters.json <<'END'
["title eq \"Clerk\" or active eq \"no\" and userName eq \"joe\"", "title eq \"Clerk\" or (active eq \"no\" and userName eq \"joe\")",
 "active eq \"no\" and userName eq \"joe\" or title eq \"Clerk\""]
END
cat >try.py <<'END'
import json, re, sqlite3
from scim2_filter_parser.queries import SQLQuery
names = {(name, None, None): "people." + name for name in ("userName", "title", "active")}
store = sqlite3.connect(":memory:")
store.execute("CREATE TABLE people (userName, title, active)")
store.executemany("INSERT INTO people VALUES (?, ?, ?)", [("jane", "Clerk", "yes"), ("joe", "Smith", "no")])
for text in json.load(open("filters.json")):
    query = SQLQuery(text, "people", names)
    found = store.execute(query.sql.replace("%s", "?"), query.params).fetchall()
    print("scim2-filter-parser", text, "=>", *(row[0] for row in found))
END
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import SCIMMY from 'scimmy';
import parser from 'scim2-parse-filter';
const people = [{ userName: 'jane', title: 'Clerk', active: 'yes' }, { userName: 'joe', title: 'Smith', active: 'no' }];
const names = (found) => found.map((user) => user.userName).join(' ');
for (const text of JSON.parse(readFileSync('filters.json'))) {
  console.log('scimmy', text, '=>', names(new SCIMMY.Types.Filter(text).match(people)));
  console.log('scim2-parse-filter', text, '=>', names(people.filter(parser.filter(parser.parse(text)))));
}
END
venv/bin/python try.py >seen
node try.mjs >>seen
cat >expected <<'END'
scim2-filter-parser title eq "Clerk" or active eq "no" and userName eq "joe" => joe
scim2-filter-parser title eq "Clerk" or (active eq "no" and userName eq "joe") => jane joe
scim2-filter-parser active eq "no" and userName eq "joe" or title eq "Clerk" => jane joe
scimmy title eq "Clerk" or active eq "no" and userName eq "joe" => jane joe
scim2-parse-filter title eq "Clerk" or active eq "no" and userName eq "joe" => jane joe
scimmy title eq "Clerk" or (active eq "no" and userName eq "joe") => jane joe
scim2-parse-filter title eq "Clerk" or (active eq "no" and userName eq "joe") => jane joe
scimmy active eq "no" and userName eq "joe" or title eq "Clerk" => jane joe
scim2-parse-filter active eq "no" and userName eq "joe" or title eq "Clerk" => jane joe
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
