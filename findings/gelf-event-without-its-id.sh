#!/usr/bin/env bash
# The id of the person is missing from each audit event that is sent in GELF: graypy, pygelf and gelf-pro drop a field
# called "id" without a word.
# GELF, the format of Graylog, has any field of one's own under an underscore, and forbids "_id", which the storage once
# kept for itself. A provider that gives a resource's attributes to its logger sends "id" with them, and one would guess
# that a library renames it, refuses it, or passes it on for the server to refuse. graypy 2.1.0, pygelf 0.4.3 (PyPI) and
# gelf-pro 1.4.0 (npm) leave it out, so that the event tells that somebody was deleted, and not who. What is a list or an
# object stays one in the first two, which the format has no place for; the third makes one text of a list, the field
# "meta_resourceType" of an object, and the text "false" of a boolean. A provider should log its ids under a name such
# as user_id, and each attribute as a text of its own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund gelf-pro@1.4.0
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'graypy==2.1.0' 'pygelf==0.4.3'
cat >user.json <<'END'
{"id": "2819c223", "externalId": "701984", "active": false, "meta": {"resourceType": "User"}, "roles": ["Clerk", "Buyer"]}
END
cat >try.py <<'END'
import graypy, json, logging, pygelf, zlib
user = json.load(open("user.json"))
record = logging.LogRecord("scim", logging.INFO, "", 1, "user deleted", None, None)
record.__dict__.update(user)
first = graypy.GELFUDPHandler("127.0.0.1", 12201).makePickle(record)
second = pygelf.GelfUdpHandler("127.0.0.1", 12201, include_extra_fields=True).convert_record_to_gelf(record)
for name, sent in (("graypy", first), ("pygelf", second)):
    fields = json.loads(zlib.decompress(sent))
    print(name + ":", {field: fields[field] for field in sorted(fields) if field.strip("_").split("_")[0] in {*user, "short"}})
END
cat >try.mjs <<'END'
import { readFileSync } from 'node:fs';
import gelf from 'gelf-pro';
gelf.adapter = { send: (event) => {
  const fields = Object.entries(JSON.parse(event)).filter(([name]) => /^(_|short_message)/.test(name));
  console.log('gelf-pro:', JSON.stringify(Object.fromEntries(fields.sort())));
} };
gelf.info('user deleted', JSON.parse(readFileSync('user.json')));
END
venv/bin/python try.py >seen
node try.mjs >>seen
cat >expected <<'END'
graypy: {'_active': False, '_externalId': '701984', '_meta': {'resourceType': 'User'}, '_roles': ['Clerk', 'Buyer'], 'short_message': 'user deleted'}
pygelf: {'_active': False, '_externalId': '701984', '_meta': {'resourceType': 'User'}, '_roles': ['Clerk', 'Buyer'], 'short_message': 'user deleted'}
gelf-pro: {"_active":"false","_externalId":"701984","_meta_resourceType":"User","_roles":"Clerk,Buyer","short_message":"user deleted"}
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
