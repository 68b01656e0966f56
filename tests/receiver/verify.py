"""Verifies Security Event Tokens as a receiver does, by a library that others wrote.

It gets the URL of a key set, the audience and the issuer as arguments, and on standard input a JSON object of tokens by their
ids. It prints their claims as a JSON list, in the same order.
"""

import json
import sys

import jwt

jwks_url, audience, issuer = sys.argv[1:]
keys = jwt.PyJWKClient(jwks_url)
claims = []
for jti, token in json.load(sys.stdin).items():
    header = jwt.get_unverified_header(token)
    assert header["typ"] == "secevent+jwt", header
    key = keys.get_signing_key_from_jwt(token)
    required = {"require": ["iss", "iat", "jti", "aud"]}
    told = jwt.decode(token, key.key, algorithms=["ES256"], audience=audience, issuer=issuer, options=required)
    assert told["jti"] == jti, told
    for others in (["none"], ["HS256"], ["RS256"]):
        try:
            jwt.decode(token, key.key, algorithms=others, audience=audience)
        except jwt.InvalidTokenError:
            continue
        raise AssertionError(f"taken as {others}")
    claims.append(told)
print(json.dumps(claims))
