#!/usr/bin/env bash
# A Security Event Token whose sender's clock is a minute ahead is refused by PyJWT 2.15.1 and joserfc 1.8.0
# (PyPI) and taken by jose 6.2.18 (npm).
# RFC 8417 makes "iat" REQUIRED in such a token and says nothing that a receiver should compare it with; RFC
# 7519 gives "nbf" that task. The two Python libraries nevertheless refuse an "iat" in the future, with no
# leeway by default. A sender that writes the true moment of an event with a clock slightly ahead loses events
# at one receiver and not at another.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund jose@6.2.18
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'PyJWT==2.15.1' 'joserfc==1.8.0'
cat >try.mjs <<'END'
import * as jose from 'jose';
import { writeFileSync } from 'node:fs';
const key = new TextEncoder().encode('k'.repeat(32));
const token = await new jose.SignJWT({ iss: 'https://scim.example.com', jti: '1', sub_id: { format: 'scim', uri: '/Users/1' }, events: {} })
  .setIssuedAt(Math.floor(Date.now() / 1000) + 60).setProtectedHeader({ alg: 'HS256', typ: 'secevent+jwt' }).sign(key);
writeFileSync('token', token);
await jose.jwtVerify(token, key, { typ: 'secevent+jwt' });
console.log('jose takes it');
END
cat >try.py <<'END'
import jwt
from joserfc import jwk, jwt as other
from joserfc.errors import JoseError
token, key = open("token").read(), "k" * 32
try:
    jwt.decode(token, key, ["HS256"])
    print("PyJWT takes it")
except jwt.PyJWTError as error:
    print("PyJWT refuses it:", type(error).__name__)
try:
    other.JWTClaimsRegistry().validate(other.decode(token, jwk.OctKey.import_key(key)).claims)
    print("joserfc takes it")
except JoseError as error:
    print("joserfc refuses it:", error.description)
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
jose takes it
PyJWT refuses it: ImmatureSignatureError
joserfc refuses it: The token was issued in the future
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
