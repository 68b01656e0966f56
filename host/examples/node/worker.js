// A thread with one instance of the component. Imports may block, and in a thread of its own they do not delay the server.
// Calls come one at a time (caller.js). The instance is made for the first call, and dropped after any fault.

import { join } from "node:path";
import { MessageChannel, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";

import { MailFolder } from "./email.js";
import { ActionRefused, Instance } from "./instance.js";
import { Refusal } from "./refusal.js";
import { Secrets } from "./secrets.js";
import { Storage } from "./storage.js";
import { capped } from "./wakeups.js";

const { compiled, organization, data, database, key } = workerData;
// How long the thread waits for the answer to a request that it sends. This is longer than the request may take.
const OUTGOING_MILLISECONDS = 60_000;

const storage = new Storage(database, organization);
const secrets = new Secrets(Buffer.from(key), organization);
const mail = new MailFolder(join(data, "mail", organization));
const imports = {
  storage: {
    get: (keys) => storage.get(keys),
    scan: (pages) => storage.scan(pages),
    commit: (transaction) => storage.commit({ ...transaction, wakeAt: capped(transaction.wakeAt) }),
    append: (entries) => storage.append(entries),
  },
  secrets: { seal: (plain) => secrets.seal(plain), open: (sealed) => secrets.open(sealed) },
  email: { send: (message) => mail.send(message) },
  http: { send },
};

let instance;

parentPort.on("message", async ({ name, functionName, parameters }) => {
  try {
    instance ??= await Instance.create(compiled, imports);
    parentPort.postMessage({ value: instance.call(name, functionName, ...parameters) });
  } catch (error) {
    if (error instanceof ActionRefused) {
      parentPort.postMessage({ refused: error.payload });
      return;
    }
    instance = undefined;
    parentPort.postMessage({ failed: error?.stack ?? String(error) });
  }
});

/** The import `http`: Node sends requests asynchronously, so the main thread does it, and this one waits. */
function send(request) {
  const answered = new Int32Array(new SharedArrayBuffer(4));
  const { port1, port2 } = new MessageChannel();
  parentPort.postMessage({ http: request, answered, port: port2 }, [port2]);
  Atomics.wait(answered, 0, 0, OUTGOING_MILLISECONDS);
  const answer = receiveMessageOnPort(port1)?.message;
  port1.close();
  if (answer === undefined) throw new Refusal("timeout");
  if (answer.refused !== undefined) throw new Refusal(answer.refused.tag, answer.refused.val);
  return answer.response;
}
