"""What Okta and Microsoft Entra ID send to a SCIM server, in short, over HTTP: `identity_providers.py URL TOKEN`.

It needs nothing but Python, ends with status 0 if every answer is right, and otherwise says which one is not. One member
stays behind; `identity_providers.py URL TOKEN --again` looks for that one only, after a restart.
"""

import http.client
import json
import sys
from urllib.parse import quote, urlsplit

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
STAYS = "stays@acme.example"


class Client:
    """Requests to one connector, over one connection."""

    def __init__(self, url: str, token: str | None, agent: str) -> None:
        self.base = urlsplit(url)
        self.connection = http.client.HTTPConnection(self.base.hostname, self.base.port, timeout=60)
        self.headers = {"accept": "application/scim+json", "user-agent": agent}
        if token is not None:
            self.headers["authorization"] = f"Bearer {token}"

    def ask(self, expected: int, method: str, path: str, body: object = None, chunked: bool = False) -> dict:
        """Sends a request whose answer must have this status, and returns the answer's document."""
        headers = dict(self.headers)
        content = None
        if body is not None:
            headers["content-type"] = "application/scim+json"
            content = json.dumps(body).encode()
            if chunked:
                content = iter([content[:10], content[10:]])
        self.connection.request(method, self.base.path + path, content, headers, encode_chunked=chunked)
        response = self.connection.getresponse()
        text = response.read()
        if response.status != expected:
            sys.exit(f"{method} {path}: {response.status} instead of {expected}: {text.decode(errors='replace')}")
        if not text:
            return {}
        is_scim = response.getheader("content-type", "").startswith("application/scim+json")
        equal(f"the content type of {method} {path}", is_scim, True)
        return json.loads(text)

    def find(self, kind: str, filter: str, extra: str = "") -> list[dict]:
        """The resources that a filter finds."""
        return self.ask(200, "GET", f"/{kind}?filter={quote(filter)}{extra}").get("Resources", [])

    def patch(self, path: str, *operations: dict, expected: int = 200) -> dict:
        """Sends a PATCH."""
        return self.ask(expected, "PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})


def equal(what: str, found: object, expected: object) -> None:
    if found != expected:
        sys.exit(f"{what}: {found!r} instead of {expected!r}")


def members(group: dict) -> set[str]:
    return {member["value"] for member in group.get("members", [])}


def strangers(url: str) -> None:
    """Nothing is answered without the token, and what refuses is a SCIM error."""
    for token in (None, "insm_scim_0000000000000000000000000000000000000000000000000", ""):
        stranger = Client(url, token, "stranger")
        for method, path in (("GET", "/Users"), ("POST", "/Users"), ("GET", "/Users/1"), ("DELETE", "/Groups/1")):
            refused = stranger.ask(401, method, path, {} if method == "POST" else None)
            equal("the refusal", (refused["schemas"], refused["status"]), ([ERROR], "401"))


def discovery(client: Client) -> None:
    """What a client reads first."""
    configuration = client.ask(200, "GET", "/ServiceProviderConfig")
    equal("PATCH is supported", configuration["patch"]["supported"], True)
    kinds = {kind["name"] for kind in client.ask(200, "GET", "/ResourceTypes")["Resources"]}
    equal("the resource types", {"User", "Group"} <= kinds, True)
    schemas = {schema["id"] for schema in client.ask(200, "GET", "/Schemas")["Resources"]}
    equal("the schemas", {CORE, ENTERPRISE, GROUP} <= schemas, True)


def okta(client: Client) -> None:
    """Okta: looks for a user by userName, creates, replaces, deactivates by PATCH without a path, pushes groups."""
    name = "ada.okta@acme.example"
    equal("before", client.find("Users", f'userName eq "{name}"', "&startIndex=1&count=100"), [])
    user = {
        "schemas": [CORE],
        "userName": name,
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "emails": [{"primary": True, "value": name, "type": "work"}],
        "displayName": "Ada Lovelace",
        "locale": "en-US",
        "externalId": "00u1",
        "groups": [],
        "active": True,
    }
    created = client.ask(201, "POST", "/Users", user)
    path = f"/Users/{created['id']}"
    equal("meta.location", created["meta"]["location"].endswith(path), True)
    equal("a second POST", client.ask(409, "POST", "/Users", user)["scimType"], "uniqueness")
    found = client.find("Users", f'userName eq "{name.upper()}"', "&startIndex=1&count=100")
    equal("found by userName in capitals", [each["id"] for each in found], [created["id"]])
    replaced = client.ask(200, "PUT", path, {**user, "displayName": "Countess Lovelace", "id": created["id"]})
    equal("after PUT", replaced["displayName"], "Countess Lovelace")

    group = client.ask(201, "POST", "/Groups", {"schemas": [GROUP], "displayName": "Okta: Engineering", "members": []})
    at = f"/Groups/{group['id']}"
    rename = {"op": "replace", "value": {"id": group["id"], "displayName": "Okta: Engines"}}
    add = {"op": "add", "path": "members", "value": [{"value": created["id"], "display": name}]}
    # Renaming changes no member; the answer to a PATCH of a group may be 200 or 204, so the group is read again.
    client.patch(at, rename, add)
    group = client.ask(200, "GET", at)
    equal("the group", (group["displayName"], members(group)), ("Okta: Engines", {created["id"]}))
    equal("the user's groups", [each["value"] for each in client.ask(200, "GET", path)["groups"]], [group["id"]])
    client.patch(at, {"op": "remove", "path": f'members[value eq "{created["id"]}"]'})
    equal("after the removal", members(client.ask(200, "GET", at)), set())
    client.ask(204, "DELETE", at)
    client.ask(404, "GET", at)

    off = client.patch(path, {"op": "replace", "value": {"active": False}})
    equal("deactivated", off["active"], False)
    on = client.patch(path, {"op": "replace", "value": {"active": True}})
    equal("activated again", on["active"], True)
    client.ask(204, "DELETE", path)
    client.ask(404, "GET", path)
    equal("after DELETE", client.find("Users", f'userName eq "{name}"'), [])


def entra(client: Client) -> None:
    """Entra ID: capital operation names, booleans as texts, paths with filters and schema names, members by list."""
    users = []
    for number in (1, 2, 3):
        name = f"member{number}.entra@acme.example"
        equal("before", client.find("Users", f'externalId eq "entra-{number}"'), [])
        user = {
            "schemas": [CORE, ENTERPRISE],
            "externalId": f"entra-{number}",
            "userName": name,
            "active": True,
            "displayName": f"Member {number}",
            "emails": [{"primary": True, "type": "work", "value": name}],
            "name": {"formatted": f"Member {number}", "givenName": "Member", "familyName": str(number)},
            "meta": {"resourceType": "User"},
            ENTERPRISE: {"department": "Sales", "employeeNumber": str(number)},
        }
        users.append(client.ask(201, "POST", "/Users", user, chunked=number == 2)["id"])
    path = f"/Users/{users[0]}"
    client.patch(
        path,
        {"op": "Replace", "path": "displayName", "value": "Member One"},
        {"op": "Add", "path": 'emails[type eq "work"].value', "value": "one.entra@acme.example"},
        {"op": "Replace", "path": "name.familyName", "value": "One"},
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Research"},
    )
    one = client.ask(200, "GET", path)
    equal("the name", (one["displayName"], one["name"]["familyName"]), ("Member One", "One"))
    equal("the address", [email["value"] for email in one["emails"]], ["one.entra@acme.example"])
    equal("the department", one[ENTERPRISE]["department"], "Research")

    body = {"schemas": [GROUP], "displayName": "Entra: Sales", "externalId": "group-1", "meta": {"resourceType": "Group"}}
    group = client.ask(201, "POST", "/Groups", body)
    at = f"/Groups/{group['id']}"
    found = client.find("Groups", 'displayName eq "Entra: Sales"', "&excludedAttributes=members")
    equal("the group by its name", [each["id"] for each in found], [group["id"]])
    for id in users:
        client.patch(at, {"op": "Add", "path": "members", "value": [{"value": id}]})
    client.patch(at, {"op": "Replace", "path": "displayName", "value": "Entra: Sellers"})
    client.patch(at, {"op": "Remove", "path": "members", "value": [{"value": users[1]}]})
    group = client.ask(200, "GET", at)
    equal("the group", (group["displayName"], members(group)), ("Entra: Sellers", {users[0], users[2]}))
    equal("without members", "members" in client.ask(200, "GET", f"{at}?excludedAttributes=members"), False)

    listed = client.ask(200, "GET", "/Users?startIndex=1&count=2")
    equal("the page", (listed["totalResults"] >= 3, len(listed["Resources"])), (True, 2))
    client.patch(path, {"op": "Replace", "path": "active", "value": "False"})
    equal("deactivated", client.ask(200, "GET", path)["active"], False)
    for id in users:
        client.ask(204, "DELETE", f"/Users/{id}")
    equal("members who are gone", members(client.ask(200, "GET", at)), set())
    client.ask(204, "DELETE", at)


def refusals(client: Client) -> None:
    """What is wrong is refused with a SCIM error, and the connection goes on."""
    equal("a filter", client.ask(400, "GET", f"/Users?filter={quote('userName eq')}")["scimType"], "invalidFilter")
    equal("no schema", client.ask(400, "POST", "/Users", {"schemas": ["urn:none"]})["status"], "400")
    equal("no such path", client.ask(404, "GET", "/Nothing")["status"], "404")
    equal("no such user", client.ask(404, "GET", "/Users/2819c223-7f76-453a-919d-413861904646")["status"], "404")


def main() -> None:
    url, token, *rest = sys.argv[1:]
    client = Client(url, token, "Okta SCIM Client 1.0.0")
    if "--again" not in rest:
        strangers(url)
        discovery(client)
        okta(client)
        entra(Client(url, token, "Microsoft.Azure.ActiveDirectory.Provisioning"))
        refusals(client)
        email = [{"value": STAYS, "primary": True}]
        client.ask(201, "POST", "/Users", {"schemas": [CORE], "userName": STAYS, "emails": email, "active": True})
    found = client.find("Users", f'userName eq "{STAYS}"')
    equal("who stays", [(user["userName"], user["active"]) for user in found], [(STAYS, True)])
    print("all answers are right")


main()
