#!/usr/bin/env bash
# A range of status codes, a "const" and a colon in a path: each is usual in OpenAPI 3.1, and each breaks the client
# of another generator of npm.
# OpenAPI 3.1, section 4.8.16, has "4XX" for all errors that share a body, JSON Schema's "const" names the kind of an
# event, and a colon before a verb is how Google's API guide (AIP-136) names an action. One would guess that a
# generator reads them or refuses the document. All three report success. oazapfts 7.5.0 writes 4XX where TypeScript
# wants a type, so that the file is none. openapi-zod-client 1.18.3 makes "anything" of "const", and zod 3.25.76 then
# fails while the module is loaded, since nothing tells the kinds apart. swagger-typescript-api 13.13.0 takes
# ":restore" for a parameter, and asks for /members/1undefined unless its caller passes the text ":restore" as well.
# What the other two make of each works. An admin API that is to have clients made for it should list its codes one by
# one, write a kind as an "enum" of one, and name an action after a slash.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --legacy-peer-deps oazapfts@7.5.0 @oazapfts/runtime@1.2.0 openapi-zod-client@1.18.3 @zodios/core@10.9.6 \
  zod@3.25.76 axios@1.21.1 swagger-typescript-api@13.13.0 esbuild@0.25.12
cat >make.mjs <<'END'
import { writeFileSync } from 'node:fs';
const kinds = (kind) => ({ Event: { oneOf: ['Created', 'Gone'].map((name) => ({ $ref: `#/components/schemas/${name}` })), discriminator: { propertyName: 'type' } },
  Created: { type: 'object', required: ['type'], properties: { type: kind('Created') } }, Gone: { type: 'object', required: ['type'], properties: { type: kind('Gone') } } });
const document = (error, path, kind) => ({ openapi: '3.1.0', info: { title: 'demo', version: '1' }, servers: [{ url: 'https://scim.example.com' }], components: { schemas: kinds(kind) },
  paths: { [path]: { post: { operationId: 'restore', parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }], responses: {
    200: { description: 'done', content: { 'application/json': { schema: { $ref: '#/components/schemas/Event' } } } },
    [error]: { description: 'not done', content: { 'application/json': { schema: { type: 'object' } } } } } } } } });
const one = (name) => ({ type: 'string', enum: [name] });
for (const [name, content] of Object.entries({ plain: document('404', '/members/{id}/restore', one), range: document('4XX', '/members/{id}/restore', one),
  const: document('404', '/members/{id}/restore', (name) => ({ const: name })), colon: document('404', '/members/{id}:restore', one) }))
  writeFileSync(`${name}.json`, JSON.stringify(content));
END
cat >try.mjs <<'END'
import axios from 'axios';
import { buildSync } from 'esbuild';
const event = { type: 'Gone' };
let asked;
globalThis.fetch = async (address) => { asked = address; return Response.json(event); };
axios.defaults.adapter = async (config) => { asked = axios.getUri(config); return { status: 200, statusText: 'OK', data: event, headers: {}, config }; };
const calls = { oazapfts: (client) => client.restore('1'), 'openapi-zod-client': (client) => client.api.restore(undefined, { params: { id: '1' } }),
  'swagger-typescript-api': (client) => new client.Api().members[Object.keys(new client.Api().members)[0]]('1') };
for (const document of ['plain', 'range', 'const', 'colon'])
  for (const [generator, call] of Object.entries(calls))
    try {
      buildSync({ entryPoints: [`${generator}/${document}.ts`], outfile: `${generator}/${document}.mjs`, logLevel: 'silent' });
      await call(await import(`./${generator}/${document}.mjs`));
      console.log(document, generator, 'asks for', asked);
    } catch (error) { console.log(document, generator, 'fails:', error.message.split('\n').at(-1)); }
END
node make.mjs
mkdir oazapfts openapi-zod-client swagger-typescript-api
for document in plain range const colon; do
  npx --no-install oazapfts $document.json oazapfts/$document.ts >/dev/null
  npx --no-install openapi-zod-client $document.json -o openapi-zod-client/$document.ts >/dev/null
  npx --no-install swagger-typescript-api generate -p $document.json -o swagger-typescript-api -n $document.ts >/dev/null 2>&1
done
node try.mjs >seen
cat >expected <<'END'
plain oazapfts asks for https://scim.example.com/members/1/restore
plain openapi-zod-client asks for /members/1/restore
plain swagger-typescript-api asks for https://scim.example.com/members/1/restore
range oazapfts fails: oazapfts/range.ts:30:19: ERROR: Expected "}" but found ";"
range openapi-zod-client asks for /members/1/restore
range swagger-typescript-api asks for https://scim.example.com/members/1/restore
const oazapfts asks for https://scim.example.com/members/1/restore
const openapi-zod-client fails: A discriminator value for key `type` could not be extracted from all schema options
const swagger-typescript-api asks for https://scim.example.com/members/1/restore
colon oazapfts asks for https://scim.example.com/members/1:restore
colon openapi-zod-client asks for /members/1:restore
colon swagger-typescript-api asks for https://scim.example.com/members/1undefined
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
