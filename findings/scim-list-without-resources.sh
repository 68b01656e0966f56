#!/usr/bin/env bash
# Two SCIM clients of PyPI can't read lists that RFC 7644 lets a server shorten, each another one.
# Section 3.4.2 requires "Resources" only if there are results and "startIndex" and "itemsPerPage" only for a part of
# them, and section 3.4.2.4 has count=0 answer with the number of results and no resources. One would guess that a
# client takes what the RFC makes optional as empty. scim-client 0.2.3 fails with a TypeError for an empty list
# without the three, and with "nextCursor" (RFC 9865) beside them. scim2-client 0.13.2 reads both and refuses the
# answer to its own count=0 if it has no "Resources". Both are content with "Resources": [] and all numbers,
# which costs a server nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim-client==0.2.3' 'scim2-client==0.13.2' 'scim2-models==0.12.3'
cat >try.py <<'END'
import json, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from scim2_client import SCIMResponseException
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_models import ScimProvider, SearchRequest, User
from scim_client import SCIMClient
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "application/scim+json")
        self.end_headers()
        self.wfile.write(self.server.body)
    def log_message(self, *_): pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
def application(_, start):
    start("200 OK", [("content-type", "application/scim+json")])
    return [server.body]
first = SCIMClient(f"http://127.0.0.1:{server.server_port}", "token")
second = WSGISCIMClient(application, "https://scim.example.com/v2", provider=ScimProvider(models=[User]))
numbers = {"startIndex": 1, "itemsPerPage": 0}
for text in ({"totalResults": 0}, {"totalResults": 0, **numbers, "Resources": []}, {"totalResults": 0, **numbers, "Resources": [], "nextCursor": "c"},
             {"totalResults": 5, **numbers}, {"totalResults": 5, **numbers, "Resources": []}):
    server.body = json.dumps({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], **text}).encode()
    print(json.dumps(text))
    for name, act in (("scim-client", lambda: first.search_users("", count=0).total_results),
                      ("scim2-client", lambda: second.query(User, query_parameters=SearchRequest(count=0)).total_results)):
        try:
            print(" ", name, "reads", act())
        except (TypeError, SCIMResponseException) as error:
            reason = str(error.__cause__ or error).split("\n")[-1].split(" [type")[0].strip()
            print(" ", name, "fails:", reason)
END
venv/bin/python try.py >seen
cat >expected <<'END'
{"totalResults": 0}
  scim-client fails: UserSearch.__init__() missing 3 required positional arguments: 'resources', 'items_per_page', and 'start_index'
  scim2-client reads 0
{"totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": []}
  scim-client reads 0
  scim2-client reads 0
{"totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": [], "nextCursor": "c"}
  scim-client fails: UserSearch.__init__() got an unexpected keyword argument 'next_cursor'
  scim2-client reads 0
{"totalResults": 5, "startIndex": 1, "itemsPerPage": 0}
  scim-client fails: UserSearch.__init__() missing 1 required positional argument: 'resources'
  scim2-client fails: Field 'Resources' is missing or null but 'totalResults' is non-zero.
{"totalResults": 5, "startIndex": 1, "itemsPerPage": 0, "Resources": []}
  scim-client reads 5
  scim2-client reads 5
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
