"""Calls each organization's jobs when they are due. If a call fails, it is repeated after a pause."""

import logging
import threading
from collections.abc import Mapping

from organization import Organization
from wakeups import Claim, WakeUps, capped, milliseconds
from wit import record

log = logging.getLogger(__name__)

# How often the host looks for organizations that are due.
LOOK_SECONDS = 0.5
# How often a claim is renewed: well before it ends.
RENEW_SECONDS = 5.0
# The pause after a failure, which doubles with each further one in a row.
FIRST_PAUSE, LAST_PAUSE = 1_000, 300_000


class Jobs:
    """One thread that calls the jobs of all organizations, one after the other."""

    def __init__(self, path: str, organizations: Mapping[str, Organization], page_url: str | None = None) -> None:
        self.path = path
        self.organizations = organizations
        # This host takes no events, so none wait for `journal.take-events`.
        self.context = record(page_url=page_url, subscribed=False)
        self.failures: dict[str, int] = {}
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, name="jobs")

    def start(self) -> None:
        """Begins to look."""
        self.thread.start()

    def end(self) -> None:
        """Waits for the running call, and begins no other."""
        self.ended.set()
        self.thread.join()

    def _run(self) -> None:
        wakeups = WakeUps(self.path)
        while not self.ended.wait(LOOK_SECONDS):
            try:
                for id in wakeups.due(milliseconds()):
                    claim = wakeups.claim(id, milliseconds()) if id in self.organizations else None
                    if claim is not None:
                        self._call(wakeups, self.organizations[id], claim)
            except Exception:
                log.exception("the jobs could not be looked for")
        wakeups.close()

    def _call(self, wakeups: WakeUps, organization: Organization, claim: Claim) -> None:
        returned = threading.Event()
        renewal = threading.Thread(target=self._renew, args=(organization, claim, returned), name="renewal")
        renewal.start()
        try:
            next = organization.jobs.call("jobs", "run-due", self.context)
            self.failures.pop(organization.id, None)
        except Exception:
            log.exception("the jobs of %s failed", organization.id)
            failures = self.failures[organization.id] = self.failures.get(organization.id, 0) + 1
            next = milliseconds() + min(LAST_PAUSE, FIRST_PAUSE << min(failures - 1, 20))
        finally:
            returned.set()
            renewal.join()
        wakeups.release(organization.id, claim.number, None if next is None else capped(next, milliseconds()))

    def _renew(self, organization: Organization, claim: Claim, returned: threading.Event) -> None:
        wakeups = WakeUps(self.path)
        while not returned.wait(RENEW_SECONDS):
            if wakeups.renew(organization.id, claim.number, milliseconds()) is None:
                log.warning("another host has taken over the jobs of %s", organization.id)
                organization.jobs.stop()
                break
        wakeups.close()
