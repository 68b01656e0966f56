#!/usr/bin/env bash
# An underscore in a "sw", "co" or "ew" filter stands for any character in scim2-filter-parser 0.7.0 (PyPI), and a
# percent sign for any number of them.
# RFC 7644, section 3.4.2.2, compares the value as it is. The library binds it as a parameter, from which one would
# guess that it is taken literally, but puts it into the pattern of a LIKE without escaping the two signs that SQL
# gives a meaning. User names with an underscore are common: a sync that asks for those beginning with "svc_" gets
# people whose names merely begin with "svc" too, and may treat them as service accounts. "eq" is not affected, so
# who asks a server of unknown making does best to compare what comes back once more.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim2-filter-parser==0.7.0'
cat >try.py <<'END'
import sqlite3
from scim2_filter_parser.queries import SQLQuery
store = sqlite3.connect(":memory:")
store.execute("CREATE TABLE people (name)")
store.executemany("INSERT INTO people VALUES (?)", [("svc_backup",), ("svcensson",), ("50%",), ("jane",)])
for text in ('userName sw "svc_"', 'userName co "_"', 'userName ew "%"', 'userName eq "svc_backup"', 'userName eq "svc%"'):
    query = SQLQuery(text, "people", {("userName", None, None): "people.name"})
    found = store.execute(query.sql.replace("%s", "?"), query.params).fetchall()
    print(text, query.params, "finds", len(found), *(row[0] for row in found))
END
venv/bin/python try.py >seen
cat >expected <<'END'
userName sw "svc_" ['svc_%'] finds 2 svc_backup svcensson
userName co "_" ['%_%'] finds 4 svc_backup svcensson 50% jane
userName ew "%" ['%%'] finds 4 svc_backup svcensson 50% jane
userName eq "svc_backup" ['svc_backup'] finds 1 svc_backup
userName eq "svc%" ['svc%'] finds 0
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
