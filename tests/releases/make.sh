#!/usr/bin/env bash
# Makes the data of a release: a small organization, as a data directory with SQLite and as a PostgreSQL database, both as text.
#
#   tests/releases/make.sh target/debug/insomnia-scim tests/releases/NAME
#
# NAME says when it was. It takes curl, python3, and the programs of a PostgreSQL (INSOMNIA_SCIM_POSTGRES names their folder).
# What a release has left behind is never made again: tests/tests/postgres/releases.rs opens it with the newest build.
set -euo pipefail
binary=$(realpath "$1")
target=$(realpath -m "$2")
programs=${INSOMNIA_SCIM_POSTGRES:-$(dirname "$(find /usr/lib/postgresql -name initdb | sort -V | tail -1)")}
work=$(mktemp -d)
servers=()
finish() { for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done; wait || true; rm -rf "$work"; }
trap finish EXIT
mkdir -p "$target"
data=$work/data

"$binary" demo --json --listen 127.0.0.1:0 --data "$data" >"$work/line" 2>"$work/log" &
scim=$!
servers+=("$scim")
until test -s "$work/line"; do sleep 0.1; kill -0 "$scim" || { cat "$work/log"; exit 1; }; done
field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$work/line" "$1"; }
url=$(field connector_url)
# One that is still good when the test is years old.
token=$("$binary" --json --data "$data" connector refresh --organization "$(field organization)" --expires never \
    | python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])')
send() { curl -sS --fail-with-body -X "$1" -H "Authorization: Bearer $token" -H 'Content-Type: application/scim+json' "$url$2" -d "$3"; }
id_of() { python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])'; }
user='"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]'
operation='"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]'
ids=()
for name in ada bea cem; do
    ids+=("$(send POST /Users "{$user, \"userName\": \"$name@demo.example\", \"externalId\": \"ext-$name\", \"displayName\": \"${name^} Old\",
        \"emails\": [{\"value\": \"$name@demo.example\", \"primary\": true}, {\"value\": \"$name.second@demo.example\", \"type\": \"home\"}]}" | id_of)")
done
members="[{\"value\": \"${ids[0]}\"}, {\"value\": \"${ids[1]}\"}]"
send POST /Groups "{\"schemas\": [\"urn:ietf:params:scim:schemas:core:2.0:Group\"], \"displayName\": \"Crew\", \"externalId\": \"ext-crew\", \"members\": $members}" >/dev/null
send PATCH "/Users/${ids[0]}" "{$operation, \"Operations\": [{\"op\": \"replace\", \"path\": \"displayName\", \"value\": \"Ada New\"}]}" >/dev/null
send PATCH "/Users/${ids[2]}" "{$operation, \"Operations\": [{\"op\": \"replace\", \"path\": \"active\", \"value\": false}]}" >/dev/null
gone=$(send POST /Users "{$user, \"userName\": \"gone@demo.example\"}" | id_of)
curl -sS --fail-with-body -X DELETE -H "Authorization: Bearer $token" "$url/Users/$gone"
kill "$scim"
wait "$scim"
printf '{"token": "%s"}\n' "$token" >"$target/release.json"
cp "$data/secret.key" "$target/secret.key"
python3 - "$data/insomnia-scim.db" >"$target/sqlite.sql" <<'PYTHON'
import sqlite3
import sys

database = sqlite3.connect(sys.argv[1])
for name in ("page_size", "user_version", "application_id"):
    print(f"PRAGMA {name} = {database.execute(f'PRAGMA {name}').fetchone()[0]};")
print("\n".join(database.iterdump()))
PYTHON

as=()
if test "$(id -u)" = 0; then
    as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    chmod 755 "$work"
fi
mkdir "$work/cluster"
test "$(id -u)" = 0 && chown 65534:65534 "$work/cluster"
cd "$work/cluster"
"${as[@]}" "$programs/initdb" --username=postgres --auth=trust --no-sync --locale=C --encoding=UTF8 -D "$work/cluster/data" >/dev/null
"${as[@]}" "$programs/postgres" -D "$work/cluster/data" -k "$work/cluster" -c listen_addresses= -c fsync=off 2>"$work/cluster/log" &
servers+=("$!")
until "$programs/pg_isready" -q -h "$work/cluster"; do sleep 0.1; done
"$binary" --data "$data" migrate --from "$data" --to "postgres://postgres@/postgres?host=$work/cluster" >&2
# Documents as text, and not in hex.
PGOPTIONS='-c bytea_output=escape' "$programs/pg_dump" -U postgres -h "$work/cluster" --no-owner --schema=insomnia_scim --inserts postgres \
    | grep -v '^\(--.*\|SELECT pg_catalog.set_config.*\|\\\(un\)\?restrict .*\)\?$' >"$target/postgres.sql"
ls -l "$target" >&2
