"""When each organization's jobs must be called, and which host calls them, as `wit/storage.wit` requires at `wake-at`.

A commit sets a time in its own transaction. Before the host calls the jobs, it claims the organization: it removes the time
that has come, and stores until when the claim lasts. Commits that arrive meanwhile set a time of their own. When the call has
returned, the earlier one of that time and of the returned time is used, so no wake-up is lost. A host that crashes does not
renew its claim. When the claim has ended, the organization is due again.

Times are milliseconds since 1970.
"""

import time as clock
from dataclasses import dataclass

import database

# How long a claim lasts unless it is renewed.
CLAIM = 15_000
# The longest pause between two calls of an organization that has something planned.
LONGEST_PAUSE = 6 * 60 * 60 * 1000
# How far the clocks of two hosts may differ before one treats the other's times as wrong.
TOLERANCE = 60_000


@dataclass(frozen=True)
class Claim:
    """The right to call an organization's jobs."""

    number: int
    until: int


class WakeUps:
    """The due times of all organizations in one file. An object serves one call at a time."""

    def __init__(self, path: str) -> None:
        self.connection = database.connect(path)

    def close(self) -> None:
        """Ends the connection."""
        self.connection.close()

    def due(self, now: int) -> list[str]:
        """The organizations that may be claimed, those that have waited longest first."""
        return [organization for time, organization in self._times(now) if time <= now]

    def next_due(self, now: int) -> int | None:
        """When the next organization may be claimed; `None` if nothing is planned."""
        return min((time for time, _ in self._times(now)), default=None)

    def claim(self, organization: str, now: int) -> Claim | None:
        """Claims the organization and removes the time that has come; `None` if the organization is not due, or another
        host was faster."""
        with self.connection:
            self.connection.execute("begin immediate")
            row = self.connection.execute(
                "select wake_at, claim, claimed_until from organization where id = ?", (organization,)
            ).fetchone()
            time = None if row is None else next_time(*row, now)
            if time is None or time > now:
                return None
            wake_at = row[0]
            if wake_at is not None and (wake_at <= now or not is_possible(wake_at, now, LONGEST_PAUSE)):
                wake_at = None
            claim = Claim(database.next_version(self.connection, organization), now + CLAIM)
            self.connection.execute(
                "update organization set wake_at = ?, claim = ?, claimed_until = ? where id = ?",
                (wake_at, claim.number, claim.until, organization),
            )
            return claim

    def renew(self, organization: str, number: int, now: int) -> Claim | None:
        """Renews the claim from now on; `None` if another host has it by now. Then the call must be stopped."""
        updated = self.connection.execute(
            "update organization set claimed_until = ? where id = ? and claim = ?", (now + CLAIM, organization, number)
        )
        return Claim(number, now + CLAIM) if updated.rowcount else None

    def release(self, organization: str, number: int, next: int | None) -> bool:
        """Ends the claim: the organization is due at `next`, or earlier if a commit has set an earlier time meanwhile.
        Returns whether the claim was still this one. Another host's claim stays, but `next` counts nevertheless."""
        with self.connection:
            self.connection.execute("begin immediate")
            if next is not None:
                self.connection.execute(
                    "update organization set wake_at = min(coalesce(wake_at, ?1), ?1) where id = ?2",
                    (next, organization),
                )
            updated = self.connection.execute(
                "update organization set claim = null, claimed_until = null where id = ? and claim = ?",
                (organization, number),
            )
            return updated.rowcount > 0

    def _times(self, now: int) -> list[tuple[int, str]]:
        rows = self.connection.execute(
            "select id, wake_at, claim, claimed_until from organization where wake_at is not null or claim is not null"
        )
        times = [(next_time(wake_at, claim, until, now), organization) for organization, wake_at, claim, until in rows]
        return sorted(times)


def capped(time: int, now: int) -> int:
    """The time to store for this one. The jobs are called by then in any case, and a later time would be treated as that
    of a wrong clock."""
    return min(time, now + LONGEST_PAUSE)


def next_time(wake_at: int | None, claim: int | None, claimed_until: int | None, now: int) -> int | None:
    """When an organization may be claimed. A time that can't be right counts as past."""
    time, longest = (wake_at, LONGEST_PAUSE) if claim is None else (claimed_until, CLAIM)
    if time is None:
        return None
    return time if is_possible(time, now, longest) else now


def is_possible(time: int, now: int, longest: int) -> bool:
    """Whether a stored time can be right: no host sets a time further ahead than this. A clock that was ahead and was
    corrected later has stored such times."""
    return time - now <= longest + TOLERANCE


def milliseconds() -> int:
    """The time now."""
    return clock.time_ns() // 1_000_000
