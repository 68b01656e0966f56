#!/usr/bin/env bash
# scim-client 0.2.3 asks for the results from number 0 on, and django-scim2 0.23.0 (both PyPI) refuses that.
# RFC 7644, section 3.4.2.4, counts from 1 and says that a smaller startIndex SHALL be interpreted as 1. One would
# guess that a client starts at 1, and that a server is lenient where the RFC demands it. The client's search_users
# sends startIndex=0 unless it is told otherwise, and the server answers 400. Where the two meet, a plain search fails
# with "Bad Request", and the reason stands in a body that the client doesn't show. A provider should take 0 as the
# RFC says; who uses the client with a strict one passes start_index=1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'scim-client==0.2.3' 'django-scim2==0.23.0' 'Django==5.2.19'
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
import django, threading
from django.conf import settings
from django.core.management import call_command
from urllib.error import HTTPError
from wsgiref.simple_server import WSGIRequestHandler, make_server
settings.configure(SECRET_KEY="key", ALLOWED_HOSTS=["*"], ROOT_URLCONF="routes", MIDDLEWARE=["routes.SignedIn"], AUTH_USER_MODEL="people.Person",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "people"], DEFAULT_AUTO_FIELD="django.db.models.AutoField", LOGGING_CONFIG=None,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "people.sqlite"}},
    SCIM_SERVICE_PROVIDER={"NETLOC": "localhost", "AUTHENTICATION_SCHEMES": [], "USER_MODEL_GETTER": "people.models.person", "GROUP_MODEL": "people.models.Team"})
django.setup()
from django.core.wsgi import get_wsgi_application
from people.models import Person
from scim_client import SCIMClient
call_command("migrate", run_syncdb=True, verbosity=0)
Person.objects.create(username="jane", email="jane@example.com", first_name="Jane", last_name="Doe")
class Quiet(WSGIRequestHandler):
    def log_message(self, *_): print(self.path, end=" ")
server = make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = SCIMClient(f"http://127.0.0.1:{server.server_port}/v2", "token")
for parameters in ({}, {"start_index": 1}):
    try:
        print("finds", client.search_users('userName eq "jane"', **parameters).total_results)
    except HTTPError as error:
        print("fails:", error, error.read().decode())
END
PYTHONPATH=. venv/bin/python try.py >seen 2>errors
cat >expected <<'END'
/v2/Users?filter=userName+eq+%22jane%22&count=20&startIndex=0 fails: HTTP Error 400: Bad Request {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "detail": "Invalid startIndex (must be >= 1)", "status": 400}
/v2/Users?filter=userName+eq+%22jane%22&count=20&startIndex=1 finds 1
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
