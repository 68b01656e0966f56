#!/usr/bin/env bash
# ldif2json 1.0.8 (PyPI) keeps the first line of a folded value only, and makes an entry of "version: 1".
# RFC 2849 lets a line be folded at any place, goes on with it after a newline and a blank, and has "version: 1" first
# in a file; OpenLDAP's tools fold at 76 characters and write the version unless they are told not to. The tool's
# guide pipes ldapsearch into it, so one would guess that it joins the lines. It drops each line that goes on, or
# reads an attribute from it if a colon is in it. A base64 value is cut off in the same way, decodes with -d where the
# cut happens to fit, and is then a shorter name without a sign of it. An attribute without a value is gone as well.
# Nothing is reported. ldaptor 21.2.0 (PyPI) reads the same file right. Whoever makes people from such a file should
# export it with "-o ldif-wrap=no" and look at each entry for a "dn" first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'ldif2json==1.0.8' 'ldaptor==21.2.0'
cat >people.ldif <<'END'
version: 1

dn: uid=jane,ou=people,dc=example,dc=com
objectClass: person
uid: jane
cn:: SmFuZSBNYXJpZSBF
 bGlzYWJldGggTMO8
 ZGVy
description: works for the
  registrar
seeAlso: cn=court,
 dc=example,dc=com
title: Clerk,
  room: 12
sn:

END
cat >try.py <<'END'
from ldaptor.protocols.ldap.ldifprotocol import LDIF
class Reader(LDIF):
    def gotEntry(self, entry):
        print("ldaptor:", entry.dn.getText())
        for name, values in sorted(entry.items()):
            print("ldaptor:", name.decode(), "=", *(value.decode() for value in values))
Reader().dataReceived(open("people.ldif", "rb").read())
END
venv/bin/ldif2json --decode --indent 1 people.ldif >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
[
 {
  "version": "1"
 },
 {
  "cn": "Jane Marie E",
  "description": "works for the",
  "dn": "uid=jane,ou=people,dc=example,dc=com",
  "objectClass": "person",
  "room": "12",
  "seeAlso": "cn=court,",
  "title": "Clerk,",
  "uid": "jane"
 }
]
ldaptor: uid=jane,ou=people,dc=example,dc=com
ldaptor: cn = Jane Marie Elisabeth Lüder
ldaptor: description = works for the registrar
ldaptor: objectClass = person
ldaptor: seeAlso = cn=court,dc=example,dc=com
ldaptor: sn = 
ldaptor: title = Clerk, room: 12
ldaptor: uid = jane
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
