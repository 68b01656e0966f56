"""The import `storage`: one organization's ordered, transactional key-value space, in SQLite.

The methods of `Storage` are the functions of `wit/storage.wit`. They take and return the forms that the package `wasmtime`
gives to its types: `bytes` for `list<u8>`, a `Record` with the fields' names for a record, a `Variant` for a variant. A refusal is
a `StorageError`, which `component.py` turns into the WIT's `storage-error`.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from wasmtime.component import Record, Variant

import database
from wit import Refusal, record

# The limits of `wit/storage.wit`. This host sets no lower ones.
KEY_BYTES = 512
VALUE_BYTES = 1 << 20
GET_KEYS = 20_000
GET_BYTES = 64 << 20
SCAN_PAGES = 4_096
SCAN_BYTES = 16 << 20
PAGE_ENTRIES = 4_096
PAGE_BYTES = 4 << 20
COMMIT_PARTS = 650_000
COMMIT_BYTES = 96 << 20

# A counter's value: a decimal integer without a plus and without leading zeros.
COUNTER = re.compile(rb"0|-?[1-9][0-9]{0,18}")
COUNTER_LEAST, COUNTER_MOST = -(1 << 63), (1 << 63) - 1


class StorageError(Refusal):
    """Why a call was refused: a case of `storage-error`."""


class Storage:
    """The space of one organization. An object serves one call at a time, as the component's instance does."""

    def __init__(self, path: str, organization: str) -> None:
        self.organization = organization
        self.durable = database.connect(path, database.DURABLE)
        self.buffered = database.connect(path, database.BUFFERED)
        database.create_organization(self.durable, organization)

    def close(self) -> None:
        """Ends the connections. Everything is in the file already."""
        self.durable.close()
        self.buffered.close()

    def get(self, keys: list[bytes]) -> list[Record | None]:
        """The items at the keys, in their order; `None` for an absent one."""
        if len(keys) > GET_KEYS:
            raise StorageError("too-large")
        for key in keys:
            check_key(key)
        items: list[Record | None] = []
        size = 0
        with transaction(self.durable, "deferred") as connection:
            for key in keys:
                row = connection.execute(
                    "select value, version from item where organization = ? and key = ?", (self.organization, key)
                ).fetchone()
                if row is None:
                    items.append(None)
                    continue
                size += len(row[0])
                if size > GET_BYTES:
                    raise StorageError("too-large")
                items.append(record(value=row[0], version=row[1]))
        return items

    def scan(self, pages: list[Record]) -> list[Record]:
        """The pages, in their order. Together they have at most `SCAN_BYTES`. The pages after the one that would exceed
        this are empty, and `more` says whether there is something to read."""
        if len(pages) > SCAN_PAGES:
            raise StorageError("too-large")
        for page in pages:
            check_range(page.range)
        left = SCAN_BYTES
        scanned = []
        with transaction(self.durable, "deferred") as connection:
            for page in pages:
                entries, more, used, full = self._page(connection, page, left)
                left = 0 if full else left - used
                scanned.append(record(entries=entries, more=more))
        return scanned

    def _page(self, connection: sqlite3.Connection, page: Record, left: int) -> tuple[list[Record], bool, int, bool]:
        """One page within `left` bytes: its entries, whether there are more, its bytes, and whether `left` ended it."""
        order = "desc" if page.reverse else "asc"
        limit = min(page.limit, PAGE_ENTRIES)
        rows = connection.execute(
            "select key, value, version from item where organization = ? and key >= ? and key < ?"
            f" order by key {order} limit ? offset ?",
            # One more entry than asked for shows whether there are more.
            (self.organization, page.range.start, page.range.end, limit + 1, page.skip),
        )
        entries: list[Record] = []
        used = 0
        for key, value, version in rows:
            size = len(key) + len(value)
            if len(entries) == limit or used + size > PAGE_BYTES:
                return entries, True, used, False
            if used + size > left:
                return entries, True, used, True
            used += size
            entries.append(record(key=key, value=value, version=version))
        return entries, False, used, False

    def commit(self, requested: Record) -> int:
        """Makes the changes if all conditions are met. The commit is atomic, and durable when it returns. Returns the
        version of everything that it wrote."""
        check_transaction(requested)
        with transaction(self.durable, "immediate") as connection:
            for condition in requested.conditions:
                self._check_condition(connection, condition)
            version = database.next_version(connection, self.organization)
            for change in requested.changes:
                self._make_change(connection, change, version)
            wake_at = getattr(requested, "wake-at")
            if wake_at is not None:
                self._wake_at(connection, wake_at)
        return version

    def append(self, entries: list[Record]) -> None:
        """Puts the entries, in order. They are in the file when this returns, but may not be on the disk."""
        if len(entries) > COMMIT_PARTS:
            raise StorageError("too-large")
        size = 0
        for entry in entries:
            check_key(entry.key)
            check_value(entry.value)
            size += len(entry.key) + len(entry.value)
        if size > COMMIT_BYTES:
            raise StorageError("too-large")
        with transaction(self.buffered, "immediate") as connection:
            version = database.next_version(connection, self.organization)
            for entry in entries:
                self._put(connection, entry.key, entry.value, version)

    def _check_condition(self, connection: sqlite3.Connection, condition: Variant) -> None:
        key = condition.payload.key if condition.tag == "version" else condition.payload
        row = connection.execute(
            "select version from item where organization = ? and key = ?", (self.organization, key)
        ).fetchone()
        match condition.tag:
            case "exists":
                holds = row is not None
            case "absent":
                holds = row is None
            case _:
                holds = row is not None and row[0] == condition.payload.version
        if not holds:
            raise StorageError("conflict", key)

    def _make_change(self, connection: sqlite3.Connection, change: Variant, version: int) -> None:
        match change.tag:
            case "put":
                self._put(connection, change.payload.key, change.payload.value, version)
            case "delete":
                connection.execute(
                    "delete from item where organization = ? and key = ?", (self.organization, change.payload)
                )
            case "delete-range":
                connection.execute(
                    "delete from item where organization = ? and key >= ? and key < ?",
                    (self.organization, change.payload.start, change.payload.end),
                )
            case _:
                self._add(connection, change.payload, version)

    def _put(self, connection: sqlite3.Connection, key: bytes, value: bytes, version: int) -> None:
        connection.execute(
            "insert into item (organization, key, value, version) values (?, ?, ?, ?) on conflict (organization, key)"
            " do update set value = excluded.value, version = excluded.version",
            (self.organization, key, value, version),
        )

    def _add(self, connection: sqlite3.Connection, add: Record, version: int) -> None:
        row = connection.execute(
            "select value from item where organization = ? and key = ?", (self.organization, add.key)
        ).fetchone()
        sum_ = counter(row[0] if row else b"0") + add.delta
        least = COUNTER_LEAST if add.min is None else add.min
        most = COUNTER_MOST if add.max is None else add.max
        if not least <= sum_ <= most or not COUNTER_LEAST <= sum_ <= COUNTER_MOST:
            raise StorageError("limit", add.key)
        self._put(connection, add.key, b"%d" % sum_, version)

    def _wake_at(self, connection: sqlite3.Connection, time: int) -> None:
        # SQLite's integers are signed. No clock shows a time beyond them.
        connection.execute(
            "update organization set wake_at = min(coalesce(wake_at, ?1), ?1) where id = ?2",
            (min(time, COUNTER_MOST), self.organization),
        )


@contextmanager
def transaction(connection: sqlite3.Connection, mode: str) -> Iterator[sqlite3.Connection]:
    """A transaction that is committed at the end, and rolled back by any exception. SQLite's errors become a
    `StorageError`."""
    try:
        connection.execute(f"begin {mode}")
        try:
            yield connection
            connection.execute("commit")
        finally:
            if connection.in_transaction:
                connection.execute("rollback")
    except sqlite3.Error as error:
        raise translate(error) from error


def translate(error: sqlite3.Error) -> StorageError:
    """The `storage-error` for an error of SQLite."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StorageError("unavailable", str(error))
    if code == sqlite3.SQLITE_FULL:
        return StorageError("full")
    return StorageError("other", str(error))


def counter(value: bytes) -> int:
    """The number that a counter's value stands for."""
    number = int(value) if COUNTER.fullmatch(value) else None
    if number is None or not COUNTER_LEAST <= number <= COUNTER_MOST:
        raise StorageError("other", "the value is no counter")
    return number


def check_key(key: bytes) -> None:
    """Refuses an invalid key."""
    if not key:
        raise StorageError("other", "a key is empty")
    if len(key) > KEY_BYTES:
        raise StorageError("too-large")


def check_range(range_: Record) -> None:
    """Refuses an end of a range that is longer than a key; an empty one is valid."""
    if len(range_.start) > KEY_BYTES or len(range_.end) > KEY_BYTES:
        raise StorageError("too-large")


def check_value(value: bytes) -> None:
    """Refuses a value that is too large."""
    if len(value) > VALUE_BYTES:
        raise StorageError("too-large")


def check_transaction(requested: Record) -> None:
    """Refuses a transaction beyond the limits, before anything is read."""
    if len(requested.conditions) > COMMIT_PARTS or len(requested.changes) > COMMIT_PARTS:
        raise StorageError("too-large")
    size = 0
    for condition in requested.conditions:
        key = condition.payload.key if condition.tag == "version" else condition.payload
        check_key(key)
        size += len(key)
    for change in requested.changes:
        match change.tag:
            case "put":
                check_key(change.payload.key)
                check_value(change.payload.value)
                size += len(change.payload.key) + len(change.payload.value)
            case "delete":
                check_key(change.payload)
                size += len(change.payload)
            case "delete-range":
                check_range(change.payload)
                size += len(change.payload.start) + len(change.payload.end)
            case _:
                check_key(change.payload.key)
                size += len(change.payload.key)
    if size > COMMIT_BYTES:
        raise StorageError("too-large")
