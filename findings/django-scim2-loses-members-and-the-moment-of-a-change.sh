#!/usr/bin/env bash
# django-scim2 0.23.0 (PyPI) creates a group without the members that it was sent, and never changes "lastModified" of a
# person.
# RFC 7643, section 3.1, has meta.lastModified updated at each change, and RFC 7644, section 3.4.2.2, has it in its
# examples of filters, for clients that ask what has changed since. One would guess that a server which returns the
# attribute keeps it. The library fills it with the moment when the person was created, after a PATCH too. It answers
# 201 to a group with a member, with an empty list of members, and PUT leaves the members out as well; only PATCH adds
# and removes them. A client should compare the members in the answer and add the missing ones by PATCH; one that looks
# at lastModified to see what has changed misses everything.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'django-scim2==0.23.0' 'Django==5.2.19'
mkdir people && touch people/__init__.py
cat >people/models.py <<'END'
from django.contrib.auth.models import AbstractUser
from django.db import models
from django_scim.models import AbstractSCIMGroupMixin, AbstractSCIMUserMixin
class Team(AbstractSCIMGroupMixin):
    name = models.CharField(max_length=80)
class Person(AbstractSCIMUserMixin, AbstractUser):
    scim_groups = models.ManyToManyField(Team, related_name="user_set")
def person():
    return Person
END
cat >routes.py <<'END'
from django.urls import include, path
urlpatterns = [path("v2/", include("django_scim.urls"))]
class SignedIn:
    def __init__(self, answer): self.answer = answer
    def __call__(self, request):
        request.user = type("Somebody", (), {"is_anonymous": False, "is_authenticated": True})()
        return self.answer(request)
END
cat >try.py <<'END'
import django, json, time
from django.conf import settings
settings.configure(SECRET_KEY="key", ALLOWED_HOSTS=["*"], ROOT_URLCONF="routes", MIDDLEWARE=["routes.SignedIn"], LOGGING_CONFIG=None,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "people"], AUTH_USER_MODEL="people.Person",
    DEFAULT_AUTO_FIELD="django.db.models.AutoField", DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    SCIM_SERVICE_PROVIDER={"NETLOC": "localhost", "AUTHENTICATION_SCHEMES": [], "USER_MODEL_GETTER": "people.models.person", "GROUP_MODEL": "people.models.Team"})
django.setup()
from django.core.management import call_command
from django.test import Client
call_command("migrate", run_syncdb=True, verbosity=0)
def send(method, place, body):
    answer = getattr(Client(), method)("/v2" + place, json.dumps(body), content_type="application/scim+json")
    return answer.status_code, answer.json()
def change(place, operation):
    return send("patch", place, {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]})
user = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "jane", "emails": [{"value": "jane@example.com"}]}
_, made = send("post", "/Users", user)
time.sleep(1)
status, changed = change("/Users/" + made["id"], {"op": "replace", "path": "active", "value": False})
print("PATCH of active", status, "active:", changed["active"], "| lastModified is still created:", changed["meta"]["lastModified"] == made["meta"]["created"])
group = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Staff", "members": [{"value": made["id"]}]}
status, made_group = send("post", "/Groups", group)
place = "/Groups/" + made_group["id"]
print("POST of a group", status, "members:", len(made_group["members"]))
status, changed = send("put", place, group)
print("PUT of the group", status, "members:", len(changed["members"]))
status, changed = change(place, {"op": "add", "path": "members", "value": [{"value": made["id"]}]})
print("PATCH of the group", status, "members:", len(changed["members"]))
END
PYTHONPATH=. venv/bin/python try.py >seen 2>errors
cat >expected <<'END'
PATCH of active 200 active: False | lastModified is still created: True
POST of a group 201 members: 0
PUT of the group 200 members: 0
PATCH of the group 200 members: 1
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
