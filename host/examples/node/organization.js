import { Caller } from "./caller.js";

// How long a request may take, and how long a call of the jobs, which wait for mail servers and webhooks.
const REQUEST_MILLISECONDS = 30_000;
const JOBS_MILLISECONDS = 120_000;

/**
 * An organization with two instances, so that a long call of the jobs delays no request. The conditions of the storage keep
 * the two apart, as they keep two hosts apart.
 */
export class Organization {
  constructor(host, id) {
    this.id = id;
    this.requests = new Caller(host, id, REQUEST_MILLISECONDS);
    this.jobs = new Caller(host, id, JOBS_MILLISECONDS);
  }

  /** Waits for the calls that were made. */
  async close() {
    await Promise.all([this.requests.close(), this.jobs.close()]);
  }
}
