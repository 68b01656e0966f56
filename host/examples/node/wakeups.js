// When each organization's jobs must be called, and which host calls them, as `wit/storage.wit` requires at `wake-at`.
//
// A commit sets a time in its own transaction. Before the host calls the jobs, it claims the organization: it removes the time
// that has come, and stores until when the claim lasts. Commits that arrive meanwhile set a time of their own. When the call
// has returned, the earlier one of that time and of the returned time is used, so no wake-up is lost. A host that crashes does
// not renew its claim. When the claim has ended, the organization is due again.
//
// Times are milliseconds since 1970, as `BigInt`.

import { connect, nextVersion } from "./database.js";

// How long a claim lasts unless it is renewed.
const CLAIM = 15_000n;
// The longest pause between two calls of an organization that has something planned.
const LONGEST_PAUSE = 6n * 60n * 60n * 1000n;
// How far the clocks of two hosts may differ before one treats the other's times as wrong.
const TOLERANCE = 60_000n;

/** The due times of all organizations in one file. */
export class WakeUps {
  constructor(path) {
    this.database = connect(path);
    const prepare = (text) => {
      const statement = this.database.prepare(text);
      statement.setReadBigInts(true);
      return statement;
    };
    this.times = prepare("select * from organization where wake_at is not null or claim is not null");
    this.row = prepare("select * from organization where id = ?");
    this.take = prepare("update organization set wake_at = ?, claim = ?, claimed_until = ? where id = ?");
    this.prolong = prepare("update organization set claimed_until = ? where id = ? and claim = ?");
    this.wake = prepare("update organization set wake_at = min(coalesce(wake_at, ?1), ?1) where id = ?2");
    this.end = prepare("update organization set claim = null, claimed_until = null where id = ? and claim = ?");
  }

  /** Ends the connection. */
  close() {
    this.database.close();
  }

  /** The organizations that may be claimed, those that have waited longest first. */
  due(now) {
    const due = this.#times(now).filter(({ time }) => time <= now);
    return due.sort((a, b) => Number(a.time - b.time)).map(({ organization }) => organization);
  }

  /** When the next organization may be claimed; `undefined` if nothing is planned. */
  nextDue(now) {
    return this.#times(now).reduce(
      (next, { time }) => (next === undefined || time < next ? time : next),
      undefined,
    );
  }

  /**
   * Claims the organization and removes the time that has come; `undefined` if the organization is not due, or another host
   * was faster.
   */
  claim(organization, now) {
    return this.#transaction(() => {
      const row = this.row.get(organization);
      const time = row && nextTime(row, now);
      if (time === undefined || time > now) return undefined;
      const stays = row.wake_at !== null && row.wake_at > now && isPossible(row.wake_at, now, LONGEST_PAUSE);
      const claim = { number: nextVersion(this.database, organization), until: now + CLAIM };
      this.take.run(stays ? row.wake_at : null, claim.number, claim.until, organization);
      return claim;
    });
  }

  /** Renews the claim from now on; `undefined` if another host has it by now. Then the call must be stopped. */
  renew(organization, number, now) {
    const { changes } = this.prolong.run(now + CLAIM, organization, number);
    return changes > 0 ? { number, until: now + CLAIM } : undefined;
  }

  /**
   * Ends the claim: the organization is due at `next`, or earlier if a commit has set an earlier time meanwhile. Returns
   * whether the claim was still this one. Another host's claim stays, but `next` counts nevertheless.
   */
  release(organization, number, next) {
    return this.#transaction(() => {
      if (next !== undefined) this.wake.run(next, organization);
      return this.end.run(organization, number).changes > 0;
    });
  }

  #times(now) {
    return this.times.all().map((row) => ({ organization: row.id, time: nextTime(row, now) }));
  }

  #transaction(work) {
    this.database.exec("begin immediate");
    try {
      const result = work();
      this.database.exec("commit");
      return result;
    } finally {
      if (this.database.isTransaction) this.database.exec("rollback");
    }
  }
}

/**
 * The time to store for this one, if there is one. The jobs are called by then in any case, and a later time would be treated
 * as that of a wrong clock.
 */
export function capped(time) {
  const latest = now() + LONGEST_PAUSE;
  return time > latest ? latest : time;
}

/** The time now. */
export function now() {
  return BigInt(Date.now());
}

/** When an organization may be claimed. A time that can't be right counts as past. */
function nextTime(row, now) {
  const [time, longest] = row.claim === null ? [row.wake_at, LONGEST_PAUSE] : [row.claimed_until, CLAIM];
  if (time === null) return undefined;
  return isPossible(time, now, longest) ? time : now;
}

/**
 * Whether a stored time can be right: no host sets a time further ahead than this. A clock that was ahead and was corrected
 * later has stored such times.
 */
function isPossible(time, now, longest) {
  return time - now <= longest + TOLERANCE;
}
