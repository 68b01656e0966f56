// Calls every operation of the admin API once, with openapi-fetch and the types that openapi-typescript has made from the
// document, which are in the file `api.d.ts` beside this one.
//
// The arguments are the server's URL, an API key of the operator, the file of a component, and the id of an organization
// that is not there yet. Each call has to succeed, unless nothing can be there for it. At the end no operation of the document may be left over.

import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import createClient from 'openapi-fetch';
import type { components, paths } from './api.js';

const [url, key, file, organization] = process.argv.slice(2) as [string, string, string, string];
// Nobody listens there: what is posted to it fails, and that is told in the answer.
const nobody = 'http://127.0.0.1:9';
const passphrase = 'correct horse battery staple';

const client = createClient<paths>({ baseUrl: url, headers: { authorization: `Bearer ${key}` } });
const called = new Set<string>();
client.use({ onRequest: ({ request, schemaPath }) => void called.add(`${request.method.toLowerCase()} ${schemaPath}`) });

type Answer<T> = { data?: T; error?: components['schemas']['Problem']; response: Response };

/** The answer of a call that has succeeded with a body. */
async function gives<T>(call: Promise<Answer<T>>): Promise<NonNullable<T>> {
  const { data, error, response } = await call;
  assert(response.ok && data !== undefined && data !== null, `${response.url} ${response.status} ${JSON.stringify(error)}`);
  return data;
}

/** Waits for a call that has succeeded without a body. */
async function done(call: Promise<Answer<unknown>>): Promise<void> {
  const { error, response } = await call;
  assert.equal(response.status, 204, `${response.url} ${JSON.stringify(error)}`);
}

/** Waits for a call that has nothing to do here, and so is refused with this status and a problem. */
async function refused(call: Promise<Answer<unknown>>, status: number): Promise<void> {
  const { error, response } = await call;
  assert.deepEqual([response.status, error?.status], [status, status], `${response.url} ${JSON.stringify(error)}`);
}

const path = { organization };
const params = { path };

async function organizations() {
  const domain = `${organization}.example`;
  const record: components['schemas']['OrganizationRecord'] = {
    name: 'Walked',
    plan: 'enterprise',
    seats: 20,
    domains: [{ name: domain, verified: true }],
    single_sign_on: 'okta',
    options: { 'list-manual': true },
  };
  const owner = { email: `owner@${domain}`, passphrase };
  const made = await gives(client.POST('/api/v1/organizations', { body: { id: organization, organization: record, owner } }));
  assert.equal(made.owner?.role, 'owner');
  const listed = await gives(client.GET('/api/v1/organizations', { params: { query: { limit: 500 } } }));
  assert(listed.items.some((line) => line.id === organization));
  const fleet = await gives(client.GET('/api/v1/fleet', { params: { query: { token: 'disabled', limit: 100 } } }));
  assert.equal(fleet.items.find((standing) => standing.id === organization)?.seats, 20);
  const alerts = await gives(client.GET('/api/v1/alerts', { params: { query: { limit: 100 } } }));
  assert(Array.isArray(alerts.items));
  await gives(client.GET('/api/v1/organizations/{organization}', { params }));
  await gives(client.PUT('/api/v1/organizations/{organization}', { params, body: { ...record, seats: 21 } }));

  // A change of one option is this option alone: what nobody named stays as it is.
  const change: components['schemas']['OrganizationChange'] = { options: { strict: true } };
  const changed = await gives(client.PATCH('/api/v1/organizations/{organization}', { params, body: change }));
  const kept = changed.organization;
  assert.deepEqual([kept?.name, kept?.seats, kept?.single_sign_on], ['Walked', 21, 'okta']);
  assert.deepEqual([kept?.options?.['list-manual'], kept?.options?.strict], [true, true]);

  await gives(client.GET('/api/v1/organizations/{organization}/requirements', { params }));
  await gives(client.GET('/api/v1/organizations/{organization}/licences', { params }));
  await gives(client.GET('/api/v1/organizations/{organization}/quotas', { params }));
  const quota = { path: { organization, quota: 'emails-per-day' } } as const;
  const limited = client.PUT('/api/v1/organizations/{organization}/quotas/{quota}', { params: quota, body: { limit: 1_000 } });
  assert.equal((await gives(limited)).limit, 1_000);
  const retention = await gives(client.GET('/api/v1/organizations/{organization}/retention', { params }));
  await gives(client.PUT('/api/v1/organizations/{organization}/retention', { params, body: retention }));
}

async function storedComponents() {
  const wasm = readFileSync(file);
  const component = createHash('sha256').update(wasm).digest('hex');
  const named = { path: { component } };
  // A binary body is a string to the types; what is sent is the bytes.
  const stored = client.PUT('/api/v1/components/{component}', {
    params: { ...named, query: { name: 'walked' } },
    body: wasm as unknown as string,
    bodySerializer: (bytes) => bytes,
    headers: { 'content-type': 'application/octet-stream' },
  });
  assert.equal((await gives(stored)).id, component);
  await gives(client.GET('/api/v1/components'));
  await gives(client.PUT('/api/v1/canary', { body: { component, percent: 1 } }));
  assert.equal((await gives(client.GET('/api/v1/canary'))).component, component);
  await done(client.DELETE('/api/v1/canary'));
  await gives(client.GET('/api/v1/organizations/{organization}/component', { params }));
  await gives(client.PUT('/api/v1/organizations/{organization}/component', { params, body: { component: 'default' } }));
  await done(client.DELETE('/api/v1/components/{component}', { params: named }));
}

async function connector() {
  const enable = { identity_provider: 'okta', expires: '90d' } as const;
  const token = await gives(client.POST('/api/v1/organizations/{organization}/connector/enable', { params, body: enable }));
  assert(token.token.startsWith('insm_scim_') && token.expires);
  const enabled = await gives(client.GET('/api/v1/organizations/{organization}/connector', { params }));
  assert.deepEqual([enabled.enabled, enabled.connector_url], [true, token.connector_url]);
  const refresh = client.POST('/api/v1/organizations/{organization}/connector/refresh', { params, body: { overlap_seconds: 60 } });
  assert.notEqual((await gives(refresh)).token, token.token);

  const okta = { org_url: nobody, app_id: '0oa1', credentials: { 'api-token': 'secret' } };
  const access = client.PUT('/api/v1/organizations/{organization}/connector/idp-api', { params, body: { api: { okta } } });
  const { idp_api } = await gives(access);
  assert(idp_api?.kind === 'okta' && idp_api.org_url === nobody && idp_api.app_id === '0oa1', JSON.stringify(idp_api));
  // A body that may be left out is left out here and below.
  await gives(client.POST('/api/v1/organizations/{organization}/connector/idp-api/try', { params }));
  await gives(client.GET('/api/v1/organizations/{organization}/connector/automatic-refresh', { params }));
  await done(client.DELETE('/api/v1/organizations/{organization}/connector/idp-api', { params }));

  const clients = '/api/v1/organizations/{organization}/oauth-clients';
  const made = await gives(client.POST(clients, { params, body: { name: 'Walked', client_credentials: true } }));
  await gives(client.GET(clients, { params }));
  const named = { path: { organization, client: made.client.id } };
  const rotated = await gives(client.POST(`${clients}/{client}/rotate`, { params: named }));
  assert(rotated.secret && rotated.secret !== made.secret);
  await done(client.DELETE(`${clients}/{client}`, { params: named }));
  const links = '/api/v1/organizations/{organization}/setup-links';
  const link = await gives(client.POST(links, { params, body: { identity_provider: 'okta' } }));
  assert.deepEqual((await gives(client.GET(links, { params }))).items.map(({ id }) => id), [link.link.id]);
  await done(client.DELETE(`${links}/{link}`, { params: { path: { organization, link: link.link.id } } }));
  const disabled = await gives(client.POST('/api/v1/organizations/{organization}/connector/disable', { params }));
  assert.equal(disabled.enabled, false);
}

async function people() {
  const members = '/api/v1/organizations/{organization}/members';
  const email = `ada@${organization}.example`;
  const once = { ...params, header: { 'Idempotency-Key': `ada-${organization}` } };
  const ada = await gives(client.POST(members, { params: once, body: { email, display_name: 'Ada', passphrase } }));
  const found = await gives(client.GET(members, { params: { path, query: { prefix: 'Ada' } } }));
  assert.deepEqual(found.items, [ada]);
  const named = { path: { organization, member: email } };
  assert.deepEqual(await gives(client.GET(`${members}/{member}`, { params: named })), ada);
  const promoted = await gives(client.PUT(`${members}/{member}/role`, { params: named, body: { role: 'co-owner' } }));
  assert.equal(promoted.role, 'co-owner');
  await done(client.POST(`${members}/{member}/passphrase-reset`, { params: named }));

  const teams = '/api/v1/organizations/{organization}/teams';
  const walkers = await gives(client.POST(teams, { params, body: { name: 'Walkers' } }));
  const team = { path: { organization, team: walkers.id } };
  assert.equal((await gives(client.POST(`${teams}/{team}/members`, { params: team, body: { add: [email] } }))).members, 1);
  const joined = await gives(client.GET(`${teams}/{team}/members`, { params: team }));
  assert.deepEqual(joined.items.map((member) => member.id), [ada.id]);
  await gives(client.GET(`${teams}/{team}`, { params: team }));
  await gives(client.GET(teams, { params }));

  const details = await gives(client.GET(`${members}/{member}/details`, { params: named }));
  assert.equal(details.member.id, ada.id);
  const teamsOfAda = await gives(client.GET(`${members}/{member}/teams`, { params: named }));
  assert.deepEqual(teamsOfAda.items.map((one) => one.name), ['Walkers']);
  assert.equal((await gives(client.GET(`${teams}/{team}/details`, { params: team }))).team.members, 1);
  const exports = '/api/v1/organizations/{organization}/exports';
  assert((await gives(client.GET(`${exports}/members`, { params, parseAs: 'text' }))).includes(email));
  assert((await gives(client.GET(`${exports}/teams`, { params, parseAs: 'text' }))).includes('Walkers'));
  assert.equal((await gives(client.GET('/api/v1/organizations/{organization}/census', { params }))).active_manual, 2);
  await gives(client.GET('/api/v1/organizations/{organization}/licences/without-seat', { params }));

  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
  const users = [{ schemas, userName: 'grace@example.com' }, { schemas, userName: email }];
  const preview = await gives(client.POST('/api/v1/organizations/{organization}/preview', { params, body: users }));
  assert.equal(preview.users[0]?.outcome, 'creates');
  const hedy = { id: randomUUID(), email: 'hedy@example.com' };
  for (const outcome of ['added', 'present']) {
    const takenOver = { params, body: { members: [hedy] } };
    const imported = await gives(client.POST('/api/v1/organizations/{organization}/imports', takenOver));
    assert.deepEqual(imported.members, [{ id: hedy.id, outcome }]);
  }
  await done(client.DELETE(`${teams}/{team}`, { params: team }));
  await done(client.DELETE(`${members}/{member}`, { params: named }));
  const erasures = '/api/v1/organizations/{organization}/erasures';
  const erased = await gives(client.POST(erasures, { params, body: { person: ada.id, known_as: [email] } }));
  assert.equal(erased.id, ada.id);
}

async function guardAndSchemas() {
  const guard = '/api/v1/organizations/{organization}/guard';
  await gives(client.PUT(guard, { params, body: { number: 5 } }));
  assert.equal((await gives(client.GET(guard, { params }))).guard?.number, 5);
  await gives(client.GET(`${guard}/held`, { params }));
  await gives(client.POST(`${guard}/decisions`, { params, body: { decision: 'allowed' } }));
  await done(client.DELETE(guard, { params }));

  const schemas = '/api/v1/organizations/{organization}/schemas';
  const shoe = { name: 'shoe', type: 'string', multiValued: false, description: 'A shoe' };
  const schema = { id: 'urn:example:walked', name: 'Walked', description: 'Walked', attributes: [shoe] };
  await gives(client.PUT(schemas, { params, body: { schemas: [schema] } }));
  const declared = await gives(client.GET(schemas, { params }));
  assert.equal((declared.schemas?.[0] as typeof schema).id, schema.id);
  await done(client.DELETE(schemas, { params }));
}

async function logsAndEvents() {
  const everything = client.GET('/api/v1/organizations/{organization}/export', { params, parseAs: 'text' });
  assert((await gives(everything)).includes('"kind":"end"'));
  await gives(client.GET('/api/v1/organizations/{organization}/logs', { params: { path, query: { since: 0 } } }));
  const logs = { path, query: { format: 'csv' } } as const;
  const exported = client.GET('/api/v1/organizations/{organization}/logs/export', { params: logs, parseAs: 'text' });
  assert((await gives(exported)).startsWith('time,'));
  const audit = { params: { path, query: { limit: 500 } } };
  const acts = await gives(client.GET('/api/v1/organizations/{organization}/audit', audit));
  assert.equal(acts.items.find((entry) => entry.act === 'connector.enable')?.face, 'api');
  const beyond = await gives(client.GET('/api/v1/audit', { params: { query: { limit: 500, text: 'component' } } }));
  assert(beyond.items.some((entry) => entry.act === 'component.remove'));
  const events = await gives(client.GET('/api/v1/organizations/{organization}/events', { params }));
  assert(events.items.some((event) => event.type === 'member.created'));

  const webhook = '/api/v1/organizations/{organization}/webhook';
  const issued = await gives(client.PUT(webhook, { params, body: { url: `${nobody}/hook` } }));
  assert(issued.secret && !issued.works);
  await gives(client.GET(webhook, { params }));
  await gives(client.POST(`${webhook}/test`, { params }));
  await done(client.DELETE(webhook, { params }));
  const streams = '/api/v1/organizations/{organization}/streams';
  const added = await gives(client.POST(streams, { params, body: { name: 'Receiver', audience: nobody } }));
  assert(added.token && added.stream.poll_url);
  const stream = { path: { organization, stream: added.stream.id } };
  await gives(client.GET(streams, { params }));
  await gives(client.GET(`${streams}/{stream}`, { params: stream }));
  await gives(client.POST(`${streams}/{stream}/token`, { params: stream }));
  await gives(client.POST('/api/v1/organizations/{organization}/signing-key/rotate', { params }));
  await done(client.DELETE(`${streams}/{stream}`, { params: stream }));
  const queue = '/api/v1/organizations/{organization}/deliveries/{queue}';
  const parked = { path: { organization, queue: 'events-parked' } } as const;
  await gives(client.GET(queue, { params: parked }));
  await gives(client.POST(`${queue}/retry`, { params: parked }));
  const dismissed = await gives(client.POST(`${queue}/dismiss`, { params: parked, body: { ids: ['1'] } }));
  assert.equal(dismissed.dismissed, 0);
  const emails = { path: { organization, queue: 'emails-parked' } } as const;
  const elsewhere = { id: '1', to: `ada@${organization}.example` };
  await refused(client.POST(`${queue}/readdress`, { params: emails, body: elsewhere }), 404);
}

async function apiKeys() {
  const keys = '/api/v1/organizations/{organization}/api-keys';
  const issued = await gives(client.POST(keys, { params, body: { name: 'walked' } }));
  await gives(client.GET(keys, { params }));
  await done(client.DELETE(`${keys}/{key}`, { params: { path: { organization, key: issued.key.id } } }));
  const operator = await gives(client.POST('/api/v1/api-keys', { body: { name: 'walked' } }));
  await gives(client.GET('/api/v1/api-keys'));
  await done(client.DELETE('/api/v1/api-keys/{key}', { params: { path: { key: operator.key.id } } }));
}

const document = (await gives(client.GET('/api/v1/openapi.json'))) as { paths: Record<string, Record<string, unknown>> };
await organizations();
await storedComponents();
await connector();
await people();
await guardAndSchemas();
await logsAndEvents();
await apiKeys();
await done(client.DELETE('/api/v1/organizations/{organization}', { params }));

const documented = Object.entries(document.paths).flatMap(([at, item]) => Object.keys(item).map((method) => `${method} ${at}`));
assert.deepEqual([...called].sort(), documented.sort());
console.log(`${called.size} operations`);
