#!/usr/bin/env bash
# A person in Kyiv has no time zone for Windows with windows-iana 5.1.0 (npm), and lives in Kiev after a way back with
# tzlocal 5.4.5 (PyPI).
# A SCIM user has a name of the time zone database (RFC 7643, section 4.1.1); Exchange and Microsoft Graph have names of
# their own, such as "FLE Standard Time", and CLDR has the table between them. Europe/Kyiv is a zone's name since 2022,
# and Europe/Kiev one that only old data have. One would guess that a package for just this task knows the current name,
# as it knows Asia/Kolkata and America/Nuuk beside their old ones. windows-iana gives an empty list for it, as for
# America/Ciudad_Juarez, America/Coyhaique and Pacific/Kanton. tzlocal has a Windows name for all of these, but on the
# way back both give the old ones, Europe/Kiev and Asia/Calcutta, so that a sync that compares the value finds a change
# every time. A sync should keep the name that it was given, and compare Windows names.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund windows-iana@5.1.0
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'tzlocal==5.4.5'
cat >try.mjs <<'END'
import { findIana, findWindows } from 'windows-iana';
for (const zone of ['Europe/Kyiv', 'Europe/Kiev', 'Asia/Kolkata', 'America/Nuuk', 'America/Ciudad_Juarez', 'America/Coyhaique', 'Pacific/Kanton']) {
  const [name] = findWindows(zone);
  console.log('windows-iana:', zone, 'is', name ?? 'nothing', 'is', name ? findIana(name)[0] : 'nothing');
}
END
cat >try.py <<'END'
from tzlocal.windows_tz import tz_win, win_tz
for zone in ("Europe/Kyiv", "Europe/Kiev", "Asia/Kolkata", "America/Nuuk", "America/Ciudad_Juarez", "America/Coyhaique", "Pacific/Kanton"):
    name = tz_win.get(zone)
    print("tzlocal:", zone, "is", name, "is", win_tz.get(name))
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
windows-iana: Europe/Kyiv is nothing is nothing
windows-iana: Europe/Kiev is FLE Standard Time is Europe/Kiev
windows-iana: Asia/Kolkata is India Standard Time is Asia/Calcutta
windows-iana: America/Nuuk is Greenland Standard Time is America/Godthab
windows-iana: America/Ciudad_Juarez is nothing is nothing
windows-iana: America/Coyhaique is nothing is nothing
windows-iana: Pacific/Kanton is nothing is nothing
tzlocal: Europe/Kyiv is FLE Standard Time is Europe/Kiev
tzlocal: Europe/Kiev is FLE Standard Time is Europe/Kiev
tzlocal: Asia/Kolkata is India Standard Time is Asia/Calcutta
tzlocal: America/Nuuk is Greenland Standard Time is America/Godthab
tzlocal: America/Ciudad_Juarez is Mountain Standard Time is America/Denver
tzlocal: America/Coyhaique is Magallanes Standard Time is America/Punta_Arenas
tzlocal: Pacific/Kanton is UTC+13 is Etc/GMT-13
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
