"""One organization: its imports, and the instances that are bound to them."""

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from wasmtime.component import Record

from component import ActionRefused, Compiled, Instance
from mail import MailFolder
from outgoing import Outgoing
from sealing import Sealing
from storage import Storage
from wakeups import capped, milliseconds

log = logging.getLogger(__name__)

# How long a request may take, and how long a call of the jobs, which wait for mail servers and webhooks.
REQUEST_SECONDS = 30.0
JOBS_SECONDS = 120.0


@dataclass(frozen=True)
class Host:
    """The parts that all organizations share."""

    compiled: Compiled
    data: Path
    key: bytes
    outgoing: Outgoing

    @property
    def database(self) -> str:
        """The path of the SQLite file."""
        return str(self.data / "host.db")


class ComponentFailed(Exception):
    """The call ended in a trap or at its deadline. Nothing is half-written; the instance is gone."""


class Caller:
    """Calls one instance, one call at a time. The instance is made when it is needed, and dropped after any fault."""

    def __init__(self, host: Host, organization: str, seconds: float) -> None:
        self.host = host
        self.organization = organization
        self.seconds = seconds
        self.lock = threading.Lock()
        self.storage = Storage(host.database, organization)
        self.instance: Instance | None = None

    def call(self, interface: str, name: str, *arguments: object) -> object:
        """Calls an export. Raises `ActionRefused` for an `action-error`, and `ComponentFailed` for everything else."""
        with self.lock:
            try:
                if self.instance is None:
                    self.instance = Instance(self.host.compiled, self._imports())
                return self.instance.call(interface, name, *arguments, seconds=self.seconds)
            except ActionRefused:
                raise
            except Exception as error:
                self.instance = None
                log.exception("%s.%s of %s failed", interface, name, self.organization)
                raise ComponentFailed(f"{interface}.{name}: {error}") from error

    def stop(self) -> None:
        """Ends the running call, if there is one."""
        instance = self.instance
        if instance is not None:
            instance.stop()

    def close(self) -> None:
        """Waits for the running call, and ends the connections."""
        with self.lock:
            self.instance = None
            self.storage.close()

    def _imports(self) -> dict[str, dict]:
        storage = self.storage
        sealing = Sealing(self.host.key, self.organization)
        mail = MailFolder(self.host.data / "mail" / self.organization)
        return {
            "storage": {
                "get": storage.get,
                "scan": storage.scan,
                "commit": self._commit,
                "append": storage.append,
            },
            "secrets": {"seal": sealing.seal, "open": sealing.open},
            "email": {"send": mail.send},
            "http": {"send": self.host.outgoing.send},
        }

    def _commit(self, transaction: Record) -> int:
        wake_at = getattr(transaction, "wake-at")
        if wake_at is not None:
            setattr(transaction, "wake-at", capped(wake_at, milliseconds()))
        return self.storage.commit(transaction)


class Organization:
    """An organization with two instances, so that a long call of the jobs delays no request. The conditions of the storage
    keep the two apart, as they keep two hosts apart."""

    def __init__(self, host: Host, id: str) -> None:
        self.id = id
        self.requests = Caller(host, id, REQUEST_SECONDS)
        self.jobs = Caller(host, id, JOBS_SECONDS)

    def close(self) -> None:
        """Waits for running calls."""
        self.requests.close()
        self.jobs.close()
