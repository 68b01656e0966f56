#!/usr/bin/env bash
# jose 6.2.18 (npm) does not look for a new key for 30 seconds after it last fetched the key set; jwks-rsa 4.1.0
# (npm) does.
# Whoever rotates a signing key expects verifiers to fetch the key set again for an unknown kid.
# createRemoteJWKSet of jose answers "no applicable key" without a request while its cooldown runs, also when
# the first fetch was for another, valid token. A signer that publishes a key and signs with it at once is
# refused by every receiver that verified anything in the last half minute. The new key has to stand in the set
# well before it signs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund jose@6.2.18 jwks-rsa@4.1.0
cat >try.mjs <<'END'
import http from 'node:http';
import * as jose from 'jose';
import jwksRsa from 'jwks-rsa';
const pair = async (kid) => { const made = await jose.generateKeyPair('ES256', { extractable: true });
  return { sign: made.privateKey, jwk: { ...await jose.exportJWK(made.publicKey), kid } }; };
const [first, second] = [await pair('first'), await pair('second')];
let keys = [first.jwk], requests = 0;
const server = http.createServer((_, response) => { requests++; response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ keys })); }).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const url = `http://127.0.0.1:${server.address().port}/keys`;
const token = (key) => new jose.SignJWT({}).setProtectedHeader({ alg: 'ES256', kid: key.jwk.kid }).sign(key.sign);
const set = jose.createRemoteJWKSet(new URL(url));
const client = jwksRsa({ jwksUri: url });
const tell = async (name, act) => { requests = 0;
  try { await act(); console.log(name, 'taken, requests:', requests); }
  catch (error) { console.log(name, 'refused:', error.code ?? error.name, 'requests:', requests); } };
await tell('jose first', async () => jose.jwtVerify(await token(first), set));
await tell('jwks-rsa first', () => client.getSigningKey('first'));
keys = [first.jwk, second.jwk];
await tell('jose second', async () => jose.jwtVerify(await token(second), set));
await tell('jwks-rsa second', () => client.getSigningKey('second'));
server.close();
END
node try.mjs >seen
cat >expected <<'END'
jose first taken, requests: 1
jwks-rsa first taken, requests: 1
jose second refused: ERR_JWKS_NO_MATCHING_KEY requests: 0
jwks-rsa second taken, requests: 1
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
