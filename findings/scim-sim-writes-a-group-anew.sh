#!/usr/bin/env bash
# scim-sim 0.2.0 (PyPI) adds a member by writing the whole group anew, which loses one of two that are added at once, and
# shows the first page of people as all of them.
# It is there to stand in for Okta, Entra and others when a SCIM endpoint is tried out. These send "add" and "remove"
# for one member (RFC 7644, section 3.5.2), and fetch the pages that section 3.4.2.4 lets a server make. One would
# guess that a stand-in does the same. It reads the group, and sends "replace" with every member that it was shown, as
# it was shown, and one more; a removal is such a "replace" too. So a server is never asked to add or to remove, and
# one that returns members only when it is asked for them ("returned" is "request", RFC 7643, section 7) has all
# others taken out. People who are not on the first page are missing from its directory, and those in a group are
# called "N/A". A provider that passes with it has not been tried with what Okta and Entra send, nor with more people
# than it has on a page.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim-sim==0.2.0' 'requests==2.34.2'
cat >try.py <<'END'
import json, os, subprocess, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
names = {"1": "jane", "2": "joe", "3": "jill"}
group = {"id": "10", "displayName": "Court", "members": []}
bodies, meeting, hidden = [], None, False
class Server(BaseHTTPRequestHandler):
    """Gives two people a page, as startIndex asks for them."""
    def log_message(self, *_):
        pass
    def answer(self, body):
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/scim+json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def do_GET(self):
        if self.path == "/Groups/10":
            shown = json.loads(json.dumps(group))
            if meeting:
                meeting.wait()
            if hidden:
                del shown["members"]
            return self.answer(shown)
        found = [group] if self.path.startswith("/Groups") else [{"id": id, "userName": name} for id, name in names.items()]
        start = int(self.path.partition("startIndex=")[2].partition("&")[0] or 1)
        self.answer({"totalResults": len(found), "startIndex": start, "itemsPerPage": 2, "Resources": found[start - 1:start + 1]})
    def do_PATCH(self):
        operation, = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["Operations"]
        bodies.append(operation)
        group["members"] = [{"value": member["value"], "display": names[member["value"]]} for member in operation["value"]]
        self.answer(group)
server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
json.dump({"SCIM_BASE_URL": f"http://127.0.0.1:{server.server_port}", "SCIM_AUTH_TOKEN": "token"}, open(".scim_config.json", "w"))
def start(*arguments):
    return subprocess.Popen(["venv/bin/scim-sim", *arguments], env={**os.environ, "HOME": os.getcwd(), "PYTHONUTF8": "1"}, stdout=subprocess.PIPE, text=True)
def members():
    return " ".join(member["display"] for member in group["members"]) or "nobody"
for command in ("add-to-group", "add-to-group", "remove-from-group"):
    user = "2" if command == "add-to-group" and group["members"] else "1"
    start(command, user, "10").communicate()
    print(command, names[user], "sends", json.dumps(bodies[-1]), "members:", members())
group["members"], meeting = [], threading.Barrier(2, timeout=60)
for process in [start("add-to-group", user, "10") for user in ("1", "2")]:
    process.communicate()
print("two are added at once, members:", len(group["members"]))
group["members"], meeting, hidden = [{"value": "1", "display": "jane"}, {"value": "2", "display": "joe"}], None, True
start("add-to-group", "3", "10").communicate()
print("jill is added where members aren't shown, members:", members())
group["members"], hidden = [{"value": id, "display": name} for id, name in names.items()], False
shown = start("show").communicate()[0]
print("directory of three:", *(line.split("👤 ")[1].split("│")[0].strip() for line in shown.splitlines() if "👤 " in line))
END
venv/bin/python try.py >seen
cat >expected <<'END'
add-to-group jane sends {"op": "replace", "path": "members", "value": [{"value": "1"}]} members: jane
add-to-group joe sends {"op": "replace", "path": "members", "value": [{"value": "1", "display": "jane"}, {"value": "2"}]} members: jane joe
remove-from-group jane sends {"op": "replace", "path": "members", "value": [{"value": "2", "display": "joe"}]} members: joe
two are added at once, members: 1
jill is added where members aren't shown, members: jill
directory of three: jane joe N/A
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
