#!/usr/bin/env bash
# Okta's SDK for JavaScript (@okta/okta-sdk-nodejs 8.1.0, npm) takes no notice of Retry-After, in seconds or as a date.
# RFC 6585, section 4, lets a 429 say with it how long to wait, and one would guess that an SDK which retries goes by it,
# if only where Okta's own header is missing. It retries a 429 only with X-Rate-Limit-Reset, and waits from the Date of
# the answer until then and one second more. Without that header the 429 goes to the caller at once, as a 503 with
# Retry-After does. Without a Date it counts from 1970, and Node makes a millisecond of the 53 years. Whoever stands
# between the two, a gateway that limits requests or a simulator of Okta in the tests of a provider that installs its
# token over Okta's API, has to send both of Okta's header fields to hold this client back.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @okta/okta-sdk-nodejs@8.1.0
cat >try.mjs <<'END'
import http from 'node:http';
import okta from '@okta/okta-sdk-nodejs';
const second = 1700000000, date = new Date(second * 1000).toUTCString();
let requests, status, headers;
const server = http.createServer((_, response) => {
  requests++;
  response.sendDate = false;
  response.writeHead(requests === 1 ? status : 200, requests === 1 ? headers : {}).end();
}).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
for ([status, headers] of [[429, { date, 'retry-after': '1' }], [429, { date, 'retry-after': new Date((second + 1) * 1000).toUTCString() }],
  [429, { date, 'x-rate-limit-reset': second }], [429, { 'x-rate-limit-reset': second }], [503, { date, 'retry-after': '1' }]]) {
  requests = 0;
  const executor = new okta.DefaultRequestExecutor(), waits = [];
  executor.on('backoff', (_, __, ___, wait) => waits.push(wait));
  const response = await executor.fetch({ url: `http://127.0.0.1:${server.address().port}/api/v1/apps`, method: 'get', headers: {} });
  console.log(status, Object.keys(headers).join(' '), '=> answered', response.status, 'requests:', requests, 'waits:', waits.join(' ') || 'none');
}
server.close();
END
node try.mjs >seen 2>errors
cat >expected <<'END'
429 date retry-after => answered 429 requests: 1 waits: none
429 date retry-after => answered 429 requests: 1 waits: none
429 date x-rate-limit-reset => answered 200 requests: 2 waits: 1000
429 x-rate-limit-reset => answered 200 requests: 2 waits: 1700000001000
503 date retry-after => answered 503 requests: 1 waits: none
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
