// The import `storage`: one organization's ordered, transactional key-value space, in SQLite.
//
// The methods of `Storage` are the functions of `wit/storage.wit`. They take and return jco's forms of its types: a
// `Uint8Array` for `list<u8>`, a `BigInt` for 64 bits, an object for a record, `{ tag, val }` for a variant, `undefined` for
// an absent option. A refusal is thrown as a `StorageError`; jco passes its `payload` on as the WIT's `storage-error`.

import { BUFFERED, connect, createOrganization, DURABLE } from "./database.js";
import { Refusal } from "./refusal.js";

// The limits of `wit/storage.wit`. This host sets no lower ones.
const KEY_BYTES = 512;
const VALUE_BYTES = 1 << 20;
const GET_KEYS = 20_000;
const GET_BYTES = 64 << 20;
const SCAN_PAGES = 4_096;
const SCAN_BYTES = 16 << 20;
const PAGE_ENTRIES = 4_096;
const PAGE_BYTES = 4 << 20;
const COMMIT_PARTS = 650_000;
const COMMIT_BYTES = 96 << 20;

// A counter's value: a decimal integer without a plus and without leading zeros.
const COUNTER = /^(0|-?[1-9][0-9]{0,18})$/;
const COUNTER_LEAST = -(1n << 63n);
const COUNTER_MOST = (1n << 63n) - 1n;

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_FULL = 13;

/** Why a call was refused: a case of `storage-error`. */
export class StorageError extends Refusal {}

/** The space of one organization. */
export class Storage {
  constructor(path, organization) {
    this.organization = organization;
    this.durable = new Connection(path, DURABLE);
    this.buffered = new Connection(path, BUFFERED);
    createOrganization(this.durable.database, organization);
  }

  /** Ends the connections. Everything is in the file already. */
  close() {
    this.durable.database.close();
    this.buffered.database.close();
  }

  /** The items at the keys, in their order; `undefined` for an absent one. */
  get(keys) {
    if (keys.length > GET_KEYS) throw new StorageError("too-large");
    keys.forEach(checkKey);
    return this.durable.transaction("deferred", (statements) => {
      let size = 0;
      return keys.map((key) => {
        const item = statements.item.get(this.organization, key);
        if (item === undefined) return undefined;
        size += item.value.length;
        if (size > GET_BYTES) throw new StorageError("too-large");
        return { value: item.value, version: item.version };
      });
    });
  }

  /**
   * The pages, in their order. Together they have at most `SCAN_BYTES`. The pages after the one that would exceed this are
   * empty, and `more` says whether there is something to read.
   */
  scan(pages) {
    if (pages.length > SCAN_PAGES) throw new StorageError("too-large");
    for (const { range } of pages) checkRange(range);
    return this.durable.transaction("deferred", (statements) => {
      let left = SCAN_BYTES;
      return pages.map((page) => {
        const { entries, more, used, full } = this.#page(statements, page, left);
        left = full ? 0 : left - used;
        return { entries, more };
      });
    });
  }

  /** One page within `left` bytes: its entries, whether there are more, its bytes, and whether `left` ended it. */
  #page(statements, page, left) {
    const statement = page.reverse ? statements.scanBackwards : statements.scan;
    const limit = Math.min(page.limit, PAGE_ENTRIES);
    const entries = [];
    let used = 0;
    // One more entry than asked for shows whether there are more.
    for (const entry of statement.iterate(this.organization, page.range.start, page.range.end, limit + 1, page.skip)) {
      const size = entry.key.length + entry.value.length;
      if (entries.length === limit || used + size > PAGE_BYTES) return { entries, more: true, used, full: false };
      if (used + size > left) return { entries, more: true, used, full: true };
      used += size;
      entries.push({ key: entry.key, value: entry.value, version: entry.version });
    }
    return { entries, more: false, used, full: false };
  }

  /**
   * Makes the changes if all conditions are met. The commit is atomic, and durable when it returns. Returns the version of
   * everything that it wrote.
   */
  commit(transaction) {
    checkTransaction(transaction);
    return this.durable.transaction("immediate", (statements) => {
      for (const condition of transaction.conditions) this.#checkCondition(statements, condition);
      const version = this.#nextVersion(statements);
      for (const change of transaction.changes) this.#makeChange(statements, change, version);
      if (transaction.wakeAt !== undefined) {
        // SQLite's integers are signed. No clock shows a time beyond them.
        const time = transaction.wakeAt < COUNTER_MOST ? transaction.wakeAt : COUNTER_MOST;
        statements.wakeAt.run(time, this.organization);
      }
      return version;
    });
  }

  /** Puts the entries, in order. They are in the file when this returns, but may not be on the disk. */
  append(entries) {
    if (entries.length > COMMIT_PARTS) throw new StorageError("too-large");
    let size = 0;
    for (const { key, value } of entries) {
      checkKey(key);
      checkValue(value);
      size += key.length + value.length;
    }
    if (size > COMMIT_BYTES) throw new StorageError("too-large");
    this.buffered.transaction("immediate", (statements) => {
      const version = this.#nextVersion(statements);
      for (const { key, value } of entries) statements.put.run(this.organization, key, value, version);
    });
  }

  #checkCondition(statements, { tag, val }) {
    const key = tag === "version" ? val.key : val;
    const version = statements.version.get(this.organization, key)?.version;
    const holds =
      tag === "exists" ? version !== undefined : tag === "absent" ? version === undefined : version === val.version;
    if (!holds) throw new StorageError("conflict", key);
  }

  #nextVersion(statements) {
    return statements.nextVersion.get(this.organization).version;
  }

  #makeChange(statements, { tag, val }, version) {
    switch (tag) {
      case "put":
        statements.put.run(this.organization, val.key, val.value, version);
        break;
      case "delete":
        statements.delete.run(this.organization, val);
        break;
      case "delete-range":
        statements.deleteRange.run(this.organization, val.start, val.end);
        break;
      default:
        this.#add(statements, val, version);
    }
  }

  #add(statements, { key, delta, min = COUNTER_LEAST, max = COUNTER_MOST }, version) {
    const item = statements.item.get(this.organization, key);
    const sum = (item === undefined ? 0n : counter(item.value)) + delta;
    if (sum < min || sum > max || sum < COUNTER_LEAST || sum > COUNTER_MOST) throw new StorageError("limit", key);
    statements.put.run(this.organization, key, new TextEncoder().encode(`${sum}`), version);
  }
}

/** A connection with its prepared statements. Integers are read as `BigInt`. */
class Connection {
  constructor(path, synchronous) {
    this.database = connect(path, synchronous);
    const prepare = (text) => {
      const statement = this.database.prepare(text);
      statement.setReadBigInts(true);
      return statement;
    };
    const range = "select key, value, version from item where organization = ? and key >= ? and key < ?";
    this.statements = {
      item: prepare("select value, version from item where organization = ? and key = ?"),
      version: prepare("select version from item where organization = ? and key = ?"),
      scan: prepare(`${range} order by key limit ? offset ?`),
      scanBackwards: prepare(`${range} order by key desc limit ? offset ?`),
      nextVersion: prepare("update organization set version = version + 1 where id = ? returning version"),
      put: prepare(
        `insert into item (organization, key, value, version) values (?, ?, ?, ?)
         on conflict (organization, key) do update set value = excluded.value, version = excluded.version`,
      ),
      delete: prepare("delete from item where organization = ? and key = ?"),
      deleteRange: prepare("delete from item where organization = ? and key >= ? and key < ?"),
      wakeAt: prepare("update organization set wake_at = min(coalesce(wake_at, ?1), ?1) where id = ?2"),
    };
  }

  /** Runs `work` in a transaction: committed when it returns, rolled back when it throws. */
  transaction(mode, work) {
    try {
      this.database.exec(`begin ${mode}`);
      try {
        const result = work(this.statements);
        this.database.exec("commit");
        return result;
      } finally {
        if (this.database.isTransaction) this.database.exec("rollback");
      }
    } catch (error) {
      throw translate(error);
    }
  }
}

/** What SQLite throws, as a `StorageError`. */
function translate(error) {
  if (error instanceof StorageError) return error;
  switch (error.errcode & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return new StorageError("unavailable", error.message);
    case SQLITE_FULL:
      return new StorageError("full");
    default:
      return new StorageError("other", error.message);
  }
}

/** The number that a counter's value stands for. */
function counter(value) {
  const text = new TextDecoder().decode(value);
  const number = COUNTER.test(text) ? BigInt(text) : undefined;
  if (number === undefined || number < COUNTER_LEAST || number > COUNTER_MOST) {
    throw new StorageError("other", "the value is no counter");
  }
  return number;
}

function checkKey(key) {
  if (key.length === 0) throw new StorageError("other", "a key is empty");
  if (key.length > KEY_BYTES) throw new StorageError("too-large");
}

/** Refuses an end of a range that is longer than a key; an empty one is valid. */
function checkRange({ start, end }) {
  if (start.length > KEY_BYTES || end.length > KEY_BYTES) throw new StorageError("too-large");
}

function checkValue(value) {
  if (value.length > VALUE_BYTES) throw new StorageError("too-large");
}

/** Refuses a transaction beyond the limits, before anything is read. */
function checkTransaction({ conditions, changes }) {
  if (conditions.length > COMMIT_PARTS || changes.length > COMMIT_PARTS) throw new StorageError("too-large");
  let size = 0;
  for (const { tag, val } of conditions) {
    const key = tag === "version" ? val.key : val;
    checkKey(key);
    size += key.length;
  }
  for (const { tag, val } of changes) {
    switch (tag) {
      case "put":
        checkKey(val.key);
        checkValue(val.value);
        size += val.key.length + val.value.length;
        break;
      case "delete":
        checkKey(val);
        size += val.length;
        break;
      case "delete-range":
        checkRange(val);
        size += val.start.length + val.end.length;
        break;
      default:
        checkKey(val.key);
        size += val.key.length;
    }
  }
  if (size > COMMIT_BYTES) throw new StorageError("too-large");
}
