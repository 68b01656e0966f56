#!/usr/bin/env bash
# @better-auth/scim 1.7.5 (npm) creates a user who has a nickname, and refuses each PATCH that changes one.
# RFC 7644, section 3.3, lets a server leave out at creation what it doesn't keep. One would guess that a later change
# of the same attribute is left out too, or that both are refused. POST and PUT with nickName succeed without it. PATCH
# with nickName answers 400, and since a PATCH is all or nothing, the title that came with it is lost: an identity
# provider with a nickname in its mapping creates everybody, and fails at each change that has the nickname in it. A
# home address is added with emails[type eq "home"].value, but "remove" of emails[type eq "home"], as in section
# 3.5.2.2, is refused. Whoever provisions into an application that is built on it should map only the attributes of its
# /Schemas, and a provider should treat an attribute alike in POST, PUT and PATCH.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --legacy-peer-deps @better-auth/scim@1.7.5 better-auth@1.7.5
cat >try.mjs <<'END'
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { getAuthTables } from 'better-auth/db';
import { scim } from '@better-auth/scim';
const token = 't'.repeat(43);
const plugins = [scim({ connections: [{ id: 'idp', credentials: [{ id: 'first', token }] }] })];
const tables = Object.fromEntries(Object.values(getAuthTables({ plugins })).map(({ modelName }) => [modelName, []]));
const auth = betterAuth({ baseURL: 'http://localhost', secret: 'Zx9!'.repeat(12), database: memoryAdapter(tables), plugins,
  telemetry: { enabled: false }, logger: { disabled: true } });
const send = async (method, url, body) => {
  const answer = await auth.handler(new Request(url, { method, body: JSON.stringify(body), headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' } }));
  const { detail, nickName, title, emails } = body = await answer.json();
  console.log(method, answer.status, JSON.stringify({ detail, nickName, title, emails: emails?.map(({ value }) => value) }));
  return body;
};
const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'jane@example.com', nickName: 'Jan', title: 'Clerk' };
const { location } = (await send('POST', 'http://localhost/api/auth/scim/v2/Users', user)).meta;
const change = (...Operations) => send('PATCH', location, { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations });
await change({ op: 'replace', path: 'title', value: 'Head clerk' }, { op: 'replace', path: 'nickName', value: 'Janey' });
await change({ op: 'replace', path: 'title', value: 'Head clerk' });
await send('PUT', location, { ...user, nickName: 'Janey' });
await change({ op: 'add', path: 'emails[type eq "home"].value', value: 'jane@home.example.org' });
await change({ op: 'remove', path: 'emails[type eq "home"]' });
END
node try.mjs >seen
cat >expected <<'END'
POST 201 {"title":"Clerk","emails":["jane@example.com"]}
PATCH 400 {"detail":"User PATCH path nickName is not supported"}
PATCH 200 {"title":"Head clerk","emails":["jane@example.com"]}
PUT 200 {"title":"Clerk","emails":["jane@example.com"]}
PATCH 200 {"title":"Clerk","emails":["jane@example.com","jane@home.example.org"]}
PATCH 400 {"detail":"User PATCH path emails[type eq \"home\"] is not supported"}
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
