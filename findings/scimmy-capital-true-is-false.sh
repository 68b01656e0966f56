#!/usr/bin/env bash
# scimmy 1.3.5 (npm) reads the filter value True, with a capital letter, as false.
# The grammar of RFC 7644 is ABNF, whose literals ignore case (RFC 5234, section 2.3), so "active eq True" can
# be expected to mean true, or to be refused by a reader who holds on to JSON. It is taken without an error and
# means the opposite: the filter for active users lists the inactive ones.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scimmy@1.3.5
cat >try.mjs <<'END'
import SCIMMY from 'scimmy';
for (const value of ['true', 'True', 'false', 'False'])
  console.log(`active eq ${value}`, JSON.stringify([...new SCIMMY.Types.Filter(`active eq ${value}`)]));
END
node try.mjs >seen
cat >expected <<'END'
active eq true [{"active":["eq",true]}]
active eq True [{"active":["eq",false]}]
active eq false [{"active":["eq",false]}]
active eq False [{"active":["eq",false]}]
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
