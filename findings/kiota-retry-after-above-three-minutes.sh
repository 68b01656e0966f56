#!/usr/bin/env bash
# Kiota's clients come back too early when a server asks for more than three minutes in JavaScript, and not at all in
# Python; both send a POST once more after a 504.
# RFC 9110, section 10.2.3, has Retry-After say how long to wait. One would guess that two runtimes of one generator, on
# which Microsoft Graph's libraries stand too, wait as asked or give up. @microsoft/kiota-http-fetchlibrary
# 1.0.0-preview.109 (npm) cuts the wait down to 180 seconds and asks again, three times; microsoft-kiota-http 1.16.0
# (PyPI) gives the caller the 429 from 180 seconds on. A provider that holds a sync back for longer must expect the
# early ones, and must not start the wait anew for each. RFC 9110, section 9.2.2, has a client repeat only requests that
# are idempotent; here a create that a gateway timed out is sent again and meets the user that it made: 409.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @microsoft/kiota-http-fetchlibrary@1.0.0-preview.109
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'microsoft-kiota-http==1.16.0'
cat >try.mjs <<'END'
import { RetryHandler } from '@microsoft/kiota-http-fetchlibrary';
for (const [method, status, wait] of [['GET', 429, '100'], ['GET', 429, '600'], ['POST', 504, '1']]) {
  const waits = [], handler = new RetryHandler();
  let requests = 0;
  handler.sleep = async (seconds) => waits.push(Math.floor(seconds));
  handler.next = { execute: async () => (requests++, new Response('', { status, headers: { 'retry-after': wait } })) };
  await handler.execute('https://scim.example.com/v2/Users', { method });
  console.log('JavaScript', method, status, 'Retry-After', wait, 'waits:', waits.join(' '), 'requests:', requests);
}
END
cat >try.py <<'END'
import asyncio, httpx
from unittest import mock
from kiota_http.middleware import RetryHandler
async def main():
    for method, status, wait in (("GET", 429, "100"), ("GET", 429, "600"), ("POST", 504, "1")):
        waits, requests = [], []
        def answer(request):
            requests.append(request)
            return httpx.Response(status, headers={"retry-after": wait}, request=request)
        async def sleep(seconds):
            waits.append(int(seconds))
        with mock.patch("asyncio.sleep", sleep):
            await RetryHandler().send(httpx.Request(method, "https://scim.example.com/v2/Users"), httpx.MockTransport(answer))
        print("Python", method, status, "Retry-After", wait, "waits:", *waits, "requests:", len(requests))
asyncio.run(main())
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
JavaScript GET 429 Retry-After 100 waits: 100 100 100 requests: 4
JavaScript GET 429 Retry-After 600 waits: 180 180 180 requests: 4
JavaScript POST 504 Retry-After 1 waits: 1 1 1 requests: 4
Python GET 429 Retry-After 100 waits: 100 100 100 requests: 4
Python GET 429 Retry-After 600 waits: requests: 1
Python POST 504 Retry-After 1 waits: 1 1 1 requests: 4
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
