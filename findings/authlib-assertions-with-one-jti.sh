#!/usr/bin/env bash
# Authlib 1.9.10 (PyPI): a client that signs its own assertions and adds a claim to them sends the same jti every
# time.
# OpenID Connect Core, section 9, has each assertion used once, RFC 7523, section 3, lets a server remember the
# jti to see to it, and without extra claims the library draws a new one for each. With PrivateKeyJWT(claims=…),
# which adds what a provider asks for or names the issuer as the audience, it writes the first jti into the
# caller's dictionary and finds it there the next time. A server that remembers issues the first token and
# refuses the next as a replay, so a provider should say in its refusal that the jti was seen before. A new
# PrivateKeyJWT for each token helps the client only if its dictionary is a new one too.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'Authlib==1.9.10' 'joserfc==1.8.0' 'requests==2.34.2' 'PyJWT==2.15.1'
cat >try.py <<'END'
from urllib.parse import parse_qs
import jwt, requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey
seen = []
class Server(requests.adapters.BaseAdapter):
    def send(self, request, **_):
        assertion = parse_qs(request.body)["client_assertion"][0]
        seen.append(jwt.decode(assertion, options={"verify_signature": False}))
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 200, request, request.url
        answer._content = b'{"access_token":"t","token_type":"bearer","expires_in":3600}'
        return answer
    def close(self): pass
key, endpoint, issuer = ECKey.generate_key("P-256"), "https://as.example.com/token", "https://as.example.com"
def three_tokens(name, *methods):
    seen.clear()
    for method in methods:
        session = OAuth2Session("c", key, token_endpoint_auth_method=method)
        session.mount("https://", Server())
        session.fetch_token(endpoint, grant_type="client_credentials")
    print(name, "audience:", {claims["aud"] for claims in seen}, "assertions:", len(seen), "different jti:", len({claims["jti"] for claims in seen}))
three_tokens("no claims", *[PrivateKeyJWT(endpoint, alg="ES256")] * 3)
three_tokens("one dictionary", *[PrivateKeyJWT(endpoint, claims={"aud": issuer}, alg="ES256")] * 3)
claims = {"aud": issuer}
three_tokens("one dictionary, new methods", *(PrivateKeyJWT(endpoint, claims=claims, alg="ES256") for _ in range(3)))
three_tokens("new dictionaries", *(PrivateKeyJWT(endpoint, claims={"aud": issuer}, alg="ES256") for _ in range(3)))
END
venv/bin/python try.py 2>/dev/null >seen
cat >expected <<'END'
no claims audience: {'https://as.example.com/token'} assertions: 3 different jti: 3
one dictionary audience: {'https://as.example.com'} assertions: 3 different jti: 1
one dictionary, new methods audience: {'https://as.example.com'} assertions: 3 different jti: 1
new dictionaries audience: {'https://as.example.com'} assertions: 3 different jti: 3
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
