#!/usr/bin/env bash
# scimmy 1.3.5 (npm) negates each condition inside not (…) by itself and leaves "and" and "or" as they are.
# RFC 7644, section 3.4.2.2, negates the whole group, so that "and" would have to become "or" and the other way
# round (De Morgan). The library stores filters as lists of alternatives and writes "not" at every condition
# without exchanging the two. "Not both" then means "neither", and "neither" means "not both": a filter that is
# to leave people out selects the wrong ones, without an error. scim2-parse-filter 0.2.10 (npm) gets it right. Who
# asks providers of several kinds writes the group out, with "ne" in the place of "eq".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scimmy@1.3.5 scim2-parse-filter@0.2.10
cat >try.mjs <<'END'
import SCIMMY from 'scimmy';
import parser from 'scim2-parse-filter';
const users = [{ userName: 'both', title: 'Clerk', active: true }, { userName: 'one', title: 'Clerk', active: false },
  { userName: 'none', title: 'Smith', active: false }];
const names = (found) => found.map((user) => user.userName).join(' ');
for (const text of ['not (title eq "Clerk" and active eq true)', 'not (title eq "Clerk" or active eq true)']) {
  console.log(text);
  console.log('  scim2-parse-filter finds:', names(users.filter(parser.filter(parser.parse(text)))));
  console.log('  scimmy finds:', names(new SCIMMY.Types.Filter(text).match(users)));
  console.log('  scimmy reads:', JSON.stringify([...new SCIMMY.Types.Filter(text)]));
}
END
node try.mjs >seen
cat >expected <<'END'
not (title eq "Clerk" and active eq true)
  scim2-parse-filter finds: one none
  scimmy finds: none
  scimmy reads: [{"title":["not","eq","Clerk"],"active":["not","eq",true]}]
not (title eq "Clerk" or active eq true)
  scim2-parse-filter finds: none
  scimmy finds: one none
  scimmy reads: [{"title":["not","eq","Clerk"]},{"active":["not","eq",true]}]
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
