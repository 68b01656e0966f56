"""The SQLite file of the host: its schema, and connections to it.

One file has all organizations. A row of `organization` has the data of the host about it: the newest version that was
given out, and when the jobs are to be called. The row stays when the organization is deleted, so that its versions keep
growing if it is created again.
"""

import sqlite3

SCHEMA = """
create table if not exists organization (
    id text primary key,
    version integer not null,       -- the newest version that was given out; versions only grow
    wake_at integer,                -- when the jobs are to be called, in milliseconds since 1970
    claim integer,                  -- the number of the claim of the host that calls the jobs now; see wakeups.py
    claimed_until integer           -- when that claim ends, if it is not renewed
) strict;
create table if not exists item (
    organization text not null,
    key blob not null,
    value blob not null,
    version integer not null,
    primary key (organization, key)
) strict, without rowid;
"""

# Every page of the log is forced to the disk before a commit returns, so a commit survives a power failure.
DURABLE = "full"
# The log is written at once and forced to the disk by a later commit: a crash of the machine may lose the newest entries.
BUFFERED = "normal"


def connect(path: str, synchronous: str = DURABLE) -> sqlite3.Connection:
    """Opens a connection, and makes the schema where it is missing. A connection serves one call at a time."""
    # Without an isolation level the module begins no transactions: every `begin` is in this host's code.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10.0)
    connection.execute("pragma journal_mode = wal")
    connection.execute(f"pragma synchronous = {synchronous}")
    connection.executescript(SCHEMA)
    return connection


def create_organization(connection: sqlite3.Connection, organization: str) -> None:
    """Makes the organization's row; one that is there stays as it is."""
    connection.execute("insert into organization (id, version) values (?, 0) on conflict do nothing", (organization,))


def delete_organization(connection: sqlite3.Connection, organization: str) -> None:
    """Removes all data of the organization. Its row stays, without a time, so that its versions keep growing."""
    connection.execute("begin immediate")
    connection.execute("delete from item where organization = ?", (organization,))
    connection.execute(
        "update organization set wake_at = null, claim = null, claimed_until = null where id = ?", (organization,)
    )
    connection.execute("commit")


def next_version(connection: sqlite3.Connection, organization: str) -> int:
    """A number that is greater than every one before it: the version of a commit, or the number of a claim."""
    return connection.execute(
        "update organization set version = version + 1 where id = ? returning version", (organization,)
    ).fetchone()[0]
