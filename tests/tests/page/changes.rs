//! Views of changes: events, their delivery, and the preview of what provisioning would change.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use insomnia_scim::connector::ExpiryWindow;
use insomnia_scim::directory::Role;
use insomnia_scim_tests::person::Person;
use insomnia_scim_tests::scim::id;
use insomnia_scim_tests::seed;

use crate::page::host::Host;
use crate::page::organization::Organization;
use crate::page::visitor::Visitor;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn events_are_paged_from_the_newest_to_the_oldest_however_they_are_spread_over_time() {
    let host = Host::start();
    let organization = Organization::of(&host, "events");
    organization.change(|record| record.seats = 10_000);
    let client = organization.enable(ExpiryWindow::Never);
    // Two quiet weeks, more at once than one look takes, and a quiet end.
    for count in [3, 1, 560, 2] {
        (0..count).for_each(|_| drop(seed::someone(&client, "events")));
        host.pass(7 * DAY);
    }
    let visitor = Visitor::owner(&organization);
    let mut seen: Vec<String> = Vec::new();
    let mut path = "/events?kind=member.created".to_owned();
    loop {
        let page = visitor.get(&path).is(200).text();
        let links = page.split("class=\"time\"><a href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        seen.extend(links.filter_map(|link| link.rsplit('/').next()).map(str::to_owned));
        let Some((before, _)) = page.split_once("rel=\"next\"") else { break };
        let link = before.rsplit("href=\"").next().and_then(|link| link.split('"').next()).expect("a link");
        path = link.replace("&#38;", "&").strip_prefix(&organization.home()).expect("a view of the page").to_owned();
    }
    // The owner was added by hand.
    assert_eq!(seen.len(), 567);
    assert!(seen.is_sorted_by(|newer, older| newer > older), "not from the newest to the oldest");
    let first = visitor.get(&format!("/events/{}", seen[566])).is(200).text();
    assert!(first.contains("Olivia Owner"), "{first}");
    for nonsense in ["/events/1", "/events/x", "/events/ffffffffffffffff00000000-0000-0000-0000-000000000000"] {
        visitor.get(nonsense).is(404);
    }
    visitor.get("/events?kind=nonsense&before=x").is(200);
}

#[test]
fn an_event_that_was_given_up_is_sent_again_when_an_owner_says_so() {
    let host = Host::start();
    let organization = Organization::of(&host, "again");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    drop(listener);
    let client = organization.enable(ExpiryWindow::Never);
    let url = format!("http://{address}/events");
    let visitor = Visitor::owner(&organization);
    let csrf = visitor.csrf();
    let key = visitor.post("/webhook", &[("csrf", &csrf), ("action", "set"), ("url", &url)]).is(200).text();
    assert!(key.contains("whsec_"), "{key}");
    assert!(!visitor.get("/deliveries").text().contains("whsec_"), "the key is shown twice");
    seed::someone(&client, "again");
    for _ in 0..96 {
        host.run_due();
        host.pass(DAY / 24);
    }
    host.run_due();
    let visitor = Visitor::owner(&organization);
    let csrf = visitor.csrf();
    let page = visitor.get("/deliveries").is(200).text();
    assert!(page.contains("Events that the webhook did not accept") && page.contains("Member created"), "{page}");
    assert!(visitor.get("").text().contains("The webhook did not accept some events"));

    let taken = receive(address.port());
    visitor.post("/deliveries", &[("queue", "events-parked")]).is(403);
    visitor.post("/deliveries", &[("csrf", &csrf), ("queue", "events-parked")]).is(303);
    host.run_due();
    let body = taken.recv_timeout(Duration::from_secs(20)).expect("the event comes");
    assert!(body.contains("member.created"), "{body}");
    let page = visitor.get("/deliveries").is(200).text();
    assert!(page.contains("No event is waiting, and every email is in the folder"), "{page}");
    assert!(page.contains("Emails are not sent."), "as the overview says: {page}");
}

#[test]
fn a_preview_tells_who_would_be_matched_and_changes_nothing() {
    let organization = Organization::new("preview");
    organization.change(|record| record.seats = 3);
    organization.add("finance@x.example", "Finance", Role::Member);
    let visitor = Visitor::owner(&organization);
    let csrf = visitor.csrf();
    let preview = |users: &str| visitor.post("/preview", &[("csrf", &csrf), ("users", users)]);
    let page = preview("Finance <Finance@X.example>\nnew@x.example\n<script>\nnewer@x.example").is(200).text();
    let outcomes: Vec<&str> =
        ["Matched", "Created", "Refused"].into_iter().filter(|word| page.contains(&format!("\">{word}<"))).collect();
    assert_eq!(outcomes, ["Matched", "Created", "Refused"], "{page}");
    assert!(page.contains("matches by userName") && page.contains("matches nobody"), "{page}");
    assert!(page.contains("outside your verified domains: x.example"), "{page}");
    assert!(!page.contains("<script>\n") && page.contains("&#60;script&#62;"), "{page}");
    assert!(page.contains("2 seats too few"), "{page}");
    assert!(page.contains("Olivia Owner"), "who stays is not named: {page}");
    let page = preview("[{\"userName\": \"\"}]").is(200).text();
    assert!(page.contains(">Refused<"), "{page}");
    for nonsense in ["[", "{\"a\": 1}", " \n"] {
        preview(nonsense).is(422);
    }
    let addresses: Vec<String> = (0..9_000).map(|number| format!("person-{number}@x.example")).collect();
    let page = preview(&addresses.join("\n")).is(200).text();
    assert!(page.contains("And 8,800 more"), "a long list is not cut");
    let licences = organization.host.run(organization.library.licences()).expect("licences");
    assert_eq!((licences.manual, licences.scim), (2, 0));
    let form = [("csrf", csrf.as_str()), ("users", &"x".repeat(2 << 20))];
    visitor.post("/preview", &form).is(413);
}

#[test]
fn p4_the_members_view_marks_who_is_of_another_domain() {
    let organization = Organization::new("marks");
    organization.add("guest@elsewhere.example", "Guest", Role::Member);
    let visitor = Visitor::owner(&organization);
    let overview = visitor.get("").is(200).text();
    assert!(overview.contains("1 active member is outside your verified domains."), "a13: {overview}");
    assert!(overview.contains("Emails are not sent"), "c25: they go to a folder: {overview}");
    let page = visitor.get("/members").is(200).text();
    let marks: Vec<&str> = page.split("outside your verified domains: ").skip(1).collect();
    assert!(
        marks.len() == 1 && marks[0].starts_with("elsewhere.example<"),
        "the owner is of a verified domain: {page}"
    );
}

/// Takes requests on this port and passes their bodies on.
fn receive(port: u16) -> mpsc::Receiver<String> {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is still free");
    let (sender, bodies) = mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
            let mut length = 0;
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                let field = line.to_ascii_lowercase();
                length = field.strip_prefix("content-length:").map_or(length, |n| n.trim().parse().unwrap_or(0));
                line.clear();
            }
            let mut body = vec![0; length];
            let _ = reader.read_exact(&mut body);
            let _ = sender.send(String::from_utf8_lossy(&body).into_owned());
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
        }
    });
    bodies
}

#[test]
fn settings_keep_what_is_valid_and_say_where_the_mistake_is() {
    let organization = Organization::new("settings");
    let visitor = Visitor::owner(&organization);
    let csrf = visitor.csrf();
    let retain = |days: &str| visitor.post("/settings/retention", &[("csrf", &csrf), ("days", days)]);
    retain("30").is(303);
    assert!(visitor.get("/settings").is(200).text().contains("value=\"30\""));
    for days in ["0", "3651", "x", ""] {
        assert!(retain(days).is(422).text().contains("1 to 3650 days"), "{days}");
    }
    let declare = |action: &str, declaration: &str| {
        visitor.post("/settings/schemas", &[("csrf", &csrf), ("action", action), ("declaration", declaration)])
    };
    let badge = r#"{"schemas":[{"id":"urn:acme:badge","attributes":[{"name":"number","type":"integer"}]}]}"#;
    declare("put", badge).is(303);
    assert!(visitor.get("/settings?done=schemas").is(200).text().contains("urn:acme:badge"));
    let wrong = declare("put", &badge.replace("integer", "number")).is(422).text();
    assert!(wrong.contains("This is at /schemas/0/attributes/0/type."), "{wrong}");
    assert!(wrong.contains("urn:acme:badge"), "what was typed is lost");
    declare("remove", "").is(303);
    assert!(!visitor.get("/settings").is(200).text().contains("urn:acme:badge"));
    visitor.post("/settings/schemas", &[("action", "remove")]).is(403);
}

#[test]
fn a_team_shows_who_is_in_it() {
    let organization = Organization::new("team");
    let client = organization.enable(ExpiryWindow::Never);
    let members = [Person::new("one"), Person::new("two")];
    let listed = members.each_ref().map(|person| serde_json::json!({"value": id(&seed::user(&client, person))}));
    let group = serde_json::json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Pushed", "members": listed[..1],
    });
    client.post("/Groups", group).is(201);
    let visitor = Visitor::owner(&organization);
    let teams = visitor.get("/teams").is(200).text();
    let links = teams.split("/teams/").skip(1).filter_map(|rest| rest.split('"').next());
    let link = links.into_iter().find(|link| !link.starts_with("export")).expect("a link to the team");
    let page = visitor.get(&format!("/teams/{link}")).is(200).text();
    assert!(page.contains(&members[0].email) && !page.contains(&members[1].email), "{page}");
    let nobody = visitor.get(&format!("/teams/{link}?q=nobody-has-this-name")).is(200).text();
    assert!(!nobody.contains(&members[0].email));
    visitor.get("/teams/nobody-knows-it").is(404);
}
