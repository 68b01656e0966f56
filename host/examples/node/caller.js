// Calls the instance in a thread (worker.js), one call at a time, each under a deadline.

import { Worker } from "node:worker_threads";

import { ActionRefused } from "./instance.js";
import { Refusal } from "./refusal.js";

/** The call ended in a trap or at its deadline. Nothing is half-written; the instance is gone. */
export class ComponentFailed extends Error {}

export class Caller {
  #host;
  #organization;
  #milliseconds;
  #worker;
  #last = Promise.resolve();
  // Settles the promise of the running call.
  #settle;

  constructor(host, organization, milliseconds) {
    this.#host = host;
    this.#organization = organization;
    this.#milliseconds = milliseconds;
  }

  /** Calls an export. Throws `ActionRefused` for an `action-error`, and `ComponentFailed` for everything else. */
  call(name, functionName, ...parameters) {
    const answer = this.#last.then(() => this.#enter({ name, functionName, parameters }));
    this.#last = answer.catch(() => {});
    return answer;
  }

  /** Ends the running call, if there is one. The next call gets a thread of its own. */
  stop(reason = "the call was stopped") {
    const worker = this.#worker;
    this.#worker = undefined;
    worker?.terminate();
    this.#settle?.({ failed: reason });
  }

  /** Waits for the calls that were made, and ends the thread. */
  async close() {
    await this.#last;
    this.stop();
  }

  async #enter(call) {
    this.#worker ??= this.#start();
    const { promise, resolve } = Promise.withResolvers();
    this.#settle = resolve;
    const deadline = setTimeout(() => this.stop(`no answer for ${this.#milliseconds} ms`), this.#milliseconds);
    this.#worker.postMessage(call);
    const { value, refused, failed } = await promise;
    clearTimeout(deadline);
    this.#settle = undefined;
    if (refused !== undefined) throw new ActionRefused(refused);
    if (failed !== undefined) {
      console.error(`${call.name}.${call.functionName} of ${this.#organization} failed: ${failed}`);
      throw new ComponentFailed(`${call.name}.${call.functionName} failed`);
    }
    return value;
  }

  #start() {
    const { compiled, data, database, key, outgoing } = this.#host;
    const worker = new Worker(new URL("./worker.js", import.meta.url), {
      workerData: { compiled, data, database, key, organization: this.#organization },
    });
    worker.on("message", (message) => {
      if (message.http !== undefined) answer(outgoing, message);
      // A thread that was ended may still have sent an answer. It does not belong to the next thread's call.
      else if (this.#worker === worker) this.#settle?.(message);
    });
    const lost = (reason) => {
      if (this.#worker === worker) this.stop(reason);
    };
    worker.on("error", (error) => lost(error.stack)).on("exit", (code) => lost(`the thread ended with ${code}`));
    return worker;
  }
}

/** Sends a request for a thread that waits for it. */
async function answer(outgoing, { http, answered, port }) {
  try {
    port.postMessage({ response: await outgoing.send(http) });
  } catch (error) {
    const refusal = error instanceof Refusal ? error : new Refusal("other", String(error));
    port.postMessage({ refused: refusal.payload });
  }
  Atomics.store(answered, 0, 1);
  Atomics.notify(answered, 0);
}
