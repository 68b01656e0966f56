#!/usr/bin/env bash
# Microsoft Entra ID's lookup of a person by the work address is refused by four of seven filter libraries, and finds
# somebody else in a fifth.
# Where an administrator matches people by the work address, Entra asks with emails[type eq "work"].value eq "…": the
# path of a PATCH, used as an attribute of a filter, for which the grammar of RFC 7644, section 3.4.2.2, has no rule.
# One would guess that libraries for SCIM know the form of the largest identity provider. scimmy 1.3.5 (npm) and
# scim2-models 0.12.3 (PyPI) do. scim2-parse-filter 0.2.10 (npm) makes two conditions of it that needn't be true of the
# same address, and finds whoever has the address at home and another one at work as well. scim-query-filter-parser
# 2.0.4 and scim2-filter 0.2.0 (npm) refuse it, and so do scim_v2 1.0.0 and scim-filter 0.2.3 (crates.io). A provider
# that builds on one of the five should read the form by itself and compare type and value of each single address; who
# sets up Entra can match by the user name.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scimmy@1.3.5 scim2-parse-filter@0.2.10 scim-query-filter-parser@2.0.4 scim2-filter@0.2.0
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim2-models==0.12.3'
cat >people.json <<'END'
[{"userName": "at-work", "emails": [{"type": "work", "value": "jane@example.com"}]},
 {"userName": "at-home", "emails": [{"type": "home", "value": "jane@example.com"}, {"type": "work", "value": "joe@example.com"}]}]
END
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import SCIMMY from 'scimmy';
import parser from 'scim2-parse-filter';
import query from 'scim-query-filter-parser';
import first from 'scim2-filter';
const people = JSON.parse(readFileSync('people.json')), asked = 'emails[type eq "work"].value eq "jane@example.com"';
const attempt = (name, act) => {
  try { console.log(name, 'finds', act().map((person) => person.userName).join(' and ')); }
  catch (error) { console.log(name, 'refuses:', error.message); }
};
attempt('scimmy', () => new SCIMMY.Types.Filter(asked).match(people));
attempt('scim2-parse-filter', () => people.filter(parser.filter(parser.parse(asked))));
attempt('scim-query-filter-parser', () => people.filter(query.compileFilter(asked)));
attempt('scim2-filter', () => people.filter(first.filter(first.parse(asked))));
END
cat >try.py <<'END'
import json
from scim2_models import ScimFilter, User
asked = ScimFilter[User]('emails[type eq "work"].value eq "jane@example.com"')
people = map(User.model_validate, json.load(open("people.json")))
print("scim2-models finds", " and ".join(person.user_name for person in people if asked.match(person)))
END
mkdir src
cat >Cargo.toml <<'END'
[package]
name = "seen"
version = "0.0.0"
edition = "2021"
[profile.dev]
debug = false
[dependencies]
scim_v2 = "=1.0.0"
scim-filter = "=0.2.3"
serde_json = "1"
END
cat >src/main.rs <<'END'
fn tell(name: &str, result: Result<String, String>) {
    match result {
        Ok(found) => println!("{name} finds {found}"),
        Err(error) => println!("{name} refuses: {}", error.lines().next().unwrap_or_default()),
    }
}

fn main() {
    let people: Vec<serde_json::Value> = serde_json::from_str(include_str!("../people.json")).expect("JSON");
    let asked = r#"emails[type eq "work"].value eq "jane@example.com""#;
    tell("scim_v2", asked.parse::<scim_v2::filter::Filter>().map(|filter| filter.to_string()).map_err(|error| error.to_string()));
    let found = scim_filter::scim_filter(asked, people).map_err(|error| error.to_string());
    tell("scim-filter", found.map(|found| found.iter().map(|person| person["userName"].to_string()).collect()));
}
END
node try.mjs >seen
venv/bin/python try.py >>seen
cargo run --quiet >>seen
cat >expected <<'END'
scimmy finds at-work
scim2-parse-filter finds at-work and at-home
scim-query-filter-parser refuses: Failed to parse!
scim2-filter refuses: unexpected token .value eq "jane@example.com"
scim2-models finds at-work
scim_v2 refuses: Unrecognized token `.` found at 22:23
scim-filter refuses: the filter has a wrong format, after parsing the input "emails[type eq "work"].value eq "jane@example.com"", the part ".value eq "jane@example.com"" remains
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
