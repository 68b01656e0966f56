#!/usr/bin/env bash
# oauth4webapi 3.8.8 (npm) does not read the error of a token endpoint that answers 401 as RFC 6749 wants it.
# Section 5.2 has a server answer 401 with WWW-Authenticate when a client has authenticated by HTTP Basic, and the
# body says "invalid_client". One would guess that the client then tells of that code, as it does for 400. It
# stops at the header and throws a challenge error without the code and the description; the body is left
# unread in its "response". Authlib 1.9.10 (PyPI) reads the body of the same answer. What a provider writes into
# error_description for a wrong or expired secret is therefore not seen by whoever looks at the error alone; the
# realm of the challenge is.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund oauth4webapi@3.8.8
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'Authlib==1.9.10' 'requests==2.34.2'
cat >try.mjs <<'END'
import * as oauth from 'oauth4webapi';
const body = JSON.stringify({ error: 'invalid_client', error_description: 'The secret has expired' });
for (const [status, challenge] of [[400], [401], [401, 'Basic realm="scim"']]) {
  const headers = { 'content-type': 'application/json', ...(challenge && { 'www-authenticate': challenge }) };
  const response = new Response(body, { status, headers });
  try { await oauth.processClientCredentialsResponse({ issuer: 'https://as.example.com' }, { client_id: 'c' }, response); }
  catch (error) {
    console.log('oauth4webapi', status, challenge ?? '', error.constructor.name, error.error, error.error_description, JSON.stringify(error.cause));
    console.log('  body read:', response.bodyUsed);
  }
}
END
cat >try.py <<'END'
import requests
from authlib.integrations.requests_client import OAuth2Session, OAuthError
class Server(requests.adapters.BaseAdapter):
    def send(self, request, **_):
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 401, request, request.url
        answer.headers["www-authenticate"] = 'Basic realm="scim"'
        answer._content = b'{"error":"invalid_client","error_description":"The secret has expired"}'
        return answer
    def close(self): pass
session = OAuth2Session("c", "s")
session.mount("https://", Server())
try:
    session.fetch_token("https://as.example.com/token", grant_type="client_credentials")
except OAuthError as error:
    print("Authlib 401 with a challenge", error.error, error.description)
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
oauth4webapi 400  ResponseBodyError invalid_client The secret has expired {"error":"invalid_client","error_description":"The secret has expired"}
  body read: true
oauth4webapi 401  ResponseBodyError invalid_client The secret has expired {"error":"invalid_client","error_description":"The secret has expired"}
  body read: true
oauth4webapi 401 Basic realm="scim" WWWAuthenticateChallengeError undefined undefined [{"scheme":"basic","parameters":{"realm":"scim"}}]
  body read: false
Authlib 401 with a challenge invalid_client The secret has expired
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
