//! An organization that has everything that a view can show, and names that hardly fit into a view.

use std::time::Duration;

use insomnia_scim::connector::ExpiryWindow;
use insomnia_scim::directory::{Domain, OrganizationRecord, Role};
use insomnia_scim::guard::Guard;
use insomnia_scim_tests::client::Client;
use insomnia_scim_tests::scim::{id, patch};
use insomnia_scim_tests::seed::user_request;
use insomnia_scim_tests::{person::Person, seed};
use serde_json::{Value, json};

use crate::page::host::Host;
use crate::page::organization::{Organization, record};

/// People whom the identity provider sends: first name, last name.
const PEOPLE: [(&str, &str); 24] = [
    ("Ada", "Lovelace"),
    ("Grace", "Hopper"),
    ("Katherine", "Johnson"),
    ("Alan", "Turing"),
    ("Margaret", "Hamilton"),
    ("Edsger", "Dijkstra"),
    ("Barbara", "Liskov"),
    ("Donald", "Knuth"),
    ("Radia", "Perlman"),
    ("Tim", "Berners-Lee"),
    ("Hedy", "Lamarr"),
    ("Linus", "Torvalds"),
    ("Frances", "Allen"),
    ("Ken", "Thompson"),
    ("Adele", "Goldberg"),
    ("Dennis", "Ritchie"),
    ("Mary", "Jackson"),
    ("John", "McCarthy"),
    ("Jean", "Bartik"),
    ("Claude", "Shannon"),
    ("Karen", "Spärck Jones"),
    ("Niklaus", "Wirth"),
    ("Sophie", "Wilson"),
    ("Anita", "Borg"),
];
/// People who were there before: two of them the identity provider sends as well.
const BEFORE: [(&str, Role); 5] = [
    ("ada.lovelace", Role::Member),
    ("grace.hopper", Role::CoOwner),
    ("finance", Role::Member),
    ("contractor.with-a-rather-long-name.of-the-design-agency", Role::Member),
    ("build-robot", Role::Member),
];

/// Acme Robotics: SCIM is on, and has been used for a while.
pub(crate) fn acme(host: &Host) -> (Organization<'_>, Client) {
    let base = record("Acme Robotics", "acme-robotics");
    let domains = vec![Domain { name: "acme.example".into(), verified: true }];
    let acme = Organization::create(host, "acme-robotics", OrganizationRecord { seats: 40, domains, ..base });
    for (name, role) in BEFORE {
        acme.add(&format!("{name}@acme.example"), &title(name), role);
    }
    host.run(acme.library.add_team("Founders", std::slice::from_ref(&acme.owner))).expect("a team");
    let client = acme.enable(ExpiryWindow::Days180).header("User-Agent", "Okta SCIM Client 1.0.0");
    host.pass(Duration::from_secs(42 * 60));
    client.get("/Users?startIndex=1&count=2").is(200);
    client.get("/ServiceProviderConfig").is(200);
    let ids = provision(host, &client);
    host.run_due();
    trouble(&acme, &client, &ids);
    let title = json!([{ "op": "replace", "path": "title", "value": "Principal Engineer" }]);
    client.patch(&format!("/Users/{}", ids[2]), patch(title)).is(200);
    let team = client.get("/Groups?filter=displayName%20eq%20%22Security%22").only();
    let more = json!([{ "op": "add", "path": "members", "value": [{ "value": ids[3] }] }]);
    client.patch(&format!("/Groups/{}", id(&team)), patch(more));
    host.pass(Duration::from_secs(5 * 60));
    (acme, client)
}

fn provision(host: &Host, client: &Client) -> Vec<String> {
    let mut ids = Vec::new();
    for (given, family) in PEOPLE {
        let name = format!("{}.{}", ascii(given), ascii(family));
        let person = Person {
            given: given.into(),
            family: family.into(),
            user_name: format!("{name}@acme.example"),
            email: format!("{name}@acme.example"),
            ..Person::new(&name)
        };
        client.get(&format!("/Users?filter=userName%20eq%20%22{}%22", person.user_name)).is(200);
        ids.push(id(&seed::user(client, &person)));
        host.pass(Duration::from_millis(3700));
    }
    for (team, from, to) in [("Engineering", 0, 12), ("Security", 12, 15), ("Design & Research", 15, 24)] {
        seed::group(client, team, &ids[from..to]);
    }
    let operation = json!([{ "op": "replace", "path": "active", "value": false }]);
    client.patch(&format!("/Users/{}", ids[7]), patch(operation)).is(200);
    let operation = json!([{ "op": "replace", "path": "displayName", "value": "Design, Research and Documentation" }]);
    let group = client.get("/Groups?filter=displayName%20eq%20%22Design%20%26%20Research%22").only();
    client.patch(&format!("/Groups/{}", id(&group)), patch(operation));
    ids
}

/// What an identity provider gets refused.
fn trouble(acme: &Organization<'_>, client: &Client, ids: &[String]) {
    let again = Person { user_name: "ada.lovelace@acme.example".into(), ..Person::new("again") };
    client.post("/Users", user_request(&again)).is(409);
    client.get("/Users/0b8d7c1e-0000-4000-8000-000000000000").is(404);
    client.get("/Users?filter=userName%20eq%20%22a%22%20and%20%28").is(400);
    Client::new(&client.url(), "insm_scim_not-the-token").get("/Users").is(401);
    acme.host.pass(Duration::from_secs(95));
    client.delete(&format!("/Users/{}", ids[23])).is(204);
    acme.host.pass(Duration::from_secs(8));
}

/// Switches the guard on and lets the identity provider run into it.
pub(crate) fn hold_removals(acme: &Organization<'_>, client: &Client) {
    acme.host.run(acme.library.set_guard(Some(Guard { number: Some(2), share: Some(20) }))).expect("a guard");
    let page = client.get("/Users?count=6").list();
    for id in page.ids() {
        client.patch(&format!("/Users/{id}"), patch(json!([{ "op": "replace", "path": "active", "value": false }])));
    }
}

/// What an identity provider would send: one user who is there by hand, one who is new, one without a name.
pub(crate) fn list_to_preview() -> Value {
    json!([
        { "userName": "finance@acme.example", "emails": [{ "value": "finance@acme.example", "primary": true }] },
        { "userName": "vint.cerf@acme.example", "emails": [{ "value": "vint.cerf@acme.example", "primary": true }] },
        { "userName": "alan.turing@acme.example", "emails": [{ "value": "alan.turing@acme.example" }] },
        { "userName": "" },
    ])
}

fn title(name: &str) -> String {
    let capital = |word: &str| format!("{}{}", word[..1].to_uppercase(), &word[1..]);
    name.split(['.', '-']).map(capital).collect::<Vec<_>>().join(" ")
}

fn ascii(name: &str) -> String {
    name.to_lowercase().replace('ä', "a").replace(' ', "-")
}
