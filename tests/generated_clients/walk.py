"""Calls every operation of the admin API once, with the client that openapi-python-client has made from the document.

The client is the package `client` beside this process (PYTHONPATH). The arguments are the server's URL, an API key of
the operator, the file of a component, and the id of an organization that is not there yet. Each call has to succeed,
unless nothing can be there for it, and its answer has to be of the type that the document promises. At the end no operation of the document may be left over.
"""

import hashlib
import importlib
import pathlib
import pkgutil
import sys
import uuid
from io import BytesIO

import client.api
from client import AuthenticatedClient, models
from client.types import File

URL, KEY, COMPONENT, ORGANIZATION = sys.argv[1:]
# Nobody listens there: what is posted to it fails, and that is told in the answer.
NOBODY = "http://127.0.0.1:9"
PASSPHRASE = "correct horse battery staple"

# Every module is imported, so that one that can't be is found here. The name of each is that of its operation.
OPERATIONS = {
    found.name.rpartition(".")[2]: importlib.import_module(found.name)
    for found in pkgutil.walk_packages(client.api.__path__, "client.api.")
    if not found.ispkg
}
CALLER = AuthenticatedClient(base_url=URL, token=KEY, raise_on_unexpected_status=True)
CALLED = set()


def call(operation, *path, gives=None, **arguments):
    """Calls an operation, and returns its answer, which is of the type `gives`. Without one, the answer has no body."""
    answer = OPERATIONS[operation].sync_detailed(*path, client=CALLER, **arguments)
    assert 200 <= answer.status_code < 300, (operation, answer)
    if gives is None:
        assert answer.status_code == 204 and answer.content == b"", (operation, answer)
    else:
        assert isinstance(answer.parsed, gives), (operation, answer)
    CALLED.add(operation)
    return answer.parsed


def refused(operation, *path, status, **arguments):
    """Calls an operation that has nothing to do here, and so refuses with this status and a problem."""
    answer = OPERATIONS[operation].sync_detailed(ORGANIZATION, *path, client=CALLER, **arguments)
    assert answer.status_code == status and isinstance(answer.parsed, models.Problem), (operation, answer)
    CALLED.add(operation)


def of_the_organization(operation, *path, **arguments):
    return call(operation, ORGANIZATION, *path, **arguments)


def organizations():
    domain = f"{ORGANIZATION}.example"
    record = models.OrganizationRecord(
        name="Walked",
        plan=models.Plan.ENTERPRISE,
        seats=20,
        domains=[models.Domain(name=domain, verified=True)],
        single_sign_on="okta",
        options=models.Options(list_manual=True),
    )
    owner = models.NewOwner(email=f"owner@{domain}", passphrase=PASSPHRASE)
    new = models.NewOrganization(id=ORGANIZATION, organization=record, owner=owner)
    made = call("create_organization", body=new, gives=models.CreatedOrganization)
    assert (made.id, made.owner.role) == (ORGANIZATION, models.Role.OWNER), made
    listed = call("list_organizations", limit=500, gives=models.ListOfOrganizationLine)
    assert ORGANIZATION in [line.id for line in listed.items], listed
    fleet = call("list_fleet", token=models.ListFleetToken.DISABLED, limit=100, gives=models.ListOfStanding)
    assert [standing.seats for standing in fleet.items if standing.id == ORGANIZATION] == [20], fleet
    call("list_alerts", limit=100, gives=models.ListOfAlert)
    of_the_organization("get_organization", gives=models.OrganizationView)
    record.seats = 21
    of_the_organization("put_organization", body=record, gives=models.OrganizationView)

    # A change of one option is sent as this option alone: what nobody named stays as it is.
    change = models.OrganizationChange(options=models.OptionChanges(strict=True))
    assert change.to_dict() == {"options": {"strict": True}}, change.to_dict()
    kept = of_the_organization("patch_organization", body=change, gives=models.OrganizationView).organization
    assert (kept.name, kept.seats, kept.single_sign_on) == ("Walked", 21, "okta"), kept
    assert (kept.options.list_manual, kept.options.strict) == (True, True), kept

    of_the_organization("get_requirements", gives=models.Requirements)
    of_the_organization("get_licences", gives=models.LicencesView)
    quotas = of_the_organization("list_quotas", gives=models.ListOfQuotaLine)
    assert quotas.items, quotas
    limit = models.NewLimit(limit=1_000)
    quota = models.PutQuotaQuota.EMAILS_PER_DAY
    line = of_the_organization("put_quota", quota, body=limit, gives=models.QuotaLine)
    assert (line.quota, line.limit) == ("emails-per-day", 1_000), line
    retention = of_the_organization("get_retention", gives=models.Retention)
    of_the_organization("put_retention", body=retention, gives=models.Retention)


def components():
    wasm = pathlib.Path(COMPONENT).read_bytes()
    component = hashlib.sha256(wasm).hexdigest()
    stored = call("put_component", component, body=File(payload=BytesIO(wasm)), name="walked", gives=models.Component)
    assert (stored.id, stored.bytes_) == (component, len(wasm)), stored
    call("list_components", gives=models.ListOfComponent)
    canary = models.NewCanary(component=component, percent=1)
    assert call("put_canary", body=canary, gives=models.CanaryState).percent == 1
    assert call("get_canary", gives=models.CanaryState).component == component
    call("end_canary")
    of_the_organization("get_component", gives=models.OrganizationComponent)
    pin = models.NewPin(component="default")
    of_the_organization("put_pin", body=pin, gives=models.OrganizationComponent)
    call("remove_component", component)


def connector():
    enable = models.Enable(identity_provider="okta", expires=models.ExpiryWindow.VALUE_1)
    token = of_the_organization("enable_connector", body=enable, gives=models.Enabled)
    assert token.token.startswith("insm_scim_") and token.expires, token
    assert of_the_organization("get_connector", gives=models.ConnectorView).enabled
    refresh = models.Refresh(overlap_seconds=60)
    assert of_the_organization("refresh_token", body=refresh, gives=models.Token).token != token.token

    okta = models.OktaAccess(
        org_url=NOBODY, app_id="0oa1", credentials=models.OktaCredentialsBodyType0(api_token="secret")
    )
    access = models.IdpApiBody(api=models.IdpApiAccessType1(okta=okta))
    status = of_the_organization("put_idp_api", body=access, gives=models.RefreshStatus)
    assert isinstance(status.idp_api, models.IdpApiStatusType1), status
    assert (status.idp_api.org_url, status.idp_api.app_id) == (NOBODY, "0oa1"), status
    # A body that may be left out is left out here and below.
    of_the_organization("try_idp_api", gives=models.RefreshStatus)
    of_the_organization("get_automatic_refresh", gives=models.RefreshStatus)
    of_the_organization("delete_idp_api")

    new = models.NewClient(name="Walked", client_credentials=True)
    made = of_the_organization("create_oauth_client", body=new, gives=models.IssuedClient)
    of_the_organization("list_oauth_clients", gives=models.ListOfOAuthClient)
    rotated = of_the_organization("rotate_oauth_client", made.client.id, gives=models.IssuedClient)
    assert rotated.secret and rotated.secret != made.secret, rotated
    of_the_organization("delete_oauth_client", made.client.id)
    link = models.NewLink(identity_provider="okta")
    issued = of_the_organization("create_setup_link", body=link, gives=models.IssuedLink)
    links = of_the_organization("list_setup_links", gives=models.ListOfSetupLink)
    assert [link.id for link in links.items] == [issued.link.id], links
    of_the_organization("revoke_setup_link", issued.link.id)
    assert not of_the_organization("disable_connector", gives=models.ConnectorView).enabled


def people():
    new = models.NewMemberBody(email=f"ada@{ORGANIZATION}.example", display_name="Ada", passphrase=PASSPHRASE)
    ada = of_the_organization("add_member", body=new, idempotency_key=f"ada-{ORGANIZATION}", gives=models.Member)
    assert of_the_organization("list_members", prefix="Ada", gives=models.ListOfMember).items == [ada]
    assert of_the_organization("get_member", ada.id, gives=models.Member) == ada
    role = models.RoleBody(role=models.Role.CO_OWNER)
    promoted = of_the_organization("set_role", ada.email, body=role, gives=models.Member)
    assert promoted.role == models.Role.CO_OWNER, promoted
    of_the_organization("reset_passphrase", ada.id)

    team = of_the_organization("add_team", body=models.NewTeam(name="Walkers"), gives=models.Team)
    joins = models.MembershipChange(add=[ada.email])
    assert of_the_organization("change_team_members", team.id, body=joins, gives=models.Team).members == 1
    members = of_the_organization("list_team_members", team.id, gives=models.ListOfMember)
    assert [member.id for member in members.items] == [ada.id], members
    of_the_organization("get_team", "Walkers", gives=models.Team)
    of_the_organization("list_teams", gives=models.ListOfTeam)

    user = ["urn:ietf:params:scim:schemas:core:2.0:User"]
    assert of_the_organization("get_member_details", ada.id, gives=models.MemberDetails).member.id == ada.id
    teams = of_the_organization("list_teams_of_member", ada.id, gives=models.ListOfTeam)
    assert [team.name for team in teams.items] == ["Walkers"], teams
    assert of_the_organization("get_team_details", team.id, gives=models.TeamDetails).team.members == 1
    assert ada.email in of_the_organization("export_members", gives=str)
    assert "Walkers" in of_the_organization("export_teams", gives=str)
    assert of_the_organization("get_census", gives=models.Census).active_manual == 2
    of_the_organization("list_without_seat", gives=models.WithoutSeat)

    users = [{"schemas": user, "userName": "grace@example.com"}, {"schemas": user, "userName": ada.email}]
    preview = of_the_organization("preview", body=users, gives=models.Preview)
    assert preview.users[0].outcome == models.PreviewOutcome.CREATES, preview
    hedy = models.MemberToImport(id=str(uuid.uuid4()), email="hedy@example.com")
    taken_over = models.MembersToImport(members=[hedy])
    for outcome in ["added", "present"]:
        imported = of_the_organization("import_members", body=taken_over, gives=models.Imported)
        assert [(one.id, one.outcome) for one in imported.members] == [(hedy.id, outcome)], imported
    of_the_organization("remove_team", team.id)
    of_the_organization("remove_member", ada.id)
    body = models.PersonToErase(person=ada.id, known_as=[ada.email])
    assert of_the_organization("erase_person", body=body, gives=models.ErasedPerson).id == ada.id


def guard_and_schemas():
    of_the_organization("put_guard", body=models.Guard(number=5), gives=models.GuardStatus)
    assert of_the_organization("get_guard", gives=models.GuardStatus).guard.number == 5
    of_the_organization("list_held", gives=models.HeldPage)
    decision = models.DecisionBody(decision=models.Decision.ALLOWED)
    of_the_organization("decide_held", body=decision, gives=models.Decided)
    of_the_organization("delete_guard")

    declaration = models.Declaration(
        schemas=[
            {
                "id": "urn:example:walked",
                "name": "Walked",
                "description": "Walked",
                "attributes": [{"name": "shoe", "type": "string", "multiValued": False, "description": "A shoe"}],
            }
        ]
    )
    declared = of_the_organization("put_schemas", body=declaration, gives=models.Declaration)
    assert declared.schemas[0]["id"] == "urn:example:walked", declared
    of_the_organization("get_schemas", gives=models.Declaration)
    of_the_organization("delete_schemas")


def logs_and_events():
    everything = of_the_organization("export_organization", gives=str)
    assert everything.startswith('{"kind":"organization"') and '{"kind":"end"' in everything, everything
    of_the_organization("search_logs", since=0, gives=models.ListOfLogEntry)
    exported = of_the_organization("export_logs", format_=models.ExportLogsFormat.CSV, gives=str)
    assert exported.startswith("time,"), exported
    audit = of_the_organization("search_audit", limit=500, gives=models.ListOfAuditEntry)
    acts = {entry.act: entry for entry in audit.items}
    assert acts["connector.enable"].face == models.AuditFace.API, audit
    beyond = call("search_operator_audit", limit=500, text="component", gives=models.ListOfAuditEntry)
    assert "component.remove" in [entry.act for entry in beyond.items], beyond
    events = of_the_organization("list_events", gives=models.ListOfEventDocument)
    assert "member.created" in [event.type_ for event in events.items], events
    webhook = models.WebhookBody(url=f"{NOBODY}/hook")
    issued = of_the_organization("put_webhook", body=webhook, gives=models.IssuedWebhook)
    assert not issued.works and issued.secret, issued
    of_the_organization("get_webhook", gives=models.Webhook)
    of_the_organization("test_webhook", gives=models.Webhook)
    of_the_organization("delete_webhook")
    receiver = models.NewEventStream(name="Receiver", audience=NOBODY)
    issued = of_the_organization("add_stream", body=receiver, gives=models.IssuedStream)
    assert issued.token and issued.stream.poll_url, issued
    of_the_organization("list_streams", gives=models.ListOfEventStream)
    of_the_organization("get_stream", issued.stream.id, gives=models.EventStream)
    of_the_organization("rotate_stream_token", issued.stream.id, gives=models.IssuedStream)
    of_the_organization("rotate_signing_key", gives=models.SigningKey)
    of_the_organization("remove_stream", issued.stream.id)
    parked = models.DeliveryQueue.EVENTS_PARKED
    of_the_organization("list_deliveries", parked, gives=models.ListOfDelivery)
    of_the_organization("retry_deliveries", parked, gives=models.Retried)
    nothing = models.Dismissal(ids=["1"])
    assert of_the_organization("dismiss_deliveries", parked, body=nothing, gives=models.Dismissed).dismissed == 0
    elsewhere = models.Readdress(id="1", to=f"ada@{ORGANIZATION}.example")
    refused("readdress_email", models.DeliveryQueue.EMAILS_PARKED, body=elsewhere, status=404)


def api_keys():
    new = models.NewApiKey(name="walked")
    issued = of_the_organization("create_api_key", body=new, gives=models.IssuedKey)
    of_the_organization("list_api_keys", gives=models.ListOfApiKey)
    of_the_organization("revoke_api_key", issued.key.id)
    issued = call("create_operator_key", body=new, gives=models.IssuedKey)
    call("list_operator_keys", gives=models.ListOfApiKey)
    call("revoke_operator_key", issued.key.id)


document = call("get_document", gives=models.GetDocumentResponse200).to_dict()
organizations()
components()
connector()
people()
guard_and_schemas()
logs_and_events()
api_keys()
of_the_organization("delete_organization")

documented = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}
assert CALLED == documented, f"not called: {documented - CALLED}; not in the document: {CALLED - documented}"
print(f"{len(CALLED)} operations")
