#!/usr/bin/env bash
# scimmy 1.3.5 (npm) refuses a filter with parentheses inside parentheses.
# RFC 7644, section 3.4.2.2, allows groups in groups. One level is read, the second is refused with an error
# about the token ")", although the parentheses are balanced.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scimmy@1.3.5
cat >try.mjs <<'END'
import SCIMMY from 'scimmy';
for (const text of ['a eq "1" or (b eq "2" and c eq "3")', 'a eq "1" or (b eq "2" and (c eq "3" or d eq "4"))'])
  try { console.log(text, '=>', JSON.stringify([...new SCIMMY.Types.Filter(text)])); }
  catch (error) { console.log(text, '=> refused:', error.message); }
END
node try.mjs >seen
cat >expected <<'END'
a eq "1" or (b eq "2" and c eq "3") => [{"a":["eq","1"]},{"b":["eq","2"],"c":["eq","3"]}]
a eq "1" or (b eq "2" and (c eq "3" or d eq "4")) => refused: Unexpected token ')' in filter
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
