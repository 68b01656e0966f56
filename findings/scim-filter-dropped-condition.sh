#!/usr/bin/env bash
# scim2-filter-parser 0.7.0 (PyPI) leaves out a condition on an attribute that its server has no column for, and
# answers the rest of the filter.
# RFC 7644, section 3.4.2.1, has an attribute that a resource doesn't have count as no match, so one would guess
# that "a and unknown" finds nobody, or that the filter is refused. The library makes SQL of what it knows:
# "userName and department" becomes a search by user name alone. The names of its map are compared with case,
# although RFC 7643, section 2.1, ignores it, so that a known attribute in other letters is dropped too. Only if
# nothing is left does it say so, with a condition of None, while the SQL that it offers lists everybody. An
# identity provider that looks people up by two attributes may thus be linked to somebody else and should check
# that whoever came back fulfils the filter.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim2-filter-parser==0.7.0'
cat >try.py <<'END'
import sqlite3
from scim2_filter_parser.queries import SQLQuery
names = {(name, None, None): "people." + name for name in ("userName", "title")}
store = sqlite3.connect(":memory:")
store.execute("CREATE TABLE people (userName, title)")
store.executemany("INSERT INTO people VALUES (?, ?)", [("jane", "Clerk"), ("joe", "Smith")])
for text in ('userName eq "jane" and title eq "Smith"', 'userName eq "jane" and department eq "Sales"',
             'userName eq "jane" and TITLE eq "Smith"', 'userName eq "jane" or not (department eq "Sales")', 'department eq "Sales"'):
    query = SQLQuery(text, "people", names)
    found = store.execute(query.sql.replace("%s", "?"), query.params).fetchall()
    print(text, "finds", *(row[0] for row in found), "by", query.where_sql)
END
venv/bin/python try.py >seen
cat >expected <<'END'
userName eq "jane" and title eq "Smith" finds by (UPPER(people.userName) = UPPER({a})) AND (people.title = {b})
userName eq "jane" and department eq "Sales" finds jane by UPPER(people.userName) = UPPER({a})
userName eq "jane" and TITLE eq "Smith" finds jane by UPPER(people.userName) = UPPER({a})
userName eq "jane" or not (department eq "Sales") finds jane by UPPER(people.userName) = UPPER({a})
department eq "Sales" finds jane joe by None
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
