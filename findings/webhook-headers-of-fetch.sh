#!/usr/bin/env bash
# Standard Webhooks: the libraries of npm say "Missing required headers" when they are given the Headers of a Request,
# the one of PyPI reads what Python's frameworks have.
# One would guess that a library which verifies requests takes the header fields in the form in which the platform has
# them: in the Fetch API, and so in Next.js, Hono, Deno and workers, an object of the class Headers. standardwebhooks
# 1.1.1 and svix 1.99.1 (npm) look at an object's own properties, of which Headers has none, so that each delivery
# with a right signature is refused as one without. Object.fromEntries(request.headers) is what they want; the headers
# of node:http are in the right form. standardwebhooks 1.1.0 (PyPI) asks for the items, which Starlette's, Werkzeug's
# and http.server's headers have. A sender should show the line in its guide for receivers: the error blames the sender.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund standardwebhooks@1.1.1 svix@1.99.1
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'standardwebhooks==1.1.0' 'starlette==1.10.0' 'Werkzeug==3.1.9'
cat >try.mjs <<'END'
import { Webhook } from 'standardwebhooks';
import { Webhook as Svix } from 'svix';
const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`, body = '{"type":"member.created"}', now = new Date();
const fields = { 'Webhook-Id': 'msg_1', 'Webhook-Timestamp': `${Math.floor(now / 1000)}`, 'Webhook-Signature': new Webhook(secret).sign('msg_1', now, body) };
const request = new Request('https://backend.example.com/hook', { method: 'POST', body, headers: fields });
for (const [name, Library] of [['standardwebhooks', Webhook], ['svix', Svix]])
  for (const [form, headers] of [['plain object', fields], ['Headers', request.headers], ['fromEntries', Object.fromEntries(request.headers)]])
    try { console.log('JavaScript', name, form, 'taken:', new Library(secret).verify(body, headers).type); }
    catch (error) { console.log('JavaScript', name, form, 'refused:', error.message); }
END
cat >try.py <<'END'
import base64, datetime
from email.message import Message
from standardwebhooks import Webhook
from starlette.datastructures import Headers
from werkzeug.datastructures import Headers as OtherHeaders
webhook, body, now = Webhook(base64.b64encode(bytes([7]) * 24).decode()), '{"type":"member.created"}', datetime.datetime.now(datetime.timezone.utc)
fields = {"Webhook-Id": "msg_1", "Webhook-Timestamp": str(int(now.timestamp())), "Webhook-Signature": webhook.sign("msg_1", now, body)}
message = Message()
for name, value in fields.items():
    message[name] = value
for name, headers in (("dict", fields), ("Starlette", Headers(fields)), ("Werkzeug", OtherHeaders(fields)), ("http.server", message)):
    print("Python", name, "taken:", webhook.verify(body, headers)["type"])
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
JavaScript standardwebhooks plain object taken: member.created
JavaScript standardwebhooks Headers refused: Missing required headers
JavaScript standardwebhooks fromEntries taken: member.created
JavaScript svix plain object taken: member.created
JavaScript svix Headers refused: Missing required headers
JavaScript svix fromEntries taken: member.created
Python dict taken: member.created
Python Starlette taken: member.created
Python Werkzeug taken: member.created
Python http.server taken: member.created
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
