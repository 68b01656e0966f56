#!/usr/bin/env bash
# Of two employee numbers in a CSV file Miller makes a text of one and a number of the other, and one like 0x1F makes the
# whole output something that is no JSON.
# RFC 7643, section 4.3, has employeeNumber and costCenter as strings, and a list from a personnel system is CSV, whose
# values are texts (RFC 4180). One would guess that a converter gives texts for all, or decides by the column. Miller
# 6.6.0 (Debian 12) decides by the value: 00123 is a text, because of its zeros, and 20123 a number, so that a strict
# server refuses some of the people. A number goes out in the letters in which it came in: that keeps 1.10, but the cost
# center 1E5 is 100000 for whoever reads the JSON, and 0x1F, -0b11, .5 and 5. are taken as numbers too, at which each
# JSON parser gives up. With -O even 00123 goes out without quotation marks. With -S all of them are texts, which is how
# to make people of such a file.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq miller=6.6.0-2+b3 2>/dev/null
dpkg-deb --extract miller_*.deb root
cat >people.csv <<'END'
userName,employeeNumber,costCenter
jane,00123,100000
joe,20123,1E5
ann,0x1F,5.
END
cat >read.py <<'END'
import json, sys
for line in sys.stdin:
    try:
        user = json.loads(line)
        print("a JSON parser has", repr(user["employeeNumber"]), "and", repr(user["costCenter"]))
    except ValueError as error:
        print("a JSON parser fails at", line[error.pos:error.pos + 10].split(",")[0])
END
for flags in "" -O -S; do
  echo "mlr $flags --icsv --ojsonl cat"
  root/usr/bin/mlr $flags --icsv --ojsonl cat people.csv | tee made
  python3 read.py <made
done >seen
cat >expected <<'END'
mlr  --icsv --ojsonl cat
{"userName": "jane", "employeeNumber": "00123", "costCenter": 100000}
{"userName": "joe", "employeeNumber": 20123, "costCenter": 1E5}
{"userName": "ann", "employeeNumber": 0x1F, "costCenter": 5.}
a JSON parser has '00123' and 100000
a JSON parser has 20123 and 100000.0
a JSON parser fails at x1F
mlr -O --icsv --ojsonl cat
{"userName": "jane", "employeeNumber": 00123, "costCenter": 100000}
{"userName": "joe", "employeeNumber": 20123, "costCenter": 1E5}
{"userName": "ann", "employeeNumber": 0x1F, "costCenter": 5.}
a JSON parser fails at 0123
a JSON parser has 20123 and 100000.0
a JSON parser fails at x1F
mlr -S --icsv --ojsonl cat
{"userName": "jane", "employeeNumber": "00123", "costCenter": "100000"}
{"userName": "joe", "employeeNumber": "20123", "costCenter": "1E5"}
{"userName": "ann", "employeeNumber": "0x1F", "costCenter": "5."}
a JSON parser has '00123' and '100000'
a JSON parser has '20123' and '1E5'
a JSON parser has '0x1F' and '5.'
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
