#!/usr/bin/env bash
# The same client id and secret arrive in two spellings, depending on the OAuth library.
# RFC 6749, section 2.3.1, has id and secret encoded as in a form before they are joined for HTTP Basic.
# oauth4webapi 3.8.8 (npm) does so, and more: it also encodes the hyphen, the underscore, the point and the
# tilde, which no form encoding touches. Authlib 1.9.10 and requests-oauthlib 2.0.0 (PyPI) encode nothing. A
# server that does not decode refuses the first, one that decodes misreads the others as soon as the secret
# holds a percent sign or a plus. Ids and secrets made of letters, digits and unreserved signs, decoded by the
# server, are read alike from all of them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund oauth4webapi@3.8.8
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'Authlib==1.9.10' 'requests-oauthlib==2.0.0' 'requests==2.34.2'
cat >try.mjs <<'END'
import http from 'node:http';
import * as oauth from 'oauth4webapi';
const server = http.createServer((request, response) => {
  console.log('oauth4webapi', Buffer.from(request.headers.authorization.slice(6), 'base64').toString());
  response.setHeader('content-type', 'application/json');
  response.end('{"access_token":"t","token_type":"bearer"}');
}).listen(0, '127.0.0.1', async () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  await oauth.clientCredentialsGrantRequest({ issuer, token_endpoint: `${issuer}/token` }, { client_id: 'client-1_a.b~c' },
    oauth.ClientSecretBasic('100% +'), {}, { [oauth.allowInsecureRequests]: true });
  server.close();
});
END
cat >try.py <<'END'
import base64, http.server, os, threading
from authlib.integrations.requests_client import OAuth2Session
from oauthlib.oauth2 import BackendApplicationClient
from requests_oauthlib import OAuth2Session as OtherSession
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        print(self.server.library, base64.b64decode(self.headers["authorization"].split()[1]).decode())
        answer = b'{"access_token":"t","token_type":"bearer"}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url, client, secret = f"http://127.0.0.1:{server.server_port}/token", "client-1_a.b~c", "100% +"
server.library = "Authlib"
OAuth2Session(client, secret, token_endpoint_auth_method="client_secret_basic").fetch_token(url, grant_type="client_credentials")
server.library = "requests-oauthlib"
OtherSession(client=BackendApplicationClient(client)).fetch_token(url, client_id=client, client_secret=secret)
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
oauth4webapi client%2D1%5Fa%2Eb%7Ec:100%25+%2B
Authlib client-1_a.b~c:100% +
requests-oauthlib client-1_a.b~c:100% +
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
