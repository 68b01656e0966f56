#!/usr/bin/env bash
# A filter that names its attribute in full, with the URN of the schema, finds nobody or is refused in three
# filter libraries of npm.
# RFC 7644, section 3.10, lets every attribute be written in full, those of the core schema too, and requires it
# for those of an extension; Microsoft Entra ID does so where it is told to match people by one. One would guess
# that the libraries support both. scimmy 1.3.5 takes both without an error and finds nobody. scim2-parse-filter
# 0.2.10 finds the extension's attribute, and nobody by the core attribute, because it looks for the URN as a
# key of the resource. scim-query-filter-parser 2.0.4 refuses both. A lookup that finds nobody makes an identity
# provider create the person a second time.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scimmy@1.3.5 scim2-parse-filter@0.2.10 scim-query-filter-parser@2.0.4
cat >try.mjs <<'END'
import SCIMMY from 'scimmy';
import parser from 'scim2-parse-filter';
import other from 'scim-query-filter-parser';
const core = 'urn:ietf:params:scim:schemas:core:2.0:User', enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const users = [{ schemas: [core, enterprise], userName: 'jane', [enterprise]: { employeeNumber: '7' } }];
const attempt = (name, act) => { try { console.log(name, 'finds', act().length); } catch (error) { console.log(name, 'refuses:', error.message); } };
for (const text of ['userName eq "jane"', `${core}:userName eq "jane"`, `${enterprise}:employeeNumber eq "7"`]) {
  console.log(text);
  attempt('  scimmy', () => new SCIMMY.Types.Filter(text).match(users));
  attempt('  scim2-parse-filter', () => users.filter(parser.filter(parser.parse(text))));
  attempt('  scim-query-filter-parser', () => users.filter(other.compileFilter(text)));
}
END
node try.mjs >seen
cat >expected <<'END'
userName eq "jane"
  scimmy finds 1
  scim2-parse-filter finds 1
  scim-query-filter-parser finds 1
urn:ietf:params:scim:schemas:core:2.0:User:userName eq "jane"
  scimmy finds 0
  scim2-parse-filter finds 0
  scim-query-filter-parser refuses: Failed to parse!
urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "7"
  scimmy finds 0
  scim2-parse-filter finds 1
  scim-query-filter-parser refuses: Failed to parse!
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
