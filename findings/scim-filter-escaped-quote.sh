#!/usr/bin/env bash
# Three SCIM filter parsers read a quotation mark inside a filter value in three ways.
# RFC 7644, section 3.4.2.2, says that a value is a JSON string, so \" and \u0062 are valid in it. scim2-filter-
# parser 0.7.0 (PyPI) and scimmy 1.3.5 (npm) end the value at the escaped quotation mark and refuse the rest.
# scim2-parse-filter 0.2.10 (npm) takes the quotation mark, but it and scimmy leave \u0062 as six characters, so
# that a name which a client escaped is not found. A display name such as Bob "Bo" Doe can therefore not be
# looked up through the first two.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scim2-parse-filter@0.2.10 scimmy@1.3.5
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim2-filter-parser==0.7.0'
cat >try.mjs <<'END'
import parser from 'scim2-parse-filter';
import SCIMMY from 'scimmy';
const attempt = (name, act) => { try { console.log(name, JSON.stringify(act())); } catch (error) { console.log(name, 'refuses:', error.message); } };
for (const text of [String.raw`displayName eq "a\"b"`, String.raw`displayName eq "a\u0062"`]) {
  console.log(text);
  attempt('  scim2-parse-filter', () => parser.parse(text).compValue);
  attempt('  scimmy', () => [...new SCIMMY.Types.Filter(text)]);
}
END
cat >try.py <<'END'
from scim2_filter_parser.lexer import SCIMLexer
from scim2_filter_parser.parser import SCIMParser, SCIMParserError
text = r'displayName eq "a\"b"'
try:
    print("  scim2-filter-parser", SCIMParser().parse(SCIMLexer().tokenize(text)))
except SCIMParserError:
    print("  scim2-filter-parser refuses:", text)
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
displayName eq "a\"b"
  scim2-parse-filter "a\"b"
  scimmy refuses: Unexpected token 'b"' in filter
displayName eq "a\u0062"
  scim2-parse-filter "a\\u0062"
  scimmy [{"displayName":["eq","a\\u0062"]}]
  scim2-filter-parser refuses: displayName eq "a\"b"
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
