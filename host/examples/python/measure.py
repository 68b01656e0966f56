"""Measures the time of calls, with the database on the disk: `python3 measure.py COMPONENT`. For each call it prints the median,
and the processor time, which depends less on other load."""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from component import Compiled
from host import create_demo
from organization import Host, Organization
from outgoing import Outgoing
from wit import record

USERS = 300
CALLS = 300


def main() -> None:
    begin = time.perf_counter()
    compiled = Compiled(Path(sys.argv[1]))
    print(f"compile, or take from the cache: {(time.perf_counter() - begin) * 1000:.0f} ms")
    with tempfile.TemporaryDirectory() as directory:
        acme = Organization(Host(compiled, Path(directory), bytes(32), Outgoing()), "acme")
        begin = time.perf_counter()
        acme.requests.call("directory", "get-organization")
        print(f"first instance: {(time.perf_counter() - begin) * 1000:.1f} ms")
        token = create_demo(acme, seats=1_000)

        def ask(expected: int, method: str, path: str, query: str | None = None, body: bytes = b"") -> dict:
            ask.number += 1
            request = record(
                method=method,
                path=path,
                query=query,
                headers=[("authorization", f"Bearer {token}"), ("content-type", "application/scim+json")],
                body=body,
                base_url="https://scim.example.com/scim/v2/acme",
                request_id=f"{ask.number:032}",
                sender_address=None,
            )
            response = acme.requests.call("scim", "handle", request)
            assert response.status == expected, (response.status, response.body)
            return json.loads(response.body)

        ask.number = 0

        def post(number: int) -> dict:
            user = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": f"u{number}@acme.example"}
            return ask(201, "POST", "/Users", body=json.dumps(user).encode())

        def timed(name: str, calls: int, call: Callable[[int], object]) -> None:
            times = []
            busy = time.process_time()
            for number in range(calls):
                begin = time.perf_counter()
                call(number)
                times.append(time.perf_counter() - begin)
            busy = (time.process_time() - busy) / calls
            print(f"{name}: {statistics.median(times) * 1000:.2f} ms, processor {busy * 1000:.2f} ms")

        timed("POST of a user", USERS, post)
        id = post(USERS)["id"]
        timed("GET by id", CALLS, lambda _: ask(200, "GET", f"/Users/{id}"))
        timed("list of 100", CALLS // 5, lambda _: ask(200, "GET", "/Users", "count=100"))
        acme.close()


if __name__ == "__main__":
    main()
