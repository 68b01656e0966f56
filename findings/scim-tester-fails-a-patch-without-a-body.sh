#!/usr/bin/env bash
# scim-sanity calls a server faulty that answers a PATCH with 204, or that refuses a member whom nobody knows;
# scim2-tester finds nothing in either.
# RFC 7644, section 3.5.2, lets a server answer a successful PATCH with 204 and no body, and says nothing against
# looking whether a member exists. One would guess that a tester of conformance fails what an RFC forbids. scim-sanity
# 0.7.4 (PyPI) wants 200 from four PATCH requests, and adds a member called "fake-member-id", which a server has to
# take. It also prints a reason with the number of the section for each. scim2-tester 0.5.2 (PyPI) has no complaint
# about scim2-server 0.8.3 (PyPI), which answers by 204. Who is handed a report of scim-sanity should compare each of
# its failures with the RFC, and a provider passes it only if it returns the resource and doesn't check its members.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim-sanity==0.7.4' 'scim2-tester==0.5.2' 'scim2-server==0.8.3' 'scim2-client==0.13.2' 'scim2-models==0.12.3'
cat >try.py <<'END'
import io, json, subprocess, threading
from wsgiref.simple_server import WSGIRequestHandler, make_server
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_server.applications.wsgi import WSGIApplication
from scim2_server.memory import InMemoryStorage
from scim2_server.utils import load_default_provider
from scim2_tester import Status, check_server
app = WSGIApplication(InMemoryStorage(), load_default_provider())
def careful(environ, start):
    if environ["REQUEST_METHOD"] == "PATCH":
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        if b"fake-member-id" in body:
            start("400 Bad Request", [("Content-Type", "application/scim+json")])
            return [b'{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalidValue"}']
    return app(environ, start)
class Quiet(WSGIRequestHandler):
    def log_message(self, *_): pass
for name, served in (("scim2-server as it is", app), ("with members checked", careful)):
    results = check_server(WSGISCIMClient(served, base_url="http://127.0.0.1"))
    print(name, "| scim2-tester:", sum(result.status in (Status.ERROR, Status.CRITICAL, Status.DEVIATION) for result in results), "faults")
    server = make_server("127.0.0.1", 0, served, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    said = subprocess.run(["venv/bin/scim-sanity", "probe", f"http://127.0.0.1:{server.server_port}", "--token", "token", "--json-output",
        "--i-accept-side-effects"], capture_output=True, text=True).stdout
    for result in json.loads(said)["results"]:
        if result["status"] not in ("pass", "skip"):
            print(name, "| scim-sanity:", result["status"], result["name"], "|", result["message"].split(" (")[0].split(";")[0])
    server.shutdown()
END
venv/bin/python try.py >seen
cat >expected <<'END'
scim2-server as it is | scim2-tester: 0 faults
scim2-server as it is | scim-sanity: fail PATCH /Users/{id} | Expected HTTP 200, got 204
scim2-server as it is | scim-sanity: fail PATCH /Groups/{id} | Expected HTTP 200, got 204
scim2-server as it is | scim-sanity: fail PATCH /Groups/{id} add member | Expected 200, got 204
scim2-server as it is | scim-sanity: fail PATCH /Groups/{id} remove members | Expected 200, got 204
with members checked | scim2-tester: 0 faults
with members checked | scim-sanity: fail PATCH /Users/{id} | Expected HTTP 200, got 204
with members checked | scim-sanity: fail PATCH /Groups/{id} | Expected HTTP 200, got 204
with members checked | scim-sanity: fail PATCH /Groups/{id} add member | Expected 200, got 400
with members checked | scim-sanity: fail PATCH /Groups/{id} remove members | Expected 200, got 204
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
