#!/usr/bin/env bash
# One key of a kind that a library doesn't know makes a whole key set unreadable in four of eight JOSE libraries.
# RFC 7517, section 5, says that implementations SHOULD ignore keys whose type or parameters they don't understand. One
# would guess that a signer may publish a key for ML-DSA (kty AKP), or on another curve, before it signs with it.
# node-jose 2.2.0 (npm), the jose module of Authlib 1.9.10 and python-jose 3.5.0 (PyPI) fail at the type, joserfc 1.8.0
# (PyPI) and python-jose at the curve, though the token is signed by the other key. Three of the errors are a KeyError,
# which a handler for refused tokens doesn't catch. jose 6.2.18 and jwks-rsa 4.1.0 (npm), PyJWT 2.15.1 and jwcrypto
# 1.6.1 (PyPI) read all sets. A sender of Security Event Tokens that adds such a key loses receivers before it has
# signed anything with it, and should publish new kinds of key in a set of their own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund jose@6.2.18 jwks-rsa@4.1.0 node-jose@2.2.0
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'Authlib==1.9.10' 'joserfc==1.8.0' 'PyJWT[crypto]==2.15.1' 'python-jose==3.5.0' 'jwcrypto==1.6.1'
cat >try.mjs <<'END'
import http from 'node:http';
import { writeFileSync } from 'node:fs';
import * as jose from 'jose';
import jwksRsa from 'jwks-rsa';
import other from 'node-jose';
const pair = await jose.generateKeyPair('ES256', { extractable: true });
const known = { ...await jose.exportJWK(pair.publicKey), kid: 'known', alg: 'ES256', use: 'sig' };
const token = await new jose.SignJWT({}).setProtectedHeader({ alg: 'ES256', kid: 'known' }).sign(pair.privateKey);
const sets = { alone: { keys: [known] },
  kty: { keys: [{ kty: 'AKP', alg: 'ML-DSA-65', kid: 'next', use: 'sig', pub: Buffer.alloc(1952, 1).toString('base64url') }, known] },
  curve: { keys: [{ ...known, kid: 'next', alg: undefined, crv: 'BP-256' }, known] } };
writeFileSync('sets.json', JSON.stringify({ token, sets }));
const server = http.createServer((request, response) => response.end(JSON.stringify(sets[request.url.slice(1)]))).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const tell = async (name, act) => { try { await act(); console.log(name, 'reads it'); } catch (error) { console.log(name, 'fails:', error.message); } };
for (const name in sets) {
  const url = `http://127.0.0.1:${server.address().port}/${name}`;
  await tell(`${name} jose`, () => jose.jwtVerify(token, jose.createRemoteJWKSet(new URL(url))));
  await tell(`${name} jwks-rsa`, () => jwksRsa({ jwksUri: url }).getSigningKey('known'));
  await tell(`${name} node-jose`, async () => other.JWS.createVerify(await other.JWK.asKeyStore(JSON.parse(JSON.stringify(sets[name])))).verify(token));
}
server.close();
END
cat >try.py <<'END'
import json, jwt
from authlib.jose import JsonWebKey, jwt as authlib
from jose import jwt as python_jose
from joserfc import jwk, jwt as joserfc
from jwcrypto import jwk as crypto_key, jwt as crypto
given = json.load(open("sets.json"))
token = given["token"]
for name, keys in given["sets"].items():
    for library, act in (("PyJWT", lambda: jwt.decode(token, jwt.PyJWKSet.from_dict(keys)["known"], ["ES256"])),
                         ("jwcrypto", lambda: crypto.JWT(jwt=token, key=crypto_key.JWKSet.from_json(json.dumps(keys)))),
                         ("joserfc", lambda: joserfc.decode(token, jwk.KeySet.import_key_set(keys))),
                         ("Authlib", lambda: authlib.decode(token, JsonWebKey.import_key_set(keys))),
                         ("python-jose", lambda: python_jose.decode(token, keys, algorithms=["ES256"]))):
        try:
            act()
            print(name, library, "reads it")
        except Exception as error:
            print(name, library, "fails:", type(error).__name__, error)
END
node try.mjs >seen
venv/bin/python try.py >>seen 2>/dev/null
cat >expected <<'END'
alone jose reads it
alone jwks-rsa reads it
alone node-jose reads it
kty jose reads it
kty jwks-rsa reads it
kty node-jose fails: unsupported key type
curve jose reads it
curve jwks-rsa reads it
curve node-jose reads it
alone PyJWT reads it
alone jwcrypto reads it
alone joserfc reads it
alone Authlib reads it
alone python-jose reads it
kty PyJWT reads it
kty jwcrypto reads it
kty joserfc reads it
kty Authlib fails: KeyError 'AKP'
kty python-jose fails: JWKError Incorrect key type. Expected: 'EC', Received: AKP
curve PyJWT reads it
curve jwcrypto reads it
curve joserfc fails: KeyError 'BP-256'
curve Authlib reads it
curve python-jose fails: KeyError 'BP-256'
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
