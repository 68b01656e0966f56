#!/usr/bin/env bash
# A Security Event Token has no "exp", and two of five JWT libraries refuse it for that: @node-rs/jsonwebtoken 0.5.11
# (npm) and jwskate 0.12.2 (PyPI).
# An event has happened and doesn't expire, so RFC 8417, section 2.2, has "exp" NOT RECOMMENDED in such a token, and
# RFC 7519, section 4.1.4, has it optional in any. One would guess that a library compares the moment if it is there,
# and jwskate describes its check as "that the token is not expired". Both want the claim to exist, with an error that
# a receiver may answer as "invalid_request" to each event of a true sender. @node-rs/jsonwebtoken takes the token
# with requiredSpecClaims: [], but not with validateExp: false alone; jwskate takes it with check_exp=False. jose
# 6.2.18, fast-jwt 6.3.6 and aws-jwt-verify 5.2.1 (npm) take it as it is. A sender should name both settings in its
# guide for receivers and not add "exp" for their sake, since a delivery that is late would be lost then.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund jose@6.2.18 @node-rs/jsonwebtoken@0.5.11 fast-jwt@6.3.6 aws-jwt-verify@5.2.1
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'jwskate==0.12.2'
cat >try.mjs <<'END'
import { writeFileSync } from 'node:fs';
import rust from '@node-rs/jsonwebtoken';
import { JwtVerifier } from 'aws-jwt-verify';
import { createVerifier } from 'fast-jwt';
import * as jose from 'jose';
const issuer = 'https://scim.example.com', audience = 'https://receiver.example.com';
const { publicKey, privateKey } = await jose.generateKeyPair('ES256', { extractable: true });
const key = await jose.exportSPKI(publicKey), jwk = { ...await jose.exportJWK(publicKey), kid: 'one', alg: 'ES256', use: 'sig' };
const token = await new jose.SignJWT({ iss: issuer, aud: audience, jti: '1', iat: Math.floor(Date.now() / 1000), txn: '2', sub_id: { format: 'scim', uri: '/Users/1' },
  events: { 'urn:ietf:params:SCIM:event:prov:delete': {} } }).setProtectedHeader({ alg: 'ES256', kid: 'one', typ: 'secevent+jwt' }).sign(privateKey);
writeFileSync('token.json', JSON.stringify({ token, jwk, issuer, audience }));
const aws = JwtVerifier.create({ issuer, audience, jwksUri: `${issuer}/jwks.json` });
aws.cacheJwks({ keys: [jwk] });
const settings = { algorithms: [rust.Algorithm.ES256], iss: [issuer], aud: [audience] };
for (const [name, verify] of [
  ['jose', () => jose.jwtVerify(token, publicKey, { issuer, audience, typ: 'secevent+jwt' })],
  ['fast-jwt', () => createVerifier({ key, algorithms: ['ES256'], allowedIss: issuer, allowedAud: audience })(token)],
  ['aws-jwt-verify', () => aws.verify(token)],
  ['@node-rs/jsonwebtoken', () => rust.verify(token, key, settings)],
  ['@node-rs/jsonwebtoken, validateExp: false', () => rust.verify(token, key, { ...settings, validateExp: false })],
  ['@node-rs/jsonwebtoken, requiredSpecClaims: []', () => rust.verify(token, key, { ...settings, requiredSpecClaims: [] })]])
  try { await verify(); console.log(`${name}: takes it`); }
  catch (error) { console.log(`${name}: refuses it: ${error.message}`); }
END
cat >try.py <<'END'
import json
from jwskate import InvalidClaim, Jwk, SignedJwt
given = json.load(open("token.json"))
for name, more in (("jwskate", {}), ("jwskate, check_exp=False", {"check_exp": False})):
    try:
        SignedJwt(given["token"]).validate(Jwk(given["jwk"]), alg="ES256", issuer=given["issuer"], audience=given["audience"], **more)
        print(f"{name}: takes it")
    except InvalidClaim as error:
        print(f"{name}: refuses it:", error.args[0])
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
jose: takes it
fast-jwt: takes it
aws-jwt-verify: takes it
@node-rs/jsonwebtoken: refuses it: Missing required claim: exp
@node-rs/jsonwebtoken, validateExp: false: refuses it: Missing required claim: exp
@node-rs/jsonwebtoken, requiredSpecClaims: []: takes it
jwskate: refuses it: This token does not contain an 'exp' claim.
jwskate, check_exp=False: takes it
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
