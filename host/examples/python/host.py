"""SCIM for Insomnia in a host written in Python: `python3 host.py` makes a demo organization and serves it.

It prints the connector URL and the token, which is shown only once. README.md beside this file explains each module.
"""

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path

from wasmtime.component import Record, Variant

from component import Compiled
from jobs import Jobs
from organization import Host, Organization
from outgoing import Outgoing
from sealing import load_key
from server import server
from wit import record

COMPONENT = Path(__file__).resolve().parents[3] / "target/guest/wasm32-wasip2/guest/insomnia_scim_guest.wasm"
DEMO = "acme"


def arguments() -> argparse.Namespace:
    """The arguments of the command line."""
    parser = argparse.ArgumentParser(description="Serve a demo organization over SCIM.")
    parser.add_argument("--component", type=Path, default=COMPONENT, help="the component; `make run` builds it")
    parser.add_argument("--data", type=Path, default=Path("data"), help="where the database, the key and emails are")
    parser.add_argument("--listen", default="127.0.0.1:8080", help="address and port; port 0 takes a free one")
    parser.add_argument("--base-url", help="what clients see before /scim/v2/…, if a proxy stands in front")
    parser.add_argument("--new-token", action="store_true", help="replace the token, which is shown only once")
    parser.add_argument("--private-network", action="store_true", help="webhooks may go to addresses that are not public")
    return parser.parse_args()


def act(actor: Variant) -> Record:
    """The actor of a change. This backend authenticates nobody: it acts as the operator or for the owner."""
    return record(actor=actor, source=record(face="backend", address=None, credential=None, request_id=None, traceparent=None))


def create_demo(organization: Organization, seats: int) -> str:
    """Tells the component the organization's data, adds its owner, and enables SCIM. Returns the token."""
    operator, owner = act(Variant("operator")), act(Variant("owner"))
    acme = record(
        name="Acme",
        plan="enterprise",
        seats=seats,
        domains=[record(name="acme.example", verified=True)],
        single_sign_on="okta",
        options="{}",
    )
    olive = record(email="owner@acme.example", display_name="Olive Owner", role="owner", passphrase=None)
    organization.requests.call("directory", "put-organization", operator, acme)
    organization.requests.call("directory", "add-member", operator, olive)
    issued = organization.requests.call("connector", "enable", owner, Variant("okta"), "days90")
    return issued.token


def replace_token(organization: Organization) -> str:
    """Issues a new token; the old one stops at once. The operator needs no passphrase."""
    issued = organization.requests.call("connector", "refresh", act(Variant("operator")), None, None, 0)
    return issued.token


def main() -> None:
    """Serves until it is interrupted."""
    options = arguments()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    if not options.component.is_file():
        sys.exit(f"{options.component} is not there: build it with `make run` at the top, or name another --component")
    options.data.mkdir(parents=True, exist_ok=True)
    host = Host(
        compiled=Compiled(options.component),
        data=options.data,
        key=load_key(options.data / "secrets.key"),
        outgoing=Outgoing(private=options.private_network),
    )
    acme = Organization(host, DEMO)
    organizations = {acme.id: acme}
    address, _, port = options.listen.rpartition(":")
    listener = server((address, int(port)), organizations, options.base_url)
    jobs = Jobs(host.database, organizations)

    token = None
    if acme.requests.call("directory", "get-organization") is None:
        token = create_demo(acme, seats=50)
    elif options.new_token:
        token = replace_token(acme)
    base_url = options.base_url or f"http://{address}:{listener.server_port}"
    print(f"Connector URL: {base_url}/scim/v2/{acme.id}")
    print(f"Token: {token or 'was shown at the first start; --new-token replaces it'}", flush=True)

    jobs.start()

    def stop(*_: object) -> None:
        # `shutdown` waits for the loop, so it can't be called from the thread that runs it.
        threading.Thread(target=listener.shutdown).start()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    listener.serve_forever()
    listener.server_close()
    jobs.end()
    acme.close()


if __name__ == "__main__":
    main()
