#!/usr/bin/env bash
# Of two members who were added to a group, seven of eight readers of RFC 5424 tell only the last.
# An event's structured data may have a name several times: RFC 5424, section 7.2.1, lets an originator with many addresses
# repeat "ip", and a provider can write each member of a group as a member="…". One would guess that a reader makes a list
# of them, or at least says that it has no place for one. glossy 0.1.7, nsyslog-parser 0.10.1 (npm), jc 1.26.1,
# syslog-rfc5424-parser 0.3.2 (PyPI), syslog_rfc5424 0.10.0 (crates.io), rsyslog 8.2302.0 and syslog-ng 3.38.1 (Debian 12)
# keep the last. Only syslog_loose 0.23.0 (crates.io) has both. mmpstrucdata, rsyslog's module for structured data, also
# writes all names in small letters unless it is told otherwise, so that userName is not found by its name. A provider
# should write one event for each member, or all of them into one value, and names that are the same in small letters.
set -euo pipefail
folder=$(mktemp -d)
daemon=
trap '[ -z "$daemon" ] || kill "$daemon"; rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund nsyslog-parser@0.10.1 glossy@0.1.7
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'jc==1.26.1' 'syslog-rfc5424-parser==0.3.2'
mkdir debian src
(cd debian; apt-get download -qq rsyslog=8.2302.0-1+deb12u2 libestr0 libfastjson4 syslog-ng-core=3.38.1-5+deb12u1 libivykis0 libjson-c5 libnet1 libpcre3 libwrap0 2>/dev/null)
for package in debian/*.deb; do dpkg-deb --extract "$package" root; done
printf '<134>1 2026-11-30T12:00:00Z host scim - group.add [scim@32473 userName="jane" member="ann" member="joe"] added' >event
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import nsyslog from 'nsyslog-parser';
import glossy from 'glossy';
const text = readFileSync('event', 'utf8');
console.log('nsyslog-parser:', JSON.stringify(nsyslog(text).structuredData));
glossy.Parse.parse(text, (event) => console.log('glossy:', JSON.stringify(event.structuredData)));
END
cat >try.py <<'END'
import jc, json
from syslog_rfc5424_parser import SyslogMessage
text = open("event").read()
print("jc:", json.dumps(jc.parse("syslog", text)[0]["structured_data"]))
print("syslog-rfc5424-parser:", json.dumps(SyslogMessage.parse(text).sd))
END
cat >Cargo.toml <<'END'
[package]
name = "seen"
version = "0.0.0"
edition = "2021"
[profile.dev]
debug = false
[dependencies]
syslog_rfc5424 = "=0.10.0"
syslog_loose = "=0.23.0"
END
cat >src/main.rs <<'END'
fn main() {
    let text = include_str!("../event");
    let event = syslog_rfc5424::parse_message(text).expect("an event");
    println!("syslog_rfc5424: {:?}", event.sd.find_sdid("scim@32473"));
    let event = syslog_loose::parse_message(text, syslog_loose::Variant::RFC5424);
    println!("syslog_loose: {:?}", event.structured_data);
}
END
node try.mjs >seen
venv/bin/python try.py >>seen
cargo run --quiet >>seen
export LD_LIBRARY_PATH=$folder/root/usr/lib/x86_64-linux-gnu:$folder/root/lib/x86_64-linux-gnu:$folder/root/usr/lib/syslog-ng
export RSYSLOG_MODDIR=$folder/root/usr/lib/x86_64-linux-gnu/rsyslog/
cat >rsyslog.conf <<END
module(load="imptcp")
module(load="mmpstrucdata")
template(name="seen" type="string" string="rsyslog: %\$!rfc5424-sd%\n")
input(type="imptcp" path="$folder/socket")
action(type="mmpstrucdata")
action(type="omfile" file="$folder/seen" template="seen")
END
cat >syslog-ng.conf <<END
@version: 3.38
options { stats-freq(0); };
source messages { unix-stream("$folder/socket" flags(syslog-protocol)); };
destination seen { file("$folder/seen" template("syslog-ng: \$SDATA\n")); };
log { source(messages); destination(seen); };
END
cat >send.py <<'END'
import socket
sender = socket.socket(socket.AF_UNIX)
sender.connect("socket")
sender.sendall(open("event", "rb").read() + b"\n")
END
wait_until() { for _ in $(seq 100); do "$@" && return; sleep 0.1; done; echo "gave up waiting: $*"; exit 1; }
lines() { [ "$(wc -l <seen)" -ge "$1" ]; }
root/usr/sbin/rsyslogd -n -f "$folder/rsyslog.conf" -i "$folder/pid" 2>errors &
daemon=$!
wait_until test -S socket
python3 send.py
wait_until lines 7
kill "$daemon"
wait "$daemon" || true
rm socket
root/usr/sbin/syslog-ng --foreground --no-caps --module-path "$folder/root/usr/lib/syslog-ng/3.38" -f "$folder/syslog-ng.conf" -R "$folder/persist" -c "$folder/control" -p "$folder/pid" 2>>errors &
daemon=$!
wait_until test -S socket
python3 send.py
wait_until lines 8
cat >expected <<'END'
nsyslog-parser: [{"$id":"scim@32473","userName":"jane","member":"joe"}]
glossy: {"scim@32473":{"userName":"jane","member":"joe"}}
jc: [{"identity": "scim@32473", "parameters": {"userName": "jane", "member": "joe"}}]
syslog-rfc5424-parser: {"scim@32473": {"userName": "jane", "member": "joe"}}
syslog_rfc5424: Some({"member": "joe", "userName": "jane"})
syslog_loose: [StructuredElement { id: "scim@32473", params: [("userName", "jane"), ("member", "ann"), ("member", "joe")] }]
rsyslog: { "scim@32473": { "username": "jane", "member": "joe" } }
syslog-ng: [scim@32473 userName="jane" member="joe"][meta sequenceId="1"]
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
