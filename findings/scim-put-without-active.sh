#!/usr/bin/env bash
# A deactivated person is active again after a PUT that doesn't mention "active" at two of four SCIM servers.
# RFC 7644, section 3.5.1, lets a server leave an attribute that a PUT omits, clear it or give it a default, and a
# client that changes a name with PUT may well send only what it manages. One would guess that nobody gets access back
# by that. @better-auth/scim 1.7.5 (npm) and django-scim2-server 1.1.0 (PyPI) take the missing attribute as true.
# django-scim2 0.23.0 (PyPI) leaves it false. With scim2-server 0.8.3 (PyPI) the attribute is gone, and a client that
# reads "not false" as active takes the person for active. A client sends "active" in each PUT, and a provider that has
# a person's access hang on it should leave it alone where it is missing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --legacy-peer-deps @better-auth/scim@1.7.5 better-auth@1.7.5
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'django-scim2==0.23.0' 'django-scim2-server==1.1.0' 'Django==5.2.19' 'scim2-server==0.8.3' 'scim2-models==0.12.3' 'Werkzeug==3.1.9'
cat >try.mjs <<'END'
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { getAuthTables } from 'better-auth/db';
import { scim } from '@better-auth/scim';
const token = 't'.repeat(43), user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'jane@example.com' };
const plugins = [scim({ connections: [{ id: 'idp', credentials: [{ id: 'first', token }] }] })];
const tables = Object.fromEntries(Object.values(getAuthTables({ plugins })).map(({ modelName }) => [modelName, []]));
const auth = betterAuth({ baseURL: 'http://localhost', secret: 'Zx9!'.repeat(12), database: memoryAdapter(tables), plugins, telemetry: { enabled: false } });
const send = async (method, url, body) => (await auth.handler(new Request(url, { method, body: JSON.stringify(body),
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' } }))).json();
const made = await send('POST', 'http://localhost/api/auth/scim/v2/Users', { ...user, active: false });
console.log('@better-auth/scim:', made.active, 'becomes', (await send('PUT', made.meta.location, user)).active);
END
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
import django, json, sys
from django.conf import settings
own = sys.argv[1] == "django_scim"
settings.configure(SECRET_KEY="key", ALLOWED_HOSTS=["*"], ROOT_URLCONF="routes", MIDDLEWARE=["routes.SignedIn"], LOGGING_CONFIG=None,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "people" if own else "django_scim2_server"],
    AUTH_USER_MODEL="people.Person" if own else "auth.User", DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    SCIM_SERVICE_PROVIDER={"NETLOC": "localhost", "AUTHENTICATION_SCHEMES": [], "USER_MODEL_GETTER": "people.models.person", "GROUP_MODEL": "people.models.Team"})
django.setup()
from django.core.management import call_command
from django.test import Client
call_command("migrate", run_syncdb=True, verbosity=0)
def send(method, place, body):
    return getattr(Client(), method)(place, json.dumps(body), content_type="application/scim+json").json()
user = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "jane", "emails": [{"value": "jane@example.com"}]}
made = send("post", "/scim/v2/Users", {**user, "active": False})
print(sys.argv[1] + ":", made["active"], "becomes", send("put", f"/scim/v2/Users/{made['id']}", user)["active"])
END
cat >other.py <<'END'
from scim2_server.applications.wsgi import WSGIApplication
from scim2_server.memory import InMemoryStorage
from scim2_server.utils import load_default_provider
from werkzeug.test import Client
client = Client(WSGIApplication(InMemoryStorage(), load_default_provider()))
user = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "jane"}
made = client.post("/Users", json={**user, "active": False}).json
changed = client.put(made["meta"]["location"].removeprefix("http://localhost"), json=user).json
print("scim2-server:", made["active"], "becomes", changed.get("active", "nothing"))
END
node try.mjs >seen
for server in django_scim django_scim2_server; do PYTHONPATH=. venv/bin/python try.py "$server" >>seen; done
venv/bin/python other.py >>seen
cat >expected <<'END'
@better-auth/scim: false becomes true
django_scim: False becomes False
django_scim2_server: False becomes True
scim2-server: False becomes nothing
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
