#!/usr/bin/env bash
# scimmy-routers 1.3.2 (npm) takes no notice of startIndex and count under Express 5, and pages as asked under
# Express 4.
# Its package.json allows both. The router makes numbers of the two parameters by writing into request.query, which
# Express 5 computes anew at each access, so that they stay texts, and scimmy 1.3.5 leaves out what is no number. One
# would guess that a client which asks for the next page gets it, or an error. It gets the first page, of 20 people,
# and "startIndex": 1. A client that trusts its own count lists the same people again and again and never sees the
# others, so it should compare the startIndex that comes back with the one that it sent.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >try.mjs <<'END'
import { createRequire } from 'node:module';
const [express, { default: SCIMMY }, { default: Routers }] = [createRequire(import.meta.url)('express'), await import('scimmy'), await import('scimmy-routers')];
const users = Array.from({ length: 25 }, (_, at) => ({ id: `${at + 1}`, userName: `user${at + 1}` }));
SCIMMY.Resources.declare(SCIMMY.Resources.User).egress(() => users);
const server = express().use('/v2', new Routers({ type: 'bearer', docUri: 'https://example.com', handler: () => 'me' })).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
console.log('Express', createRequire(import.meta.url)('express/package.json').version);
for (const query of ['startIndex=1&count=2', 'startIndex=3&count=2', 'startIndex=21&count=20', 'count=0']) {
  const { totalResults, startIndex, Resources } = await (await fetch(`http://127.0.0.1:${server.address().port}/v2/Users?${query}`)).json();
  console.log(query, 'answered:', totalResults, 'in all, from', startIndex, 'on:', Resources.length, 'people,', Resources[0]?.userName);
}
server.close();
END
for version in 4.22.1 5.3.0; do
  mkdir "$version" && cp try.mjs "$version"
  (cd "$version" && npm init --yes >/dev/null && npm install --silent --no-audit --no-fund "express@$version" scimmy@1.3.5 scimmy-routers@1.3.2 && node try.mjs) >>seen
done
cat >expected <<'END'
Express 4.22.1
startIndex=1&count=2 answered: 25 in all, from 1 on: 2 people, user1
startIndex=3&count=2 answered: 25 in all, from 3 on: 2 people, user3
startIndex=21&count=20 answered: 25 in all, from 21 on: 5 people, user21
count=0 answered: 25 in all, from 1 on: 0 people, undefined
Express 5.3.0
startIndex=1&count=2 answered: 25 in all, from 1 on: 20 people, user1
startIndex=3&count=2 answered: 25 in all, from 1 on: 20 people, user1
startIndex=21&count=20 answered: 25 in all, from 1 on: 20 people, user1
count=0 answered: 25 in all, from 1 on: 20 people, user1
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
