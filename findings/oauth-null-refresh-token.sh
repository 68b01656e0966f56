#!/usr/bin/env bash
# oauth4webapi 3.8.8 (npm) refuses a token answer in which refresh_token is null, but takes a lifetime that is a
# string.
# A server that serializes an absent value as null (client credentials issue no refresh token, RFC 6749, section
# 4.4.3) fails with this client, on which openid-client is built: it treats the whole answer as invalid and
# discards the access token in it. "expires_in" as a string, which RFC 6749, section 5.1, does not have either,
# is silently made a number.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund oauth4webapi@3.8.8
cat >try.mjs <<'END'
import * as oauth from 'oauth4webapi';
const server = { issuer: 'https://as.example.com' };
for (const answer of [{ expires_in: 3600 }, { expires_in: '3600' }, { refresh_token: null }]) {
  const body = JSON.stringify({ access_token: 't', token_type: 'Bearer', ...answer });
  const response = new Response(body, { headers: { 'content-type': 'application/json' } });
  try { console.log(body, '=> taken', JSON.stringify(await oauth.processClientCredentialsResponse(server, { client_id: 'c' }, response))); }
  catch (error) { console.log(body, '=> refused:', error.message); }
}
END
node try.mjs >seen
cat >expected <<'END'
{"access_token":"t","token_type":"Bearer","expires_in":3600} => taken {"access_token":"t","token_type":"bearer","expires_in":3600}
{"access_token":"t","token_type":"Bearer","expires_in":"3600"} => taken {"access_token":"t","token_type":"bearer","expires_in":3600}
{"access_token":"t","token_type":"Bearer","refresh_token":null} => refused: "response" body "refresh_token" property must be a string
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
