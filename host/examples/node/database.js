// The SQLite file of the host: its schema, and connections to it.
//
// One file has all organizations. A row of `organization` has the data of the host about it: the newest version that was given
// out, and when the jobs are to be called. The row stays when the organization is deleted, so that its versions keep growing
// if it is created again.

import { DatabaseSync } from "node:sqlite";

const SCHEMA = `
create table if not exists organization (
    id text primary key,
    version integer not null,       -- the newest version that was given out; versions only grow
    wake_at integer,                -- when the jobs are to be called, in milliseconds since 1970
    claim integer,                  -- the number of the claim of the host that calls the jobs now; see wakeups.js
    claimed_until integer           -- when that claim ends, if it is not renewed
) strict;
create table if not exists item (
    organization text not null,
    key blob not null,
    value blob not null,
    version integer not null,
    primary key (organization, key)
) strict, without rowid;
`;

/** Every commit is forced to the disk before it returns, so it survives a power failure. */
export const DURABLE = "full";
/** Written at once, and forced to the disk by a later commit: a crash of the machine may lose the newest entries. */
export const BUFFERED = "normal";

/** Opens a connection, and makes the schema where it is missing. */
export function connect(path, synchronous = DURABLE) {
  const connection = new DatabaseSync(path, { timeout: 10_000 });
  connection.exec(`pragma journal_mode = wal; pragma synchronous = ${synchronous};`);
  connection.exec(SCHEMA);
  return connection;
}

/** Makes the organization's row; one that is there stays as it is. */
export function createOrganization(connection, organization) {
  connection.prepare("insert into organization (id, version) values (?, 0) on conflict do nothing").run(organization);
}

/** Removes all data of the organization. Its row stays, without a time, so that its versions keep growing. */
export function deleteOrganization(connection, organization) {
  connection.exec("begin immediate");
  connection.prepare("delete from item where organization = ?").run(organization);
  connection
    .prepare("update organization set wake_at = null, claim = null, claimed_until = null where id = ?")
    .run(organization);
  connection.exec("commit");
}

/** A number that is greater than every one before it: the version of a commit, or the number of a claim. */
export function nextVersion(connection, organization) {
  const statement = connection.prepare(
    "update organization set version = version + 1 where id = ? returning version",
  );
  statement.setReadBigInts(true);
  return statement.get(organization).version;
}
