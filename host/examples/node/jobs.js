// Calls each organization's jobs when they are due. If a call fails, it is repeated after a pause.

import { setTimeout as pause } from "node:timers/promises";

import { capped, now, WakeUps } from "./wakeups.js";

// How often the host looks for organizations that are due.
const LOOK_MILLISECONDS = 500;
// How often a claim is renewed: well before it ends.
const RENEW_MILLISECONDS = 5_000;
// The pause after a failure, which doubles with each further one in a row.
const FIRST_PAUSE = 1_000;
const LAST_PAUSE = 300_000;

/** Calls the jobs of all organizations, one after the other. */
export class Jobs {
  #ended = new AbortController();
  #running;
  #failures = new Map();

  constructor(path, organizations, pageUrl) {
    this.wakeups = new WakeUps(path);
    this.organizations = organizations;
    // This host takes no events, so none wait for `journal.take-events`.
    this.context = { pageUrl, subscribed: false };
  }

  /** Begins to look. */
  start() {
    this.#running = this.#run();
  }

  /** Waits for the running call, and begins no other. */
  async end() {
    this.#ended.abort();
    await this.#running;
    this.wakeups.close();
  }

  async #run() {
    while (!this.#ended.signal.aborted) {
      try {
        for (const id of this.wakeups.due(now())) {
          const claim = this.organizations.has(id) ? this.wakeups.claim(id, now()) : undefined;
          if (claim !== undefined) await this.#call(this.organizations.get(id), claim);
        }
      } catch (error) {
        console.error("the jobs could not be looked for:", error);
      }
      await pause(LOOK_MILLISECONDS, undefined, { signal: this.#ended.signal }).catch(() => {});
    }
  }

  async #call(organization, { number }) {
    const renewal = setInterval(() => {
      if (this.wakeups.renew(organization.id, number, now()) !== undefined) return;
      clearInterval(renewal);
      organization.jobs.stop("another host has taken over the jobs");
    }, RENEW_MILLISECONDS);
    let next;
    try {
      next = await organization.jobs.call("jobs", "runDue", this.context);
      this.#failures.delete(organization.id);
    } catch (error) {
      console.error(`the jobs of ${organization.id} failed:`, error.message);
      const failures = (this.#failures.get(organization.id) ?? 0) + 1;
      this.#failures.set(organization.id, failures);
      next = now() + BigInt(Math.min(LAST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1)));
    } finally {
      clearInterval(renewal);
    }
    this.wakeups.release(organization.id, number, capped(next));
  }
}
