"""Tests how instances are protected, and what happens after a fault. The environment variable COMPONENT names the
component, if it is not where the build of this repository leaves it."""

import logging
import os
import tempfile
import unittest
from pathlib import Path

import database
from component import ActionRefused, Compiled
from host import COMPONENT, act, create_demo
from organization import ComponentFailed, Host, Organization
from outgoing import Outgoing
from wasmtime.component import Record, Variant
from wit import record


class Instances(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        logging.disable()  # The faults are meant.
        cls.addClassCleanup(logging.disable, logging.NOTSET)
        cls.compiled = Compiled(Path(os.environ.get("COMPONENT", COMPONENT)))

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.host = Host(self.compiled, Path(directory.name), bytes(32), Outgoing())
        self.acme = Organization(self.host, "acme")
        self.addCleanup(self.acme.close)
        self.token = create_demo(self.acme, seats=50)

    def list(self) -> Record:
        return self.acme.requests.call("scim", "handle", request(self.token))

    def test_an_import_that_fails_a_thousand_times_leaves_the_instance_whole(self) -> None:
        caller = self.acme.requests
        instance = caller.instance
        caller.storage.durable.close()
        for _ in range(1_000):
            self.assertGreaterEqual(self.list().status, 500)
        caller.storage.durable = database.connect(self.host.database)
        self.assertEqual(self.list().status, 200)
        self.assertIs(caller.instance, instance)

    def test_a_refusal_leaves_the_instance_whole(self) -> None:
        instance = self.acme.requests.instance
        with self.assertRaises(ActionRefused) as raised:
            self.acme.requests.call("connector", "enable", act(Variant("owner")), Variant("okta"), "days90")
        self.assertEqual(raised.exception.error.tag, "conflict")
        self.assertIs(self.acme.requests.instance, instance)

    def test_after_a_deadline_the_next_call_is_served_by_another_instance(self) -> None:
        caller = self.acme.requests
        instance, caller.seconds = caller.instance, 0
        with self.assertRaises(ComponentFailed):
            self.list()
        caller.seconds = 30
        self.assertEqual(self.list().status, 200)
        self.assertIsNot(caller.instance, instance)

    def test_a_call_that_is_stopped_writes_nothing_more(self) -> None:
        self.acme.requests.stop()
        with self.assertRaises(ComponentFailed):
            self.list()
        self.assertEqual(self.list().status, 200)

    def test_an_instance_serves_its_own_organization_alone(self) -> None:
        other = Organization(self.host, "other")
        self.addCleanup(other.close)
        self.assertEqual(other.requests.call("scim", "handle", request(self.token)).status, 401)
        self.assertIsNone(other.requests.call("directory", "get-organization"))


def request(token: str) -> Record:
    return record(
        method="GET",
        path="/Users",
        query=None,
        headers=[("authorization", f"Bearer {token}")],
        body=b"",
        base_url="https://scim.example.com/scim/v2/acme",
        request_id="",
        sender_address=None,
    )


if __name__ == "__main__":
    unittest.main()
