#!/usr/bin/env bash
# The conditional change of RFC 7644 is always refused by Django, and done without a look at the version by Werkzeug.
# Section 3.14 gives resources weak entity tags, W/"…", and has a client send one of them back in If-Match, to change
# only what it has read. RFC 9110, section 13.1.1, compares If-Match strongly, and a weak tag then equals nothing,
# itself included. One would guess that a framework with conditional requests serves the one example that SCIM has.
# Django 5.2.19 (PyPI) answers 412 to the version that it has just given out, for good. Werkzeug 3.1.9 (PyPI), on which
# Flask stands, looks at If-Match in make_conditional() for GET and HEAD alone, so that a PUT with an old version goes
# through, and its request.if_match finds no weak tag except by contains_weak(). scim2-server 0.8.3 (PyPI) does what
# SCIM means. Whoever builds a SCIM endpoint on a framework has to compare versions himself, weakly; a provider can also
# give out strong ones.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'Django==5.2.19' 'Werkzeug==3.1.9' 'scim2-server==0.8.3' 'scim2-models==0.12.3'
cat >try.py <<'END'
import django, json
from django.conf import settings
settings.configure(SECRET_KEY="key", ALLOWED_HOSTS=["*"], ROOT_URLCONF="__main__", LOGGING_CONFIG=None)
django.setup()
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from django.views.decorators.http import condition
from scim2_server.applications.wsgi import WSGIApplication
from scim2_server.memory import InMemoryStorage
from scim2_server.utils import load_default_provider
from werkzeug.test import Client as OtherClient
from werkzeug.wrappers import Request, Response
@condition(etag_func=lambda request, *_: 'W/"2"')
def change(request):
    return HttpResponse("changed")
urlpatterns = [path("Users/1", change)]
@Request.application
def application(request):
    response = Response("changed")
    response.set_etag("2", weak=True)
    return response.make_conditional(request)
@Request.application
def contains(request):
    return Response(f"contains {request.if_match.contains('2')}, contains_weak {request.if_match.contains_weak('2')}")
user = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "jane"}
scim = OtherClient(WSGIApplication(InMemoryStorage(), load_default_provider()))
made = scim.post("/Users", json=user)
place, version = made.json["meta"]["location"].removeprefix("http://localhost"), made.json["meta"]["version"]
for name, tag in (("the version itself", 'W/"2"'), ("an old version", 'W/"1"')):
    print("Django,", name, Client().put("/Users/1", headers={"If-Match": tag}).status_code)
    print("Werkzeug,", name, OtherClient(application).put("/Users/1", headers={"If-Match": tag}).status_code)
    print("Werkzeug,", name, OtherClient(contains).put("/Users/1", headers={"If-Match": tag}).text)
for name, tag in (("the version itself", version), ("an old version", 'W/"old"')):
    print("scim2-server,", name, scim.put(place, json=user, headers={"If-Match": tag}).status_code)
END
venv/bin/python try.py >seen
cat >expected <<'END'
Django, the version itself 412
Werkzeug, the version itself 200
Werkzeug, the version itself contains False, contains_weak True
Django, an old version 412
Werkzeug, an old version 200
Werkzeug, an old version contains False, contains_weak False
scim2-server, the version itself 200
scim2-server, an old version 412
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
