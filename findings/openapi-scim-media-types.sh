#!/usr/bin/env bash
# An OpenAPI document that says application/scim+json: one client generator of npm sends another type, one reads the
# answer as text instead of an object.
# RFC 7644, section 3.1, gives SCIM this type, and RFC 7396 gives merge patches application/merge-patch+json. One would
# guess that a client made from the document sends the only type that stands there, and knows JSON by its suffix "+json"
# (RFC 6839). openapi-fetch 0.17.0 sends application/json with every body, because the document is known to its types
# alone, so that a server which holds on to merge-patch refuses it with 415. openapi-typescript-codegen 0.31.0 sends
# the right types, accepts application/json only, and hands out an answer in application/scim+json as a text, against
# its own types. @hey-api/openapi-ts 0.99.0 does both right. A provider reaches all three if it takes application/json
# for both, and answers in it to a client that accepts nothing else.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund openapi-fetch@0.17.0 openapi-typescript-codegen@0.31.0 @hey-api/openapi-ts@0.99.0 typescript@5.9.3 esbuild@0.28.2 axios@1.21.1 form-data@4.0.6
cat >make.mjs <<'END'
import { writeFileSync } from 'node:fs';
const schema = { type: 'object', properties: { userName: { type: 'string' } } };
const operation = (operationId, type, answered) => ({ operationId, requestBody: { required: true, content: { [type]: { schema } } },
  responses: { 200: { description: 'Done', content: { [answered]: { schema } } } } });
writeFileSync('scim.json', JSON.stringify({ openapi: '3.1.0', info: { title: 'SCIM', version: '1' }, servers: [{ url: 'https://scim.example.com' }],
  paths: { '/Users': { post: operation('createUser', 'application/scim+json', 'application/scim+json') },
    '/settings': { patch: operation('changeSettings', 'application/merge-patch+json', 'application/json') } } }));
END
cat >try.mjs <<'END'
import createClient from 'openapi-fetch';
import * as hey from './hey.mjs';
import { DefaultService } from './codegen.mjs';
let sent;
globalThis.fetch = async (input, init) => {
  const request = input instanceof Request ? input : new Request(input, init);
  sent = `sends ${request.headers.get('content-type')}, accepts ${request.headers.get('accept')}`;
  const type = request.url.endsWith('Users') ? 'application/scim+json' : 'application/json';
  return new Response('{"userName":"jane"}', { headers: { 'content-type': type } });
};
const client = createClient({ baseUrl: 'https://scim.example.com' }), body = { userName: 'jane' };
const tell = async (name, act) => console.log(name, typeof await act(), 'is read,', sent);
await tell('openapi-fetch user:', async () => (await client.POST('/Users', { body })).data);
await tell('openapi-fetch settings:', async () => (await client.PATCH('/settings', { body })).data);
await tell('openapi-typescript-codegen user:', () => DefaultService.createUser(body));
await tell('openapi-typescript-codegen settings:', () => DefaultService.changeSettings(body));
await tell('@hey-api/openapi-ts user:', async () => (await hey.createUser({ body })).data);
await tell('@hey-api/openapi-ts settings:', async () => (await hey.changeSettings({ body })).data);
END
node make.mjs
{ npx openapi --input scim.json --output codegen; npx openapi-ts --input scim.json --output hey; } >made 2>&1
npx esbuild codegen/index.ts --bundle --format=esm --platform=node --outfile=codegen.mjs --log-level=error
npx esbuild hey/index.ts --bundle --format=esm --platform=node --outfile=hey.mjs --log-level=error
node try.mjs >seen
cat >expected <<'END'
openapi-fetch user: object is read, sends application/json, accepts null
openapi-fetch settings: object is read, sends application/json, accepts null
openapi-typescript-codegen user: string is read, sends application/scim+json, accepts application/json
openapi-typescript-codegen settings: object is read, sends application/merge-patch+json, accepts application/json
@hey-api/openapi-ts user: object is read, sends application/scim+json, accepts null
@hey-api/openapi-ts settings: object is read, sends application/merge-patch+json, accepts null
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
