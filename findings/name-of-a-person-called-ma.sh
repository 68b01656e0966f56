#!/usr/bin/env bash
# Jane Ma has no family name for humanparser 2.7.0 (npm), Della Doe no given name for parse-full-name 1.2.7 (npm), and
# Prince Doe is a prince whose given name is Doe for nameparser 2.6.0 (PyPI).
# SCIM has a name in parts (RFC 7643, section 4.1.1), a source such as a form or a mailbox only the whole, and applications
# that get no familyName often refuse the person. One would guess that a library which takes names apart errs with long
# ones, and takes two words for a given and a family name. Each has lists of titles, suffixes and particles and looks
# into them first: humanparser takes Ma, one of the commonest family names there are, for the degree, and the initial
# that people in South India have in its place for a number, parse-full-name takes a given name such as Della or Van for
# a particle, and nameparser Prince for a title. What one of them gets wrong the others mostly get right. A sync should
# send displayName alone where it knows no more, and a provider not want a family name.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund humanparser@2.7.0 parse-full-name@1.2.7
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'nameparser==2.6.0'
echo '["Jane Doe", "Jane Ma", "Ravi V", "Della Doe", "Van Doe", "Prince Doe", "King Doe", "Maria do Carmo"]' >names.json
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import human from 'humanparser';
import full from 'parse-full-name';
const tell = (library, name, title, given, middle, family, suffix) => console.log(`${library}: ${name} =>`, Object.entries({ title, given, middle, family, suffix })
  .filter(([, value]) => value).map(([part, value]) => `${part} ${value}`).join(', '));
for (const name of JSON.parse(readFileSync('names.json'))) {
  const first = human.parseName(name), second = full.parseFullName(name);
  tell('humanparser', name, first.salutation, first.firstName, first.middleName, first.lastName, first.suffix);
  tell('parse-full-name', name, second.title, second.first, second.middle, second.last, second.suffix);
}
END
cat >try.py <<'END'
import json
from nameparser import HumanName
for name in json.load(open("names.json")):
    read = HumanName(name)
    parts = {"title": read.title, "given": read.first, "middle": read.middle, "family": read.last, "suffix": read.suffix}
    print(f"nameparser: {name} =>", ", ".join(f"{part} {value}" for part, value in parts.items() if value))
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
humanparser: Jane Doe => given Jane, family Doe
parse-full-name: Jane Doe => given Jane, family Doe
humanparser: Jane Ma => given Jane, suffix Ma
parse-full-name: Jane Ma => given Jane, family Ma
humanparser: Ravi V => given Ravi, suffix V
parse-full-name: Ravi V => given Ravi, family V
humanparser: Della Doe => given Della, family Doe
parse-full-name: Della Doe => family Della Doe
humanparser: Van Doe => given Van, family Doe
parse-full-name: Van Doe => family Van Doe
humanparser: Prince Doe => given Prince, family Doe
parse-full-name: Prince Doe => given Prince, family Doe
humanparser: King Doe => given King, family Doe
parse-full-name: King Doe => given King, family Doe
humanparser: Maria do Carmo => given Maria, middle do, family Carmo
parse-full-name: Maria do Carmo => given Maria, middle do, family Carmo
nameparser: Jane Doe => given Jane, family Doe
nameparser: Jane Ma => given Jane, family Ma
nameparser: Ravi V => given Ravi, family V
nameparser: Della Doe => given Della, family Doe
nameparser: Van Doe => given Van, family Doe
nameparser: Prince Doe => title Prince, given Doe
nameparser: King Doe => title King, given Doe
nameparser: Maria do Carmo => given Maria, family do Carmo
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
