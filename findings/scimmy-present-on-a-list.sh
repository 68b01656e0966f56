#!/usr/bin/env bash
# scimmy 1.3.5 (npm): the filter "emails pr" fails with a TypeError as soon as one resource has a list of
# emails, whether it is empty or not.
# RFC 7644, section 3.4.2.2, defines "pr" for multi-valued attributes too: a list with a value matches, and RFC
# 7643, section 2.5, makes an empty list the same as no value. Only resources without the attribute are decided;
# the error ends the whole query, not the one match. "emails.value pr" is what can be asked instead.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund scimmy@1.3.5
cat >try.mjs <<'END'
import SCIMMY from 'scimmy';
for (const text of ['emails pr', 'emails.value pr']) {
const filter = new SCIMMY.Types.Filter(text);
for (const users of [[{ emails: [{ value: 'a@example.com' }] }], [{ emails: [] }], [{}]])
  try { console.log(text, JSON.stringify(users), 'matches', filter.match(users).length); }
  catch (error) { console.log(text, JSON.stringify(users), error.constructor.name); }
}
END
node try.mjs >seen
cat >expected <<'END'
emails pr [{"emails":[{"value":"a@example.com"}]}] TypeError
emails pr [{"emails":[]}] TypeError
emails pr [{}] matches 0
emails.value pr [{"emails":[{"value":"a@example.com"}]}] matches 1
emails.value pr [{"emails":[]}] matches 0
emails.value pr [{}] TypeError
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
