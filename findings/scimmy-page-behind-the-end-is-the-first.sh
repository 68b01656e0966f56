#!/usr/bin/env bash
# scimmy 1.3.5 (npm) answers with the first page again when a client asks for one behind the end, and calls it the page
# that was asked for.
# RFC 7644, section 3.4.2.4, has startIndex count from 1, and itemsPerPage is the number of resources in the answer. One
# would guess that startIndex=6 of five people gives no resources. It gives the first two, with "startIndex": 6; and
# itemsPerPage is always the count that was asked for, on a last page of one resource too. A client that pages until a
# page is empty sees everybody again, and one that adds itemsPerPage to startIndex is right only as long as it stops at
# totalResults: stop there, and trust the length of "Resources".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scimmy@1.3.5
cat >try.mjs <<'END'
import SCIMMY from 'scimmy';
const people = ['ann', 'bob', 'cat', 'dan', 'eve'].map((userName, at) => ({ id: String(at + 1), userName }));
SCIMMY.Resources.declare(SCIMMY.Resources.User).egress(() => people.map((person) => ({ ...person })));
for (const asked of [1, 3, 5, 6, 100]) {
  const page = await new SCIMMY.Resources.User({ startIndex: asked, count: 2 }).read();
  const { totalResults, startIndex, itemsPerPage, Resources } = page;
  const names = Resources.map(({ userName }) => userName).join(' ');
  console.log(`asked for ${asked}: startIndex ${startIndex}, itemsPerPage ${itemsPerPage} of ${totalResults}: ${names}`);
}
END
node try.mjs >seen
cat >expected <<'END'
asked for 1: startIndex 1, itemsPerPage 2 of 5: ann bob
asked for 3: startIndex 3, itemsPerPage 2 of 5: cat dan
asked for 5: startIndex 5, itemsPerPage 2 of 5: eve
asked for 6: startIndex 6, itemsPerPage 2 of 5: ann bob
asked for 100: startIndex 100, itemsPerPage 2 of 5: ann bob
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
