// Measures the time of calls, with the database on the disk: `node measure.js COMPONENT`. For each call it prints the median
// of the call alone, in the thread of the instance, the median of the whole way through `caller.js`, and the processor time,
// which depends less on other load.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { compile } from "./component.js";
import { createDemo } from "./demo.js";
import { Instance } from "./instance.js";
import { Organization } from "./organization.js";
import { Outgoing } from "./outgoing.js";
import { Secrets } from "./secrets.js";
import { Storage } from "./storage.js";

const USERS = 300;
const CALLS = 300;

const data = mkdtempSync(join(tmpdir(), "measure-"));
const database = join(data, "host.db");
const host = { data, database, key: Buffer.alloc(32), outgoing: new Outgoing() };
const begin = performance.now();
host.compiled = await compile(process.argv[2], join(data, "component"));
console.log(`transpile and compile: ${(performance.now() - begin).toFixed(0)} ms`);
const again = performance.now();
await compile(process.argv[2], join(data, "component"));
console.log(`compile what is kept: ${(performance.now() - again).toFixed(0)} ms`);

const acme = new Organization(host, "acme");
const token = await createDemo(acme, 2_000);
const storage = new Storage(database, "acme");
const secrets = new Secrets(host.key, "acme");
const refuse = () => {
  throw new Error("not while it is measured");
};
const imports = {
  storage: Object.fromEntries(
    ["get", "scan", "commit", "append"].map((name) => [name, (...parameters) => storage[name](...parameters)]),
  ),
  secrets: { seal: (plain) => secrets.seal(plain), open: (sealed) => secrets.open(sealed) },
  email: { send: refuse },
  http: { send: refuse },
};
const first = performance.now();
await Instance.create(host.compiled, imports);
const second = performance.now();
const instance = await Instance.create(host.compiled, imports);
console.log(`first instance: ${(second - first).toFixed(1)} ms, a further one: ${(performance.now() - second).toFixed(1)} ms`);

await measure("the call alone", "a", (...call) => instance.call(...call));
await measure("through the thread", "b", (...call) => acme.requests.call(...call));
await acme.close();
storage.close();
rmSync(data, { recursive: true });

async function measure(way, prefix, call) {
  let number = 0;
  const ask = async (expected, method, path, query, body = "") => {
    number += 1;
    const { status, body: answer } = await call("scim", "handle", {
      method,
      path,
      query,
      headers: [
        ["authorization", `Bearer ${token}`],
        ["content-type", "application/scim+json"],
      ],
      body: new TextEncoder().encode(body),
      baseUrl: "https://scim.example.com/scim/v2/acme",
      requestId: `${prefix}${number}`,
      senderAddress: undefined,
    });
    const text = new TextDecoder().decode(answer);
    if (status !== expected) throw new Error(`${status}: ${text}`);
    return JSON.parse(text);
  };
  const post = (n) =>
    ask(201, "POST", "/Users", undefined, JSON.stringify({
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
      userName: `${prefix}${n}@acme.example`,
    }));
  const timed = async (name, calls, work) => {
    const times = [];
    const busy = process.cpuUsage();
    for (let n = 0; n < calls; n += 1) {
      const begin = performance.now();
      await work(n);
      times.push(performance.now() - begin);
    }
    const { user, system } = process.cpuUsage(busy);
    const median = times.sort((a, b) => a - b)[calls >> 1].toFixed(2);
    console.log(`${name}, ${way}: ${median} ms, processor ${((user + system) / calls / 1000).toFixed(2)} ms`);
  };
  await timed("POST of a user", USERS, post);
  const { id } = await post(USERS);
  await timed("GET by id", CALLS, () => ask(200, "GET", `/Users/${id}`));
  await timed("list of 100", CALLS / 5, () => ask(200, "GET", "/Users", "count=100"));
}
