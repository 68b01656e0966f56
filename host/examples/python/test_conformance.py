"""Runs the rules of `tests/conformance/` over this host's storage and wake-ups: `python3 -m unittest` in this folder.

`tests/conformance/README.md` describes the form of the files. Each rule begins with an empty database. Its steps are calls
with the expected answers.
"""

import json
import tempfile
import threading
import unittest
from pathlib import Path

from wasmtime.component import Record, Variant

import database
from storage import Storage, StorageError
from wakeups import WakeUps
from wit import record

RULES = Path(__file__).resolve().parents[3] / "tests" / "conformance"


class Conformance(unittest.TestCase):
    """Each rule is a test of its own; `load` makes them."""


def load(file: str) -> None:
    rule: list[dict] = []
    for line in [*(RULES / file).read_text(encoding="utf-8").splitlines(), '{"rule": null}']:
        step = json.loads(line)
        if "rule" in step:
            if rule:
                steps = rule
                setattr(Conformance, f"test_{steps[0]['rule']}", lambda self, steps=steps: run(self, steps))
            rule = [step]
        else:
            rule.append(step)


def run(test: unittest.TestCase, rule: list[dict]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        world = World(test, str(Path(directory) / "host.db"))
        try:
            for step in rule[1:]:
                world.step(step)
        finally:
            world.close()


class World:
    """The database of a rule, and the numbers that its steps have named."""

    def __init__(self, test: unittest.TestCase, path: str) -> None:
        self.test = test
        self.path = path
        self.names: dict[str, int] = {}
        self.storages: dict[str, Storage] = {}
        self.wakeups = WakeUps(path)

    def close(self) -> None:
        for storage in self.storages.values():
            storage.close()
        self.storages.clear()
        self.wakeups.close()

    def storage(self, organization: str) -> Storage:
        if organization not in self.storages:
            self.storages[organization] = Storage(self.path, organization)
        return self.storages[organization]

    def step(self, step: dict) -> None:
        with self.test.subTest(step=json.dumps(step)[:300]):
            if "grows" in step:
                numbers = [self.names[name] for name in step["grows"]]
                self.test.assertEqual(numbers, sorted(set(numbers)), "they grow")
            elif "at-once" in step:
                self.at_once(step)
            elif step["call"] == "reopen":
                self.close()
                self.wakeups = WakeUps(self.path)
            elif step["call"] == "settle":
                pass  # This storage puts what is appended at once.
            elif step["call"] == "delete-and-make-again":
                database.delete_organization(self.wakeups.connection, step.get("organization", "a"))
            else:
                organization = step.get("organization", "a")
                self.check(step, self.call(step, self.storage(organization), self.wakeups, organization))

    def call(self, step: dict, storage: Storage, wakeups: WakeUps, organization: str, n: int | None = None) -> object:
        """The answer of the call; a `StorageError` is an answer as well."""
        try:
            match step["call"]:
                case "get":
                    return storage.get([data(key, n) for key in spliced(step["keys"])])
                case "scan":
                    return storage.scan([page(each, m) for each, m in numbered(step["pages"], n)])
                case "commit":
                    conditions = [self.condition(each, m) for each, m in numbered(step.get("conditions", []), n)]
                    changes = [change(each, m) for each, m in numbered(step.get("changes", []), n)]
                    wake_at = None if step.get("wake-at") is None else int(step["wake-at"])
                    return storage.commit(record(conditions=conditions, changes=changes, wake_at=wake_at))
                case "append":
                    entries = [key_value(each, m) for each, m in numbered(step["entries"], n)]
                    return storage.append(entries)
                case "due":
                    return wakeups.due(int(step["now"]))
                case "next-due":
                    return wakeups.next_due(int(step["now"]))
                case "claim":
                    return wakeups.claim(organization, int(step["now"]))
                case "renew":
                    return wakeups.renew(organization, self.names[step["number"]], int(step["now"]))
                case "release":
                    return wakeups.release(organization, self.names[step["number"]], step["next"])
                case other:
                    raise ValueError(f"a step calls {other}, which this runner does not know")
        except StorageError as error:
            return error

    def at_once(self, step: dict) -> None:
        """Makes the same call from many threads, each with connections of its own, and counts the results."""
        organization = step.get("organization", "a")
        begin = threading.Barrier(step["at-once"])
        outcomes: list[str] = []

        def work(n: int) -> None:
            storage, wakeups = Storage(self.path, organization), WakeUps(self.path)
            begin.wait()
            answer = self.call(step, storage, wakeups, organization, n)
            outcomes.append(answer.tag if isinstance(answer, StorageError) else "none" if answer is None else "ok")
            storage.close()
            wakeups.close()

        threads = [threading.Thread(target=work, args=(n,)) for n in range(step["at-once"])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.test.assertEqual({tag: outcomes.count(tag) for tag in set(outcomes)}, step["outcomes"])

    def check(self, step: dict, answer: object) -> None:
        if isinstance(answer, StorageError):
            self.test.assertIn("err", step, f"refused: {answer}")
            expected = step["err"]
            tag, payload = next(iter(expected.items())) if isinstance(expected, dict) else (expected, None)
            self.test.assertEqual(answer.tag, tag)
            if payload is not None:
                self.test.assertEqual(answer.payload, data(payload))
            return
        self.test.assertNotIn("err", step, "it is not refused")
        if "ok" not in step:
            return
        expected = step["ok"]
        match step["call"]:
            case "get":
                expected = spliced(expected)
                self.test.assertEqual(len(answer), len(expected))
                for item, each in zip(answer, expected):
                    self.item(item, each)
            case "scan":
                expected = spliced(expected)
                self.test.assertEqual(len(answer), len(expected))
                for scanned, each in zip(answer, expected):
                    self.scanned(scanned, each)
                size = sum(len(entry.key) + len(entry.value) for scanned in answer for entry in scanned.entries)
                self.test.assertLessEqual(size, step.get("at-most-bytes", size))
            case "commit":
                self.number(answer, expected)
            case "claim" | "renew" if expected is not None:
                self.test.assertIsNotNone(answer)
                self.number(answer.number, expected["number"])
                self.test.assertEqual(answer.until, expected.get("until", answer.until))
            case _:
                self.test.assertEqual(answer, expected)

    def item(self, item: Record | None, expected: object) -> None:
        if expected is None:
            self.test.assertIsNone(item)
            return
        self.test.assertIsNotNone(item)
        expected = expected if isinstance(expected, dict) else {"value": expected}
        if "value" in expected:
            self.test.assertEqual(item.value, data(expected["value"]))
        if "version" in expected:
            self.number(item.version, expected["version"])

    def scanned(self, scanned: Record, expected: dict) -> None:
        self.test.assertEqual(scanned.more, expected["more"])
        if "keys" in expected:
            self.test.assertEqual([entry.key for entry in scanned.entries], [data(key) for key in expected["keys"]])
        if "entries" in expected:
            self.test.assertEqual(len(scanned.entries), len(expected["entries"]))
            for entry, each in zip(scanned.entries, expected["entries"]):
                self.test.assertEqual(entry.key, data(each["key"]))
                self.item(entry, each)
        if "count" in expected:
            count = expected["count"]
            least, most = count if isinstance(count, list) else (count, count)
            self.test.assertTrue(least <= len(scanned.entries) <= most, f"{len(scanned.entries)} entries")

    def number(self, number: int, name: str) -> None:
        """The number with this name. A new name is given to it."""
        self.test.assertEqual(number, self.names.setdefault(name, number))

    def condition(self, condition: dict, n: int | None) -> Variant:
        (tag, payload), = condition.items()
        if tag != "version":
            return Variant(tag, data(payload, n))
        key, version = payload
        return Variant(tag, record(key=data(key, n), version=self.names.get(version) or int(version)))


def data(value: object, n: int | None = None) -> bytes:
    """The bytes of a value that is written as a text, in hex, or as a repeated text."""
    if isinstance(value, str):
        return value.replace("{n}", "{n}" if n is None else f"{n:06}").encode()
    if "hex" in value:
        return bytes.fromhex(value["hex"])
    return value["bytes"].encode() * value["times"]


def numbered(values: list, n: int | None) -> list[tuple[object, int | None]]:
    """The elements of a list, with `{"times", "of"}` expanded. Each comes with the number for `{n}`."""
    out: list[tuple[object, int | None]] = []
    for value in values:
        if isinstance(value, dict) and "of" in value:
            out.extend((value["of"], m) for m in range(value["times"]))
        else:
            out.append((value, n))
    return out


def spliced(values: list) -> list:
    return [value for value, _ in numbered(values, None)]


def page(page: dict, n: int | None) -> Record:
    bounds = record(start=data(page.get("start", ""), n), end=data(page["end"], n))
    return record(
        range=bounds, reverse=page.get("reverse", False), skip=page.get("skip", 0), limit=page.get("limit", 1000)
    )


def key_value(pair: list, n: int | None) -> Record:
    return record(key=data(pair[0], n), value=data(pair[1], n))


def change(change: dict, n: int | None) -> Variant:
    (tag, payload), = change.items()
    match tag:
        case "put":
            return Variant(tag, key_value(payload, n))
        case "delete":
            return Variant(tag, data(payload, n))
        case "delete-range":
            return Variant(tag, record(start=data(payload[0], n), end=data(payload[1], n)))
        case _:
            least, most = payload.get("min"), payload.get("max")
            return Variant(tag, record(key=data(payload["key"], n), delta=int(payload["delta"]), min=least, max=most))


load("storage.jsonl")
load("schedule.jsonl")

if __name__ == "__main__":
    unittest.main()
