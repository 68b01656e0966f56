#!/usr/bin/env bash
# A SCIM filter in the structured data of RFC 5424 is lost from its quotation mark on in two of four parsers, and keeps
# its backslashes in a third.
# A provider's audit event names the filter, or the path of a PATCH, that was asked for, and RFC 5424, section 6.3.3, has
# a quotation mark, a backslash and a closing bracket in a value escaped with a backslash. One would guess that a parser
# of structured data undoes that. jc 1.26.1 (PyPI) ends the value at the mark and drops what follows. nsyslog-parser
# 0.10.1 (npm) finds no structured data at all and gives them as part of the message; where another field comes after
# such a value, it invents an element with a field called "null" instead, and loses who did it. syslog-rfc5424-parser
# 0.3.2 (PyPI) leaves the backslashes in the value. glossy 0.1.7 (npm) reads all. None tells an error. A provider should
# write into structured data what needs no escape, such as ids and names of attributes, and the filter into the message.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund nsyslog-parser@0.10.1 glossy@0.1.7
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'jc==1.26.1' 'syslog-rfc5424-parser==0.3.2'
cat >make.py <<'END'
import json
start = "<134>1 2026-11-30T12:00:00Z host scim - user.search "
json.dump([start + data + " asked" for data in (
    r'[scim@32473 actor="jane" path="userName"]',
    r'[scim@32473 actor="jane" filter="userName eq \"joe\""]',
    r'[scim@32473 actor="jane" path="emails[type eq \"work\"\]" version="3"]')], open("events.json", "w"))
END
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import nsyslog from 'nsyslog-parser';
import glossy from 'glossy';
for (const text of JSON.parse(readFileSync('events.json'))) {
  const { structuredData, message } = nsyslog(text);
  console.log('nsyslog-parser:', JSON.stringify(structuredData), message);
  glossy.Parse.parse(text, (event) => console.log('glossy:', JSON.stringify(event.structuredData), event.message));
}
END
cat >try.py <<'END'
import jc, json
from syslog_rfc5424_parser import SyslogMessage
for text in json.load(open("events.json")):
    event = jc.parse("syslog", text)[0]
    print("jc:", json.dumps(event["structured_data"]), event["message"])
    event = SyslogMessage.parse(text)
    print("syslog-rfc5424-parser:", json.dumps(event.sd), event.msg)
END
python3 make.py
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
nsyslog-parser: [{"$id":"scim@32473","actor":"jane","path":"userName"}] asked
glossy: {"scim@32473":{"actor":"jane","path":"userName"}} asked
nsyslog-parser: [] [scim@32473 actor="jane" filter="userName eq \"joe\""] asked
glossy: {"scim@32473":{"actor":"jane","filter":"userName eq \"joe\""}} asked
nsyslog-parser: [{"$id":"type","null":"undefined eq \\work\\\\]","version":"3"}] asked
glossy: {"scim@32473":{"actor":"jane","path":"emails[type eq \"work\"]","version":"3"}} asked
jc: [{"identity": "scim@32473", "parameters": {"actor": "jane", "path": "userName"}}] asked
syslog-rfc5424-parser: {"scim@32473": {"actor": "jane", "path": "userName"}} asked
jc: [{"identity": "scim@32473", "parameters": {"actor": "jane", "filter": "userName eq "}}] asked
syslog-rfc5424-parser: {"scim@32473": {"actor": "jane", "filter": "userName eq \\\"joe\\\""}} asked
jc: [{"identity": "scim@32473", "parameters": {"actor": "jane", "path": "emails[type eq ", "version": "3"}}] asked
syslog-rfc5424-parser: {"scim@32473": {"actor": "jane", "path": "emails[type eq \\\"work\\\"\\]", "version": "3"}} asked
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
