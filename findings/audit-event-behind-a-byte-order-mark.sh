#!/usr/bin/env bash
# A JSON audit event that is sent as RFC 5424 asks, with a byte order mark, is no JSON for rsyslog, nor is one of more
# than one line; syslog-ng reads both.
# RFC 5424, section 6.4, has a message in UTF-8 start with a byte order mark, and RFC 8259, section 8.1, lets JSON be
# sent without one only. One would guess that a daemon which knows the format takes the mark for a part of it, like the
# blank before the message. rsyslog 8.2302.0 (Debian 12) leaves it in front of the text, where mmjsonparse finds no
# object: parsesuccess is FAIL, the event goes on as one text, and no field of it can be searched. A newline or a tab,
# which JSON may have between its parts and which a frame with a count of octets carries unharmed, comes out as "#012"
# or "#011", with the same end, unless the receiver sets parser.escapeControlCharactersOnReceive to off. syslog-ng 3.38.1
# (Debian 12) takes the mark off and leaves newlines alone. A provider should write its events on one line, and the mark
# only for who asks for it.
set -euo pipefail
folder=$(mktemp -d)
daemon=
trap '[ -z "$daemon" ] || kill "$daemon"; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq rsyslog=8.2302.0-1+deb12u2 libestr0 libfastjson4 syslog-ng-core=3.38.1-5+deb12u1 libivykis0 libjson-c5 libnet1 libpcre3 libwrap0 2>/dev/null
for package in *.deb; do dpkg-deb --extract "$package" root; done
export LD_LIBRARY_PATH=$folder/root/usr/lib/x86_64-linux-gnu:$folder/root/lib/x86_64-linux-gnu:$folder/root/usr/lib/syslog-ng
export RSYSLOG_MODDIR=$folder/root/usr/lib/x86_64-linux-gnu/rsyslog/
cat >rsyslog.conf <<END
module(load="imptcp")
module(load="mmjsonparse")
template(name="seen" type="string" string="rsyslog: %parsesuccess%, user %\$!userName%, message %msg%\n")
input(type="imptcp" path="$folder/socket")
action(type="mmjsonparse" cookie="")
action(type="omfile" file="$folder/seen" template="seen")
END
cat >syslog-ng.conf <<END
@version: 3.38
options { stats-freq(0); };
source messages { unix-dgram("$folder/socket" flags(syslog-protocol)); };
parser json { json-parser(prefix("json.")); };
destination seen { file("$folder/seen" template("syslog-ng: user \${json.userName}, message \$(format-json MESSAGE=\$MESSAGE)\n")); };
log { source(messages); parser(json); destination(seen); };
END
cat >send.py <<'END'
import socket, sys
counted = sys.argv[1] == "counted"
sender = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM if counted else socket.SOCK_DGRAM)
sender.connect("socket")
for text in ('{"userName": "jane"}', '\ufeff{"userName": "joe"}', '{\n\t"userName": "ann"\n}'):
    event = f"<134>1 2026-11-30T12:00:00Z host scim - - - {text}".encode()
    sender.send(b"%d %s" % (len(event), event) if counted else event)
END
wait_until() { for _ in $(seq 100); do "$@" && return; sleep 0.1; done; echo "gave up waiting: $*"; exit 1; }
lines() { [ -e seen ] && [ "$(wc -l <seen)" -ge "$1" ]; }
root/usr/sbin/rsyslogd -n -f "$folder/rsyslog.conf" -i "$folder/pid" 2>errors &
daemon=$!
wait_until test -S socket
python3 send.py counted
wait_until lines 3
kill "$daemon"
wait "$daemon" || true
rm socket
root/usr/sbin/syslog-ng --foreground --no-caps --module-path "$folder/root/usr/lib/syslog-ng/3.38" -f "$folder/syslog-ng.conf" -R "$folder/persist" -c "$folder/control" -p "$folder/pid" 2>>errors &
daemon=$!
wait_until test -S socket
python3 send.py one-by-one
wait_until lines 6
mark=$(printf '\xef\xbb\xbf')
sed -i "s/$mark/(mark)/" seen
cat >expected <<'END'
rsyslog: OK, user jane, message {"userName": "jane"}
rsyslog: FAIL, user , message (mark){"userName": "joe"}
rsyslog: FAIL, user , message {#012#011"userName": "ann"#012}
syslog-ng: user jane, message {"MESSAGE":"{\"userName\": \"jane\"}"}
syslog-ng: user joe, message {"MESSAGE":"{\"userName\": \"joe\"}"}
syslog-ng: user ann, message {"MESSAGE":"{\n\t\"userName\": \"ann\"\n}"}
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
