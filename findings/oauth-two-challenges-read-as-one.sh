#!/usr/bin/env bash
# Three of four parsers of WWW-Authenticate make one challenge of two, and two of them can't read "Bearer" alone.
# RFC 9110, section 11.6.1, lets a server that takes tokens and passwords write both challenges into one field, and
# warns that a parser has to take care; section 11.3 lets a challenge be the scheme alone (for Bearer, RFC 6750, section
# 3, wants a parameter). One would guess that a library which exists to parse this field finds two schemes in it.
# www-authenticate 0.6.3 (npm) and Werkzeug 3.1.9 (PyPI) find Bearer with a parameter that is called "Basic realm".
# auth-header 1.0.0 (npm) finds Bearer with two realms and with the token "Basic". Where Basic comes first, a client of
# SCIM doesn't see that tokens are taken. www-authenticate 0.9.2 (PyPI) finds both. For "Bearer" alone the two of npm
# fail. A provider should send each challenge in a field of its own, with a realm, and for a token endpoint only the
# scheme that it wants.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund auth-header@1.0.0 www-authenticate@0.6.3
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'Werkzeug==3.1.9' 'www-authenticate==0.9.2'
cat >fields.json <<'END'
["Bearer realm=\"SCIM\", error=\"invalid_token\"", "Bearer realm=\"SCIM\", error=\"invalid_token\", Basic realm=\"SCIM\"", "Basic realm=\"SCIM\", Bearer realm=\"SCIM\"", "Bearer"]
END
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import { parse } from 'auth-header';
import library from 'www-authenticate';
const parsers = { 'auth-header': (field) => parse(field), 'www-authenticate': (field) => new library.parsers.WWW_Authenticate(field) };
for (const field of JSON.parse(readFileSync('fields.json'))) {
  console.log(field);
  for (const [name, read] of Object.entries(parsers))
    try {
      const { scheme, params, parms, token } = read(field);
      console.log(`  npm ${name}:`, scheme, JSON.stringify(params ?? parms), token ?? '');
    } catch (error) { console.log(`  npm ${name} fails:`, error.constructor.name); }
}
END
cat >try.py <<'END'
import json
import www_authenticate
from werkzeug.datastructures import WWWAuthenticate
for field in json.load(open("fields.json")):
    read = WWWAuthenticate.from_header(field)
    print(field)
    print("  Werkzeug:", read.type, dict(read.parameters))
    print("  PyPI www-authenticate:", *(f"{scheme} {dict(parameters or {})}" for scheme, parameters in www_authenticate.parse(field).items()))
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
Bearer realm="SCIM", error="invalid_token"
  npm auth-header: Bearer {"realm":"SCIM","error":"invalid_token"} 
  npm www-authenticate: Bearer {"realm":"SCIM","error":"invalid_token"} 
Bearer realm="SCIM", error="invalid_token", Basic realm="SCIM"
  npm auth-header: Bearer {"realm":["SCIM","SCIM"],"error":"invalid_token"} Basic
  npm www-authenticate: Bearer {"realm":"SCIM","error":"invalid_token","Basic realm":"SCIM"} 
Basic realm="SCIM", Bearer realm="SCIM"
  npm auth-header: Basic {"realm":["SCIM","SCIM"]} Bearer
  npm www-authenticate: Basic {"realm":"SCIM","Bearer realm":"SCIM"} 
Bearer
  npm auth-header fails: TypeError
  npm www-authenticate fails: TypeError
Bearer realm="SCIM", error="invalid_token"
  Werkzeug: bearer {'realm': 'SCIM', 'error': 'invalid_token'}
  PyPI www-authenticate: bearer {'realm': 'SCIM', 'error': 'invalid_token'}
Bearer realm="SCIM", error="invalid_token", Basic realm="SCIM"
  Werkzeug: bearer {'realm': 'SCIM', 'error': 'invalid_token', 'Basic realm': 'SCIM'}
  PyPI www-authenticate: bearer {'realm': 'SCIM', 'error': 'invalid_token'} basic {'realm': 'SCIM'}
Basic realm="SCIM", Bearer realm="SCIM"
  Werkzeug: basic {'realm': 'SCIM', 'Bearer realm': 'SCIM'}
  PyPI www-authenticate: basic {'realm': 'SCIM'} bearer {'realm': 'SCIM'}
Bearer
  Werkzeug: bearer {}
  PyPI www-authenticate: bearer {}
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
