#!/usr/bin/env bash
# Who prefers traditional Chinese gets simplified, and who prefers Serbian in Latin letters gets Cyrillic, from
# accept-language-parser 1.5.0 (npm), if it is told to be lenient, and nothing otherwise.
# RFC 7643, section 4.1.1, has a user's preferredLanguage written as in Accept-Language, with tags such as zh-Hant-TW and
# de-CH, and whoever shows that user a page or sends a mail picks one of the languages that there are. One would guess
# that zh-Hant-TW picks zh-Hant, as lookup does in RFC 4647, section 3.4, by taking the last part off. By itself the
# library wants the tags to be equal, so that de-CH finds no de; with "loose" it looks at the language alone and takes
# the first. Of zh-Hant it makes a region "Hant". en_GB, with the underscore that Google and Java have, is English with a
# second language "GB" to it. negotiator 1.0.0 (npm) knows de-CH and de, and nothing for a tag with a script.
# @formatjs/intl-localematcher 0.10.1 (npm) is right in all four. A provider should hand on the tag as it was sent, and a
# receiver take the parts off one by one before it asks one of the first two.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund accept-language-parser@1.5.0 negotiator@1.0.0 @formatjs/intl-localematcher@0.10.1
cat >try.mjs <<'END'
import parser from 'accept-language-parser';
import Negotiator from 'negotiator';
import { match } from '@formatjs/intl-localematcher';
for (const [preferred, ...there] of [['zh-Hant-TW', 'zh-Hans', 'zh-Hant'], ['zh-Hant', 'zh-Hans-CN', 'zh-Hant-TW'], ['sr-Latn-RS', 'sr-Cyrl', 'sr-Latn'], ['de-CH', 'en', 'de']]) {
  console.log(preferred, 'of', there.join(' and '));
  console.log('  accept-language-parser:', parser.pick(there, preferred), 'or, if loose,', parser.pick(there, preferred, { loose: true }));
  console.log('  negotiator:', new Negotiator({ headers: { 'accept-language': preferred } }).language(there));
  console.log('  intl-localematcher:', match([preferred], there, 'und'));
}
console.log(JSON.stringify(parser.parse('zh-Hant, en_GB')));
END
node try.mjs >seen
cat >expected <<'END'
zh-Hant-TW of zh-Hans and zh-Hant
  accept-language-parser: null or, if loose, zh-Hans
  negotiator: undefined
  intl-localematcher: zh-Hant
zh-Hant of zh-Hans-CN and zh-Hant-TW
  accept-language-parser: null or, if loose, zh-Hans-CN
  negotiator: undefined
  intl-localematcher: zh-Hant-TW
sr-Latn-RS of sr-Cyrl and sr-Latn
  accept-language-parser: null or, if loose, sr-Cyrl
  negotiator: undefined
  intl-localematcher: sr-Latn
de-CH of en and de
  accept-language-parser: null or, if loose, de
  negotiator: de
  intl-localematcher: de
[{"code":"zh","script":null,"region":"Hant","quality":1},{"code":"en","script":null,"quality":1},{"code":"GB","script":null,"quality":1}]
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
