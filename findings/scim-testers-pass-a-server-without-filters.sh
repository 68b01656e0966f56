#!/usr/bin/env bash
# A SCIM server that takes no notice of "filter" passes two testers of conformance: scim2-tester never asks with one,
# and scim-sanity lets it pass with a remark.
# Identity providers look for a person with userName eq "…" before they create one, and RFC 7644, section 3.4.2.2, has a
# server that can't answer a filter refuse it. One would guess that this is among the first requests of a tester. The
# server below is scim2-server 0.8.3 without filter, startIndex, count and If-Match, and with three users: each lookup
# gives all of them. scim2-tester 0.5.2 (both PyPI) makes over a hundred checks of it, and none fails. scim-sanity 0.7.4
# (PyPI) asks for somebody who doesn't exist, gets three users, and counts that as passed; it warns of the count only. A
# clean report of both says nothing about searches, pages and versions, so a provider has to test these itself, and a
# client should compare the user name in what it gets.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim-sanity==0.7.4' 'scim2-tester==0.5.2' 'scim2-server==0.8.3' 'scim2-client==0.13.2' 'scim2-models==0.12.3'
cat >try.py <<'END'
import json, subprocess, threading
from urllib.parse import parse_qsl, urlencode
from wsgiref.simple_server import WSGIRequestHandler, make_server
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_models import User
from scim2_server.applications.wsgi import WSGIApplication
from scim2_server.memory import InMemoryStorage
from scim2_server.utils import load_default_provider
from scim2_tester import Status, check_server
app = WSGIApplication(InMemoryStorage(), load_default_provider())
asked = set()
def deaf(environ, start):
    parameters = parse_qsl(environ["QUERY_STRING"])
    asked.update(name for name, _ in parameters)
    environ["QUERY_STRING"] = urlencode([(name, value) for name, value in parameters if name not in ("filter", "startIndex", "count")])
    environ.pop("HTTP_IF_MATCH", None)
    return app(environ, start)
client = WSGISCIMClient(deaf, base_url="http://127.0.0.1")
client.discover()
for name in ("jane", "joe", "jim"):
    client.create(client.get_resource_model("User")(user_name=name))
asked.clear()
results = check_server(client)
faults = [result for result in results if result.status in (Status.ERROR, Status.CRITICAL, Status.DEVIATION)]
print("scim2-tester: over 100 results:", len(results) > 100, "| faults:", len(faults), "| asks with:", *sorted(asked))
class Quiet(WSGIRequestHandler):
    def log_message(self, *_): pass
server = make_server("127.0.0.1", 0, deaf, handler_class=Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
said = subprocess.run(["venv/bin/scim-sanity", "probe", f"http://127.0.0.1:{server.server_port}", "--token", "token", "--json-output",
    "--i-accept-side-effects"], capture_output=True, text=True).stdout
for result in json.loads(said)["results"]:
    if "Search" in result["phase"]:
        print("scim-sanity:", result["status"], result["name"], "|", result.get("message", ""))
END
venv/bin/python try.py >seen
cat >expected <<'END'
scim2-tester: over 100 results: True | faults: 0 | asks with: attributes excludedAttributes
scim-sanity: pass GET /Users (ListResponse) | 
scim-sanity: pass GET /Users?filter (no match) | Filter returned results (server may ignore filter)
scim-sanity: pass GET /Users?startIndex=1&count=1 | 
scim-sanity: warn Pagination: itemsPerPage honors count | Requested count=1 but itemsPerPage=3
scim-sanity: warn GET /Users?count=0 (boundary) | count=0 should return no Resources
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
