#!/usr/bin/env bash
# An audit event in CEF whose name has an escaped bar loses its name, its severity and the user in two of three parsers,
# and a SCIM filter loses the attribute that was asked for in the third.
# CEF, the format of many SIEMs, separates the seven fields of its header by bars, and has a bar in one of them and an
# equals sign in a value escaped with a backslash; group names such as "Sales | EMEA" are usual in directories. The
# events below are written by cefevent 0.5.6. One would guess that a parser which handles the escapes in one part of the
# line handles them in the other. pycef 1.11 and jc 1.26.1 (all PyPI) end the name at the escaped bar: the name is
# empty, there is no severity, and the user stands in a field called "changed|5|suser". Both name custom fields after
# their labels, so that a second one with the same label replaces the first. nsyslog-parser 0.10.1 (npm) reads the
# header, and cuts the word after an escaped equals sign out of the value. Nothing is reported. A provider should name
# each kind of event once and for all, keep group names out of the name, and give each custom field a label of its own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund nsyslog-parser@0.10.1
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'cefevent==0.5.6' 'pycef==1.11' 'jc==1.26.1'
cat >make.py <<'END'
from cefevent import CEFEvent
def write(name, **fields):
    event = CEFEvent()
    for field, value in dict(deviceVendor="Example", deviceProduct="SCIM", deviceVersion="1", signatureId="7", name=name, severity=5, **fields).items():
        event.set_field(field, value)
    print(event.build_cef())
write("Members of Sales | EMEA changed", sourceUserName="jane")
write("Users searched", sourceUserName="jane", request='/Users?filter=userName eq "joe"')
write("Members replaced", deviceCustomString1="joe", deviceCustomString1Label="member", deviceCustomString2="ann", deviceCustomString2Label="member")
END
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import nsyslog from 'nsyslog-parser';
for (const text of readFileSync('events', 'utf8').trim().split('\n')) {
  const { cef, fields } = nsyslog('<134>1 2026-11-30T12:00:00Z host scim - - - ' + text);
  console.log('nsyslog-parser:', JSON.stringify(cef.name), cef.severity, JSON.stringify(fields));
}
END
cat >try.py <<'END'
import jc, pycef
header = {"DeviceVendor", "DeviceProduct", "DeviceVersion", "DeviceEventClassID", "DeviceName", "DeviceSeverity", "CEFVersion"}
other = {"deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId", "deviceEventClassIdNum", "agentSeverityString", "agentSeverityNum", "CEFVersion"}
for text in open("events"):
    print("pycef:", {name: value for name, value in pycef.parse(text.strip()).items() if name not in header})
    print("jc:", {name: value for name, value in jc.parse("cef", text)[0].items() if name not in other})
END
venv/bin/python make.py >events
cat events >seen
node try.mjs >>seen
venv/bin/python try.py >>seen
cat >expected <<'END'
CEF:0|Example|SCIM|1|7|Members of Sales \| EMEA changed|5|suser=jane
CEF:0|Example|SCIM|1|7|Users searched|5|suser=jane request=/Users?filter\=userName eq "joe"
CEF:0|Example|SCIM|1|7|Members replaced|5|cs1=joe cs1Label=member cs2=ann cs2Label=member
nsyslog-parser: "Members of Sales \\| EMEA changed" 5 {"suser":"jane"}
nsyslog-parser: "Users searched" 5 {"suser":"jane","request":"/Users?filter\\ eq \"joe\""}
nsyslog-parser: "Members replaced" 5 {"cs1":"joe","cs1Label":"member","cs2":"ann","cs2Label":"member"}
pycef: {'Name': '', 'changed|5|suser': 'jane'}
jc: {'name': '', 'changed_5_suser': 'jane'}
pycef: {'Name': 'Users searched', 'Severity': '5', 'suser': 'jane', 'request': '/Users?filter\\=userName eq "joe"'}
jc: {'name': 'Users searched', 'agentSeverity': '5', 'suser': 'jane', 'request': '/Users?filter=userName eq "joe"'}
pycef: {'Name': 'Members replaced', 'Severity': '5', 'member': 'ann'}
jc: {'name': 'Members replaced', 'agentSeverity': '5', 'member': 'ann'}
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
