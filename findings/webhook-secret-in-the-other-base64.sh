#!/usr/bin/env bash
# Standard Webhooks: a secret written in the URL-safe base64 alphabet gives wrong signatures in Python without
# an error, and an error in JavaScript.
# The specification says base64 and no more. The library of PyPI (standardwebhooks 1.1.0) decodes leniently: it
# drops every "-" and "_" and signs with a shorter key. The library of npm (standardwebhooks 1.1.1) refuses the
# same text. A sender should hand out secrets whose text is the same in both alphabets, or in the standard one
# only.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund standardwebhooks@1.1.1
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'standardwebhooks==1.1.0'
cat >try.py <<'END'
import base64, datetime
from standardwebhooks import Webhook
key = bytes([0xFB, 0xEF, 0xBE]) + bytes(21)
moment = datetime.datetime.fromtimestamp(1700000000, datetime.timezone.utc)
for name, text in (("standard", base64.b64encode(key)), ("URL-safe", base64.urlsafe_b64encode(key)), ("21 zero bytes", base64.b64encode(bytes(21)))):
    print("Python", name, text.decode(), Webhook("whsec_" + text.decode()).sign("msg_1", moment, "{}"))
END
cat >try.mjs <<'END'
import { Webhook } from 'standardwebhooks';
for (const text of ['++++AAAAAAAAAAAAAAAAAAAAAAAAAAAA', '----AAAAAAAAAAAAAAAAAAAAAAAAAAAA'])
  try { console.log('JavaScript', text, new Webhook(`whsec_${text}`).sign('msg_1', new Date(1700000000000), '{}')); }
  catch (error) { console.log('JavaScript', text, 'refused:', error.message); }
END
venv/bin/python try.py >seen
node try.mjs >>seen
cat >expected <<'END'
Python standard ++++AAAAAAAAAAAAAAAAAAAAAAAAAAAA v1,rwpmQBPgwskjsrUPN3GN+1bSNTuO84Z5a9zu6LWQKfk=
Python URL-safe ----AAAAAAAAAAAAAAAAAAAAAAAAAAAA v1,LzeNxZHo3O8fwpFJpLh/0B99ugILNFJw+/9lTgx0APs=
Python 21 zero bytes AAAAAAAAAAAAAAAAAAAAAAAAAAAA v1,LzeNxZHo3O8fwpFJpLh/0B99ugILNFJw+/9lTgx0APs=
JavaScript ++++AAAAAAAAAAAAAAAAAAAAAAAAAAAA v1,rwpmQBPgwskjsrUPN3GN+1bSNTuO84Z5a9zu6LWQKfk=
JavaScript ----AAAAAAAAAAAAAAAAAAAAAAAAAAAA refused: Base64Coder: incorrect characters for decoding
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
