#!/usr/bin/env bash
# scim2-filter-parser 0.7.0 (PyPI) reads no negative number and no decimal fraction in a filter.
# RFC 7644 takes the value from JSON (RFC 7159), where -1 and 1.5 are numbers. The lexer knows digits only and
# stops at the sign and at the point. Servers that are built on it (django-scim2 among them) answer such a
# filter on a declared integer or decimal attribute with an error.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim2-filter-parser==0.7.0'
cat >try.py <<'END'
from scim2_filter_parser.lexer import SCIMLexer
from scim2_filter_parser.parser import SCIMParser
for text in ("level eq 1", "level eq -1", "level eq 1.5"):
    try:
        SCIMParser().parse(SCIMLexer().tokenize(text))
        print(text, "is read")
    except ValueError as error:
        print(text, "is refused:", error)
END
venv/bin/python try.py >seen
cat >expected <<'END'
level eq 1 is read
level eq -1 is refused: Illegal character in filter query '-'
level eq 1.5 is refused: Illegal character in filter query '.'
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
