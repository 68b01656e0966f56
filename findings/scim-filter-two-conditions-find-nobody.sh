#!/usr/bin/env bash
# scim2-filter 0.2.0 (npm) finds nobody as soon as a filter has "and" or "or" in it, and takes "ge" for "le".
# The library reads a filter and tests people with it, and the parser that many use instead, scim2-parse-filter 0.2.10
# (npm), is by its own words a copy with errors mended. One would guess that what was mended are rare cases. But the
# original tests the conditions of "and" and "or" on the filter in the place of the person, so that they are never
# met: a lookup by user name and state finds nobody, and "not" of two conditions finds everybody. Inside brackets it
# is the same. "ge" and "le" are exchanged. Nothing is reported, the tree that parse() gives is right, and single
# conditions work, so that Okta's and Entra's lookups by user name hide it: an identity provider that asks for more
# creates people again. Who is served by such a provider should ask with one condition at a time.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scim2-filter@0.2.0 scim2-parse-filter@0.2.10
cat >try.mjs <<'END'
import original from 'scim2-filter';
import copy from 'scim2-parse-filter';
const users = [{ userName: 'jane', active: true, floor: 2, emails: [{ type: 'work', value: 'jane@example.com' }] }, { userName: 'joe', active: false, floor: 7 }];
for (const text of ['userName eq "jane"', 'userName eq "jane" and active eq true', 'userName eq "jane" or userName eq "joe"', 'not (userName eq "jane")',
  'not (userName eq "jane" and active eq true)', 'emails[type eq "work"]', 'emails[type eq "work" and value sw "jane"]', 'floor ge 5', 'floor le 5']) {
  const found = [original, copy].map(({ filter, parse }) => users.filter(filter(parse(text))).map(({ userName }) => userName).join(' ') || 'nobody');
  console.log(`${text}: scim2-filter finds ${found[0]}, scim2-parse-filter ${found[1]}`);
}
console.log(JSON.stringify(original.parse('userName eq "jane" and active eq true')));
END
node try.mjs >seen
cat >expected <<'END'
userName eq "jane": scim2-filter finds jane, scim2-parse-filter jane
userName eq "jane" and active eq true: scim2-filter finds nobody, scim2-parse-filter jane
userName eq "jane" or userName eq "joe": scim2-filter finds nobody, scim2-parse-filter jane joe
not (userName eq "jane"): scim2-filter finds joe, scim2-parse-filter joe
not (userName eq "jane" and active eq true): scim2-filter finds jane joe, scim2-parse-filter joe
emails[type eq "work"]: scim2-filter finds jane, scim2-parse-filter jane
emails[type eq "work" and value sw "jane"]: scim2-filter finds nobody, scim2-parse-filter jane
floor ge 5: scim2-filter finds jane, scim2-parse-filter joe
floor le 5: scim2-filter finds joe, scim2-parse-filter jane
{"op":"and","filters":[{"op":"eq","attrPath":"userName","compValue":"jane"},{"op":"eq","attrPath":"active","compValue":true}]}
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
