// Runs the rules of `tests/conformance/` over this host's storage and wake-ups: `npm test`.
//
// `tests/conformance/README.md` describes the form of the files. Each rule begins with an empty database. Its steps are calls
// with the expected answers.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

import { deleteOrganization } from "./database.js";
import { Storage, StorageError } from "./storage.js";
import { WakeUps } from "./wakeups.js";

/** Makes a test of each rule of a file. */
function load(file) {
  const rules = [];
  for (const line of readFileSync(file, "utf8").split("\n").filter(Boolean)) {
    const step = JSON.parse(line);
    if (step.rule === undefined) rules.at(-1).steps.push(step);
    else rules.push({ ...step, steps: [] });
  }
  for (const { rule, steps } of rules) test(rule, () => run(steps));
}

async function run(steps) {
  const directory = mkdtempSync(join(tmpdir(), "conformance-"));
  const world = new World(join(directory, "host.db"));
  try {
    for (const step of steps) {
      try {
        await world.step(step);
      } catch (error) {
        error.message = `${JSON.stringify(step).slice(0, 300)}\n${error.message}`;
        throw error;
      }
    }
  } finally {
    world.close();
    rmSync(directory, { recursive: true });
  }
}

/** The database of a rule, and the numbers that its steps have named. */
class World {
  constructor(path, names = new Map()) {
    this.path = path;
    this.names = names;
    this.storages = new Map();
    this.wakeups = new WakeUps(path);
  }

  close() {
    for (const storage of this.storages.values()) storage.close();
    this.storages.clear();
    this.wakeups.close();
  }

  storage(organization) {
    if (!this.storages.has(organization)) this.storages.set(organization, new Storage(this.path, organization));
    return this.storages.get(organization);
  }

  async step(step) {
    if (step.grows !== undefined) {
      const numbers = step.grows.map((name) => this.names.get(name));
      assert.ok(
        numbers.every((number, place) => place === 0 || numbers[place - 1] < number),
        `${numbers} do not grow`,
      );
    } else if (step["at-once"] !== undefined) {
      await this.atOnce(step);
    } else if (step.call === "reopen") {
      this.close();
      this.wakeups = new WakeUps(this.path);
    } else if (step.call === "settle") {
      // This storage writes appended entries at once.
    } else if (step.call === "delete-and-make-again") {
      deleteOrganization(this.wakeups.database, step.organization ?? "a");
    } else {
      this.check(step, this.call(step));
    }
  }

  /** The answer of the call; a `StorageError` is an answer as well. */
  call(step, n) {
    const organization = step.organization ?? "a";
    const storage = this.storage(organization);
    const now = step.now === undefined ? undefined : BigInt(step.now);
    try {
      switch (step.call) {
        case "get":
          return storage.get(numbered(step.keys, n).map(([key, m]) => data(key, m)));
        case "scan":
          return storage.scan(numbered(step.pages, n).map(([each, m]) => page(each, m)));
        case "commit":
          return storage.commit({
            conditions: numbered(step.conditions ?? [], n).map(([each, m]) => this.condition(each, m)),
            changes: numbered(step.changes ?? [], n).map(([each, m]) => change(each, m)),
            wakeAt: step["wake-at"] === undefined ? undefined : BigInt(step["wake-at"]),
          });
        case "append":
          return storage.append(numbered(step.entries, n).map(([each, m]) => keyValue(each, m)));
        case "due":
          return this.wakeups.due(now);
        case "next-due":
          return this.wakeups.nextDue(now);
        case "claim":
          return this.wakeups.claim(organization, now);
        case "renew":
          return this.wakeups.renew(organization, this.names.get(step.number), now);
        case "release": {
          const next = step.next === null ? undefined : BigInt(step.next);
          return this.wakeups.release(organization, this.names.get(step.number), next);
        }
        default:
          throw new Error(`a step calls ${step.call}, which this runner does not know`);
      }
    } catch (error) {
      if (error instanceof StorageError) return error;
      throw error;
    }
  }

  /** Makes the same call from many threads, each with connections of its own, and counts the results. */
  async atOnce(step) {
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const outcomes = await Promise.all(
      Array.from({ length: step["at-once"] }, (_, n) => {
        const { promise, resolve, reject } = Promise.withResolvers();
        const worker = new Worker(new URL(import.meta.url), {
          workerData: { step, n, gate, path: this.path, names: this.names },
        });
        worker.once("message", resolve).once("error", reject);
        return promise;
      }),
    );
    const counts = Object.fromEntries(Object.entries(Object.groupBy(outcomes, String)).map(([k, v]) => [k, v.length]));
    assert.deepEqual(counts, step.outcomes);
  }

  check(step, answer) {
    if (answer instanceof StorageError) {
      assert.notEqual(step.err, undefined, `refused: ${answer.payload.tag} ${answer.payload.val}`);
      const [tag, val] = typeof step.err === "string" ? [step.err] : Object.entries(step.err)[0];
      assert.equal(answer.payload.tag, tag);
      if (val !== undefined) assertBytes(answer.payload.val, data(val));
      return;
    }
    assert.equal(step.err, undefined, "it is not refused");
    if (step.ok === undefined) return;
    switch (step.call) {
      case "get":
        zip(answer, spliced(step.ok), (item, expected) => this.item(item, expected));
        break;
      case "scan": {
        zip(answer, spliced(step.ok), (scanned, expected) => this.scanned(scanned, expected));
        const entries = answer.flatMap((scanned) => scanned.entries);
        const size = entries.reduce((sum, entry) => sum + entry.key.length + entry.value.length, 0);
        assert.ok(size <= (step["at-most-bytes"] ?? size), `${size} bytes`);
        break;
      }
      case "commit":
        this.number(answer, step.ok);
        break;
      case "claim":
      case "renew":
        if (step.ok === null) assert.equal(answer, undefined);
        else {
          assert.notEqual(answer, undefined);
          this.number(answer.number, step.ok.number);
          if (step.ok.until !== undefined) assert.equal(answer.until, BigInt(step.ok.until));
        }
        break;
      case "next-due":
        assert.equal(answer, step.ok === null ? undefined : BigInt(step.ok));
        break;
      default:
        assert.deepEqual(answer, step.ok);
    }
  }

  item(item, expected) {
    if (expected === null) return assert.equal(item, undefined);
    assert.notEqual(item, undefined, "the item is absent");
    const { value, version } = typeof expected === "string" ? { value: expected } : expected;
    if (value !== undefined) assertBytes(item.value, data(value));
    if (version !== undefined) this.number(item.version, version);
  }

  scanned(scanned, { more, keys, entries, count }) {
    assert.equal(scanned.more, more);
    if (keys !== undefined) zip(scanned.entries, keys, (entry, key) => assertBytes(entry.key, data(key)));
    if (entries !== undefined) {
      zip(scanned.entries, entries, (entry, expected) => {
        assertBytes(entry.key, data(expected.key));
        this.item(entry, expected);
      });
    }
    if (count !== undefined) {
      const [least, most] = Array.isArray(count) ? count : [count, count];
      const found = scanned.entries.length;
      assert.ok(least <= found && found <= most, `${found} entries`);
    }
  }

  /** The number with this name. A new name is given to it. */
  number(number, name) {
    if (!this.names.has(name)) this.names.set(name, number);
    assert.equal(number, this.names.get(name));
  }

  condition(condition, n) {
    const [[tag, val]] = Object.entries(condition);
    if (tag !== "version") return { tag, val: data(val, n) };
    return { tag, val: { key: data(val[0], n), version: this.names.get(val[1]) ?? BigInt(val[1]) } };
  }
}

/** The bytes of a value that is written as a text, in hex, or as a repeated text. */
function data(value, n) {
  if (typeof value === "string") {
    return new TextEncoder().encode(n === undefined ? value : value.replaceAll("{n}", String(n).padStart(6, "0")));
  }
  if (value.hex !== undefined) return Uint8Array.from(Buffer.from(value.hex, "hex"));
  return new TextEncoder().encode(value.bytes.repeat(value.times));
}

/** The elements of a list, with `{times, of}` expanded. Each comes with the number for `{n}`. */
function numbered(values, n) {
  return values.flatMap((value) =>
    value?.of === undefined ? [[value, n]] : Array.from({ length: value.times }, (_, m) => [value.of, m]),
  );
}

function spliced(values) {
  return numbered(values).map(([value]) => value);
}

function page({ start = "", end, reverse = false, skip = 0, limit = 1000 }, n) {
  return { range: { start: data(start, n), end: data(end, n) }, reverse, skip, limit };
}

function keyValue([key, value], n) {
  return { key: data(key, n), value: data(value, n) };
}

function change(change, n) {
  const [[tag, val]] = Object.entries(change);
  switch (tag) {
    case "put":
      return { tag, val: keyValue(val, n) };
    case "delete":
      return { tag, val: data(val, n) };
    case "delete-range":
      return { tag, val: { start: data(val[0], n), end: data(val[1], n) } };
    default: {
      const { key, delta, min, max } = val;
      const bound = (number) => (number === undefined ? undefined : BigInt(number));
      return { tag, val: { key: data(key, n), delta: BigInt(delta), min: bound(min), max: bound(max) } };
    }
  }
}

function zip(found, expected, check) {
  assert.equal(found.length, expected.length);
  found.forEach((each, place) => check(each, expected[place]));
}

function assertBytes(found, expected) {
  assert.ok(Buffer.from(found).equals(expected), `${Buffer.from(found).subarray(0, 80)}, not ${expected.slice(0, 80)}`);
}

if (isMainThread) {
  const rules = new URL("../../../tests/conformance/", import.meta.url);
  load(new URL("storage.jsonl", rules));
  load(new URL("schedule.jsonl", rules));
} else {
  // This is one of the threads of `atOnce`. The last one that is ready lets all of them start at once.
  const { step, n, gate, path, names } = workerData;
  const world = new World(path, names);
  world.storage(step.organization ?? "a");
  if (Atomics.add(gate, 0, 1) === step["at-once"] - 1) Atomics.notify(gate, 0);
  else while (Atomics.load(gate, 0) < step["at-once"]) Atomics.wait(gate, 0, Atomics.load(gate, 0), 1000);
  const answer = world.call(step, n);
  parentPort.postMessage(answer instanceof StorageError ? answer.payload.tag : answer === undefined ? "none" : "ok");
  world.close();
}
