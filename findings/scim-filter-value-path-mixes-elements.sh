#!/usr/bin/env bash
# scim2-parse-filter 0.2.10 (npm): a value path matches a resource although no single element fulfils it.
# RFC 7644, section 3.4.2.2, applies the filter in brackets to one element at a time. A user whose work address
# is one and whose home address is another must not match "work and the home address". The parser's own filter()
# tests each condition against all elements separately, so the user matches. A client that looks people up this
# way finds the wrong person.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scim2-parse-filter@0.2.10
cat >try.mjs <<'END'
import parser from 'scim2-parse-filter';
const user = { emails: [{ type: 'work', value: 'a@example.com' }, { type: 'home', value: 'b@example.com' }] };
const matches = (text) => [user].filter(parser.filter(parser.parse(text))).length === 1;
console.log('one element fulfils both:', matches('emails[type eq "work" and value eq "a@example.com"]'));
console.log('two elements, one condition each:', matches('emails[type eq "work" and value eq "b@example.com"]'));
END
node try.mjs >seen
cat >expected <<'END'
one element fulfils both: true
two elements, one condition each: true
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
