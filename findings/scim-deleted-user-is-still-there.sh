#!/usr/bin/env bash
# django-scim2-server 1.1.0 (PyPI) answers 204 to a DELETE, goes on listing the person, and refuses to create the person
# again.
# RFC 7644, section 3.6, lets a server keep what it deletes, but has it answer 404 from then on and leave the resource
# out of each list, and says that it should not count as a conflict with a new one. One would guess that a SCIM server
# which says 204 does these three. It only sets "active" to false: GET answers 200, the list has the person, and POST
# with the same userName is a conflict. Who leaves and comes back can't be provisioned by an identity provider that
# deletes, since it has forgotten the id. django-scim2 0.23.0 (PyPI) and scim2-server 0.8.3 (PyPI) delete. A client can
# look the person up by userName after the 409 and set "active" by PATCH.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'django-scim2==0.23.0' 'django-scim2-server==1.1.0' 'Django==5.2.19' 'scim2-server==0.8.3' 'scim2-models==0.12.3' 'Werkzeug==3.1.9'
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
import sys
from django.urls import include, path
urlpatterns = [path("scim/v2/", include(sys.argv[1] + ".urls"))]
class SignedIn:
    def __init__(self, answer): self.answer = answer
    def __call__(self, request):
        request.user = type("Somebody", (), {"is_anonymous": False, "is_authenticated": True, "is_superuser": True})()
        return self.answer(request)
END
cat >try.py <<'END'
import django, sys
from django.conf import settings
from werkzeug.test import Client
if sys.argv[1] == "scim2_server":
    from scim2_server.applications.wsgi import WSGIApplication
    from scim2_server.memory import InMemoryStorage
    from scim2_server.utils import load_default_provider
    client, base = Client(WSGIApplication(InMemoryStorage(), load_default_provider())), ""
else:
    own = sys.argv[1] == "django_scim"
    settings.configure(SECRET_KEY="key", ALLOWED_HOSTS=["*"], ROOT_URLCONF="routes", MIDDLEWARE=["routes.SignedIn"], LOGGING_CONFIG=None,
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "people" if own else "django_scim2_server"],
        AUTH_USER_MODEL="people.Person" if own else "auth.User", DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        SCIM_SERVICE_PROVIDER={"NETLOC": "localhost", "AUTHENTICATION_SCHEMES": [], "USER_MODEL_GETTER": "people.models.person", "GROUP_MODEL": "people.models.Team"})
    django.setup()
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    call_command("migrate", run_syncdb=True, verbosity=0)
    client, base = Client(get_wsgi_application()), "/scim/v2"
user = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "jane", "emails": [{"value": "jane@example.com"}]}
place = base + "/Users/" + client.post(base + "/Users", json=user).json["id"]
print(sys.argv[1] + ": DELETE", client.delete(place).status_code, "| GET", client.get(place).status_code,
    "| list", client.get(base + "/Users").json["totalResults"], "| POST", client.post(base + "/Users", json=user).status_code)
END
for server in django_scim2_server django_scim scim2_server; do PYTHONPATH=. venv/bin/python try.py "$server" >>seen 2>>errors; done
cat >expected <<'END'
django_scim2_server: DELETE 204 | GET 200 | list 1 | POST 409
django_scim: DELETE 204 | GET 404 | list 0 | POST 201
scim2_server: DELETE 204 | GET 404 | list 0 | POST 201
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
