// Tests how instances are protected, and what happens after a fault. The environment variable COMPONENT names the component,
// if it is not where the build of this repository leaves it.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { ComponentFailed } from "./caller.js";
import { COMPONENT, compile } from "./component.js";
import { act, createDemo } from "./demo.js";
import { ActionRefused, Instance } from "./instance.js";
import { Organization } from "./organization.js";
import { Outgoing } from "./outgoing.js";
import { Refusal } from "./refusal.js";
import { Storage } from "./storage.js";

let host;
let acme;
let token;

before(async () => {
  const data = mkdtempSync(join(tmpdir(), "instances-"));
  const compiled = await compile(process.env.COMPONENT ?? COMPONENT, join(data, "component"));
  host = { compiled, data, database: join(data, "host.db"), key: Buffer.alloc(32), outgoing: new Outgoing() };
  acme = new Organization(host, "acme");
  token = await createDemo(acme, 50);
});

after(async () => {
  await acme.close();
  rmSync(host.data, { recursive: true });
});

const request = () => ({
  method: "GET",
  path: "/Users",
  query: undefined,
  headers: [["authorization", `Bearer ${token}`]],
  body: new Uint8Array(),
  baseUrl: "https://scim.example.com/scim/v2/acme",
  requestId: "",
  senderAddress: undefined,
});

test("an import that fails a thousand times leaves the instance whole", async (context) => {
  context.mock.method(console, "error", () => {}); // The faults are meant.
  const storage = new Storage(host.database, "acme");
  let fails = false;
  const work = (name) => (...parameters) => {
    if (fails) throw new TypeError("a fault of the host");
    return storage[name](...parameters);
  };
  const refuse = () => {
    throw new Refusal("not-configured");
  };
  const imports = {
    storage: { get: work("get"), scan: work("scan"), commit: work("commit"), append: work("append") },
    secrets: { seal: refuse, open: refuse },
    email: { send: refuse },
    http: { send: refuse },
  };
  const instance = await Instance.create(host.compiled, imports);
  fails = true;
  for (let n = 0; n < 1_000; n += 1) assert.ok(instance.call("scim", "handle", request()).status >= 500);
  fails = false;
  assert.equal(instance.call("scim", "handle", request()).status, 200);
  storage.close();
});

test("a refusal is told apart from a fault", async () => {
  const enable = acme.requests.call("connector", "enable", act("owner"), { tag: "okta" }, "days90");
  await assert.rejects(enable, (error) => error instanceof ActionRefused && error.payload.tag === "conflict");
});

test("after a fault the next call is served by another instance", async (context) => {
  context.mock.method(console, "error", () => {});
  await assert.rejects(acme.requests.call("scim", "handle", { ...request(), headers: [7n] }), ComponentFailed);
  assert.equal((await acme.requests.call("scim", "handle", request())).status, 200);
});

test("a call that is stopped ends, and the next one is served by another thread", async (context) => {
  context.mock.method(console, "error", () => {});
  // The thread starts with this call, so the call takes long enough to be stopped.
  const again = new Organization(host, "acme");
  const stopped = assert.rejects(again.requests.call("scim", "handle", request()), ComponentFailed);
  setImmediate(() => again.requests.stop());
  await stopped;
  assert.equal((await again.requests.call("scim", "handle", request())).status, 200);
  await again.close();
});

test("an instance serves its own organization alone", async () => {
  const other = new Organization(host, "other");
  assert.equal((await other.requests.call("scim", "handle", request())).status, 401);
  assert.equal(await other.requests.call("directory", "getOrganization"), undefined);
  await other.close();
});
