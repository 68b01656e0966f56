// Tests the imports besides storage: secrets, email, and requests to others.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { MailFolder } from "./email.js";
import { isPublic, Outgoing } from "./outgoing.js";
import { loadKey, Secrets } from "./secrets.js";

const folder = () => mkdtempSync(join(tmpdir(), "capabilities-"));
const refused = (tag) => (error) => error.payload?.tag === tag;

test("what is sealed is opened by the same organization alone", () => {
  const path = join(folder(), "secrets.key");
  const key = loadKey(path);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(loadKey(path), key);
  const acme = new Secrets(key, "acme");
  for (const plain of [new Uint8Array(), new Uint8Array([0, 255, 10])]) {
    const sealed = acme.seal(plain);
    assert.deepEqual(acme.open(sealed), plain);
    assert.notDeepEqual(acme.seal(plain), sealed, "a nonce is used once");
    assert.throws(() => new Secrets(key, "other").open(sealed), refused("not-authentic"));
    for (let at = 0; at < sealed.length; at += 1) {
      const altered = sealed.slice();
      altered[at] ^= 1;
      assert.throws(() => acme.open(altered), refused("not-authentic"));
      assert.throws(() => acme.open(sealed.slice(0, at)), refused("not-authentic"));
    }
  }
});

test("a message is a file that is there once", () => {
  const path = folder();
  const mail = new MailFolder(path);
  const message = { id: "01-a", date: 0n, to: "a@acme.example", subject: "Grüße 🦊", text: "Hello", html: "<p>Hello" };
  mail.send(message);
  mail.send(message);
  assert.deepEqual(readdirSync(path), ["01-a.eml"]);
  const text = readFileSync(join(path, "01-a.eml"), "latin1");
  assert.match(text, /^Subject: =\?utf-8\?B\?[A-Za-z0-9+/=]+\?=\r$/m);
  assert.match(text, /^Date: Thu, 01 Jan 1970 00:00:00 \+0000\r$/m);
  assert.throws(() => mail.send({ ...message, id: "../b" }), refused("rejected"));
  assert.throws(() => mail.send({ ...message, to: "a@b\r\nBcc: c@d" }), refused("rejected"));
});

test("only the public internet is reached", async () => {
  for (const address of ["8.8.8.8", "2606:4700::1111"]) assert.ok(isPublic(address), address);
  for (const address of [
    "127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1",
  ]) {
    assert.ok(!isPublic(address), address);
  }
  const ask = (url) => new Outgoing().send({ method: "GET", url, headers: [], body: new Uint8Array() });
  for (const url of ["https://127.0.0.1/", "https://[::1]/", "https://localhost/", "https://0x7f000001/", "http://8.8.8.8/"]) {
    await assert.rejects(ask(url), refused("not-allowed"), url);
  }
  for (const url of ["ftp://8.8.8.8/", "nothing", ""]) await assert.rejects(ask(url), refused("invalid"), url);
});

test("a response is whole, or refused", async (context) => {
  const server = createServer((request, response) => {
    if (request.url === "/large") response.end(Buffer.alloc((1 << 20) + 1));
    else if (request.url === "/redirect") response.writeHead(302, { Location: "http://10.0.0.1/" }).end();
    else if (request.url !== "/silent") request.pipe(response.writeHead(201, { "X-Method": request.method }));
  }).listen(0, "127.0.0.1");
  context.after(() => server.close().closeAllConnections());
  await once(server, "listening");
  const { port } = server.address();
  const outgoing = new Outgoing({ private: true });
  const ask = (path, more = {}) => {
    const url = `http://127.0.0.1:${port}${path}`;
    return outgoing.send({ method: "POST", url, headers: [["x-a", "b"]], body: new Uint8Array([1, 2]), ...more });
  };
  const { status, headers, body } = await ask("/echo");
  assert.deepEqual([status, body], [201, new Uint8Array([1, 2])]);
  assert.deepEqual(headers.find(([name]) => name === "x-method"), ["x-method", "POST"]);
  assert.equal((await ask("/redirect")).status, 302);
  await assert.rejects(ask("/large"), refused("too-large"));
  await assert.rejects(ask("/silent", { timeoutMilliseconds: 100 }), refused("timeout"));
  await assert.rejects(ask("/echo", { method: "TRACE" }), refused("invalid"));
  await assert.rejects(ask("/echo", { headers: [["x-a", "b\r\nc: d"]] }), refused("invalid"));
  const closed = once(server, "close");
  server.close().closeAllConnections();
  await closed;
  await assert.rejects(ask("/echo"), refused("unreachable"));
});
