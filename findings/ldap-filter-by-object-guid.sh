#!/usr/bin/env bash
# A search for a person by objectGUID, or by a name with an escaped letter, asks for other bytes in four of five LDAP
# libraries.
# Active Directory knows a person by the 16 bytes of objectGUID, which is what links an account of SCIM to it, and RFC
# 4515, section 3, lets any byte of a filter be written as a backslash and two hexadecimal digits, those of a letter's
# UTF-8 too. One would guess that a library which takes filters as text sends the bytes. ldap3 2.9.1 (PyPI) does. ldapts
# 9.2.0 (npm) and ldaptor 21.2.0 (PyPI) make a letter of each byte and encode that once more, so that each byte above 7f
# becomes two. ldapjs 3.0.7 (npm) and ldap3_proto 0.9.0 (crates.io) send the backslash and the digits themselves; the
# latter refuses a name with a blank as well. The server finds nobody, without an error, and a sync makes the person
# anew. Who looks people up by objectGUID should build the filter from bytes where a library takes them, and try it with
# an id that has a byte above 7f.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund ldapts@9.2.0 ldapjs@3.0.7
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'ldap3==2.9.1' 'ldaptor==21.2.0'
cat >filters.json <<'END'
["(objectGUID=\\00\\9f\\c3)", "(objectGUID=\\4a\\61\\6e)", "(sn=D\\c3\\b6e)", "(cn=Jane Doe)"]
END
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import { BerWriter, FilterParser } from 'ldapts';
import ldapjs from 'ldapjs';
// What follows the name of the attribute: a tag, a length and the value.
const value = (buffer, text) => buffer.subarray(4 + text.indexOf('=') - 1 + 2).toString('hex');
for (const text of JSON.parse(readFileSync('filters.json'))) {
  const writer = new BerWriter();
  FilterParser.parseString(text).write(writer);
  console.log('ldapts', text, 'asks for', value(writer.buffer, text));
  console.log('ldapjs', text, 'asks for', value(ldapjs.parseFilter(text).toBer().buffer, text));
}
END
cat >try.py <<'END'
import json
from ldap3.operation.search import compile_filter, parse_filter
from ldaptor.ldapfilter import parseFilter
from pyasn1.codec.ber import encoder
for text in json.load(open("filters.json")):
    start = 4 + text.index("=") - 1 + 2
    tree = parse_filter(text, None, True, None, None, False)
    print("ldap3", text, "asks for", encoder.encode(compile_filter(tree.elements[0]))[start:].hex())
    print("ldaptor", text, "asks for", parseFilter(text).toWire()[start:].hex())
END
mkdir src
cat >Cargo.toml <<'END'
[package]
name = "seen"
version = "0.0.0"
edition = "2021"
[profile.dev]
debug = false
[dependencies]
ldap3_proto = "=0.9.0"
serde_json = "1"
END
cat >src/main.rs <<'END'
use ldap3_proto::{parse_ldap_filter_str, LdapFilter};

fn main() {
    let filters: Vec<String> = serde_json::from_str(include_str!("../filters.json")).expect("JSON");
    for text in filters {
        match parse_ldap_filter_str(&text) {
            Ok(LdapFilter::Equality(_, value)) => {
                let bytes: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
                println!("ldap3_proto {text} asks for {bytes}");
            }
            Ok(other) => println!("ldap3_proto {text} is {other:?}"),
            Err(error) => println!("ldap3_proto {text} refused: {error}"),
        }
    }
}
END
node try.mjs >seen
venv/bin/python try.py >>seen
cargo run --quiet >>seen
cat >expected <<'END'
ldapts (objectGUID=\00\9f\c3) asks for 00c29fc383
ldapjs (objectGUID=\00\9f\c3) asks for 5c30305c39665c6333
ldapts (objectGUID=\4a\61\6e) asks for 4a616e
ldapjs (objectGUID=\4a\61\6e) asks for 5c34615c36315c3665
ldapts (sn=D\c3\b6e) asks for 44c383c2b665
ldapjs (sn=D\c3\b6e) asks for 445c63335c623665
ldapts (cn=Jane Doe) asks for 4a616e6520446f65
ldapjs (cn=Jane Doe) asks for 4a616e6520446f65
ldap3 (objectGUID=\00\9f\c3) asks for 009fc3
ldaptor (objectGUID=\00\9f\c3) asks for 00c29fc383
ldap3 (objectGUID=\4a\61\6e) asks for 4a616e
ldaptor (objectGUID=\4a\61\6e) asks for 4a616e
ldap3 (sn=D\c3\b6e) asks for 44c3b665
ldaptor (sn=D\c3\b6e) asks for 44c383c2b665
ldap3 (cn=Jane Doe) asks for 4a616e6520446f65
ldaptor (cn=Jane Doe) asks for 4a616e6520446f65
ldap3_proto (objectGUID=\00\9f\c3) asks for 5c30305c39665c6333
ldap3_proto (objectGUID=\4a\61\6e) asks for 5c34615c36315c3665
ldap3_proto (sn=D\c3\b6e) asks for 445c63335c623665
ldap3_proto (cn=Jane Doe) refused: error at 1:10: expected one of ")", ['\n' | ' ' | '\t']
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
