#!/usr/bin/env bash
# The same attribute of two people comes out of an LDIF file as a text for one and as bytes for the other with ldif
# 4.3.0 (PyPI), and two different ones are the same with ldif 0.5.1 (npm).
# Active Directory knows each person by an objectGUID of 16 bytes, which an export has in base64 and which whoever moves
# people to SCIM takes as the externalId. One would guess that a reader of LDIF gives binary values as bytes, all of
# them. ldif of PyPI gives a text wherever the bytes happen to be valid UTF-8, so that only some of the people fail, or
# get an id of another form. ldif of npm always makes a text, with a replacement character for each byte that isn't
# UTF-8, so that two people with different ids can have the same one. Nothing is reported by either. With encoding=None
# the first gives bytes for all values, and a text for none; for the second the id has to be written as hexadecimal
# digits before the export.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund ldif@0.5.1
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'ldif==4.3.0'
for person in jane:QUJDREVGR0hJSktMTU5PUA== joe:gYGBgYGBgYGBgYGBgYGBgQ== jim:goKCgoKCgoKCgoKCgoKCgg==; do
  printf 'dn: cn=%s,dc=example,dc=com\nobjectClass: user\nobjectGUID:: %s\n\n' "${person%%:*}" "${person#*:}"
done >people.ldif
cat >try.py <<'END'
from ldif import LDIFParser
for dn, entry in LDIFParser(open("people.ldif", "rb")).parse():
    print("PyPI", dn, type(entry["objectGUID"][0]).__name__, entry["objectGUID"][0])
print("PyPI with encoding=None:", {type(value).__name__ for _, entry in LDIFParser(open("people.ldif", "rb"), encoding=None).parse() for value in entry["objectGUID"]})
END
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import ldif from 'ldif';
const file = ldif.parse(readFileSync('people.ldif', 'utf8')), ids = [];
for (let record = file.shift(); record; record = file.shift()) ids.push(record.toObject({}).attributes.objectGUID);
console.log('npm', ids.map((id) => `${typeof id} of ${id.length}`).join(', '), '| the last two are the same:', ids[1] === ids[2]);
END
venv/bin/python try.py >seen
node try.mjs >>seen
cat >expected <<'END'
PyPI cn=jane,dc=example,dc=com str ABCDEFGHIJKLMNOP
PyPI cn=joe,dc=example,dc=com bytes b'\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81'
PyPI cn=jim,dc=example,dc=com bytes b'\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82\x82'
PyPI with encoding=None: {'bytes'}
npm string of 16, string of 16, string of 16 | the last two are the same: true
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
