#!/usr/bin/env bash
# In an LDIF file of changes ldif 4.3.0 (PyPI) reads a deletion as a person, and fails at a modification; ldif 0.5.1
# (npm) reads both and fails at an empty value.
# RFC 2849 has two kinds of records, entries and changes, and the library's class says that it reads "entry or change
# records". One would guess that a change comes out as one, or is refused by name. A record with "changetype: delete"
# comes out like an entry with an attribute called changetype, so that an importer which makes a person of each record
# makes one of whom it should remove, and "changetype: modify" ends the reading with "subsection not found" about the
# line with a hyphen. ldif of npm has a type for each change. But it refuses a comment that is folded, as RFC 2849 lets
# any line be, and an attribute with an empty value, "title:", ends in a TypeError. Whoever imports people from LDIF
# should look for changetype first, and take out empty values and comments.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund ldif@0.5.1
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'ldif==4.3.0'
cat >make.py <<'END'
import json
dn, rest = "dn: uid=jane,dc=example,dc=com\n", "objectClass: person\nuid: jane\n"
json.dump({"an entry": dn + rest, "a deletion": dn + "changetype: delete\n", "a modification": dn + "changetype: modify\nreplace: title\ntitle: Clerk\n-\n",
    "an empty value": dn + "title:\n" + rest, "a folded comment": "# everybody in the department of the\n  head office\n" + dn + rest}, open("files.json", "w"))
END
cat >try.py <<'END'
import io, json
from ldif import LDIFParser
for name, text in json.load(open("files.json")).items():
    try:
        print("PyPI", name, "gives:", *(dict(entry) for _, entry in LDIFParser(io.BytesIO(text.encode())).parse()))
    except ValueError as error:
        print("PyPI", name, "fails:", error)
END
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import ldif from 'ldif';
for (const [name, text] of Object.entries(JSON.parse(readFileSync('files.json'))))
  try {
    const record = ldif.parse(text).shift();
    console.log('npm', name, 'gives:', record.type, JSON.stringify(record.toObject({}).attributes ?? record.toObject({}).changes.map(({ type }) => type)));
  } catch (error) { console.log('npm', name, 'fails:', error.name); }
END
python3 make.py
venv/bin/python try.py >seen
node try.mjs >>seen
cat >expected <<'END'
PyPI an entry gives: {'objectClass': ['person'], 'uid': ['jane']}
PyPI a deletion gives: {'changetype': ['delete']}
PyPI a modification fails: subsection not found
PyPI an empty value gives: {'title': [''], 'objectClass': ['person'], 'uid': ['jane']}
PyPI a folded comment gives: {'objectClass': ['person'], 'uid': ['jane']}
npm an entry gives: record {"objectClass":"person","uid":"jane"}
npm a deletion gives: delete []
npm a modification gives: modify ["replace"]
npm an empty value fails: TypeError
npm a folded comment fails: SyntaxError
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
