//! Members and teams: they are searched, filtered, counted, paged in both directions, exported, and shown in full. Also
//! the views of members without a seat, and of items that could not be delivered.

use insomnia_scim::connector::ExpiryWindow;
use insomnia_scim::delivery::DeliveryQueue;
use insomnia_scim_tests::client::Response;
use insomnia_scim_tests::person::Person;
use insomnia_scim_tests::scim::{id, patch};
use insomnia_scim_tests::seed;
use serde_json::json;

use crate::page::host::Host;
use crate::page::organization::Organization;
use crate::page::visitor::Visitor;

#[track_caller]
fn says(page: &Response, texts: &[&str]) -> String {
    let page = page.is(200).text();
    for text in texts {
        assert!(page.contains(text), "{text} is missing\n{page}");
    }
    page
}

/// The link to another page of the list: `prev` or `next`.
fn paged(organization: &Organization<'_>, page: &str, rel: &str) -> Option<String> {
    let (before, _) = page.split_once(&format!("\" rel=\"{rel}\""))?;
    let path = before.rsplit("href=\"").next()?.replace("&#38;", "&").replace("&amp;", "&");
    path.strip_prefix(&organization.home()).map(str::to_owned)
}

/// Where a form's answer leads, below the page.
#[track_caller]
fn led(organization: &Organization<'_>, response: &Response) -> String {
    let to = response.is(303).header("location").unwrap_or_default().to_owned();
    to.strip_prefix(&organization.home()).expect("a view of the page").to_owned()
}

/// How many rows of people a page has.
fn rows(page: &str) -> usize {
    page.matches("role=\"rowheader\"").count()
}

#[test]
fn c24_members_are_searched_filtered_counted_paged_both_ways_and_exported() {
    let organization = Organization::new("lists");
    organization.change(|record| record.seats = 200);
    let client = organization.enable(ExpiryWindow::Never);
    let users = seed::people(&client, "lists", 52);
    let named = Person { given: "Zoë <b>".into(), family: "O’Hara".into(), ..Person::new("hidden") };
    let zoe = seed::user(&client, &named);
    client.patch(&format!("/Users/{}", users[7]), patch(json!([{"op": "replace", "path": "active", "value": false}])));
    let visitor = Visitor::owner(&organization);

    let first = says(&visitor.get("/members"), &["<dt>Members</dt><dd>54</dd>", "<dt>Deactivated</dt><dd>1</dd>"]);
    assert!(rows(&first) == 50 && paged(&organization, &first, "prev").is_none(), "{first}");
    let second = says(&visitor.get(&paged(&organization, &first, "next").expect("a next page")), &["First page"]);
    assert!(rows(&second) == 4 && paged(&organization, &second, "next").is_none(), "{second}");
    let back = says(&visitor.get(&paged(&organization, &second, "prev").expect("a page before")), &[]);
    assert_eq!(rows(&back), 50);
    let again = says(&visitor.get(&paged(&organization, &back, "next").expect("the page that was left")), &[]);
    assert_eq!(rows(&again), 4);

    // Inside a name, in any case, and a name is text.
    let found = says(&visitor.get("/members?q=%3Cb%3E%20o%E2%80%99h"), &["Zoë &#60;b&#62;"]);
    assert!(rows(&found) == 1 && !found.contains("<b> O"), "{found}");
    let off = says(&visitor.get("/members?state=deactivated&origin=scim"), &["Members who match: 1.", &users[7]]);
    assert_eq!(rows(&off), 1);
    assert_eq!(rows(&says(&visitor.get("/members?origin=manual"), &["Olivia Owner"])), 1);
    says(&visitor.get("/members?q=nobody-has-this-name"), &["Nobody matches."]);

    let file = visitor.get("/members/export.csv?state=active&origin=scim");
    assert!(file.is(200).header("content-disposition").is_some_and(|field| field.contains("scim-members-")), "{file}");
    let table = file.text();
    assert_eq!(table.lines().count(), 53, "the names and 52 members: {table}");
    assert!(table.contains(&id(&zoe)) && !table.contains(&users[7]), "{table}");
}

#[test]
fn c24_a_member_and_a_team_have_a_page_with_attributes_mark_teams_and_history() {
    let organization = Organization::new("details");
    let client = organization.enable(ExpiryWindow::Never);
    let mut user = seed::user_request(&Person::new("details"));
    let mail = json!([{"value": "ada@elsewhere.example", "type": "work", "primary": true}]);
    (user["emails"], user["title"]) = (mail, "Countess\u{202e} & more".into());
    let ada = id(&client.post("/Users", user).resource(201));
    let team = id(&seed::group(&client, "Details & Research", std::slice::from_ref(&ada)));
    client.get(&format!("/Users/{ada}")).is(200);
    let visitor = Visitor::owner(&organization);
    let member = visitor.get(&format!("/members/{ada}"));
    let texts = [
        "outside your verified domains: elsewhere.example",
        "ada@elsewhere.example (work, primary)",
        "Countess\\u202e &#38; more",
        "Details &#38; Research",
        &format!("/teams/{team}"),
        &format!("/logs?q={ada}"),
        "created",
    ];
    let page = says(&member, &texts);
    assert!(page.contains(">Active<") && page.contains(">SCIM<") && !page.contains('\u{202e}'), "{page}");
    // Both requests about the member, and that of the team, which names the member in its body.
    assert_eq!(page.matches("data-entry=").count(), 3, "{page}");
    let history = says(&visitor.get(&format!("/logs?q={ada}")), &[]);
    assert_eq!(history.matches("data-entry=").count(), 3, "{history}");
    let shown =
        says(&visitor.get(&format!("/teams/{team}")), &["1 member is in this team", "displayName", &ada, "History"]);
    assert!(
        shown.contains(&format!("/members/{ada}")) && shown.contains(&format!("/teams/{team}/members.csv")),
        "{shown}"
    );
    let csv = visitor.get(&format!("/teams/{team}/members.csv")).is(200).text();
    assert!(csv.lines().count() == 2 && csv.contains("elsewhere.example"), "{csv}");
    assert_eq!(visitor.get("/teams/export.csv?q=RESEARCH").is(200).text().lines().count(), 2);
    says(&visitor.get("/teams?q=tails%20%26"), &["Details &#38; Research", "<dt>Managed by SCIM</dt><dd>1</dd>"]);
    visitor.get("/members/00000000-0000-7000-8000-000000000000").is(404);
}

#[test]
fn c23_who_got_no_seat_is_a_list_that_the_log_and_the_overview_lead_to() {
    let organization = Organization::new("seatless");
    let client = organization.enable(ExpiryWindow::Never);
    organization.change(|record| record.seats = 1);
    let person = Person { given: "Ada".into(), family: "Seatless".into(), ..Person::new("seatless") };
    for _ in 0..2 {
        client.post("/Users", seed::user_request(&person)).error(403);
    }
    let visitor = Visitor::owner(&organization);
    says(&visitor.get(""), &["No seats left", "/members/without-seat"]);
    let list =
        says(&visitor.get("/members/without-seat"), &["Ada Seatless", &person.email, "data-label=\"Refusals\">2<"]);
    // The last request leads to its entry in the log, which names the person.
    let entry = list.split("/logs?q=").nth(1).and_then(|rest| rest.split('"').next()).expect("a link to the log");
    says(&visitor.get(&format!("/logs?q={entry}")), &["Ada Seatless"]);
    let csv = visitor.get("/logs/export.csv?status=4").is(200).text();
    assert_eq!(csv.matches(",User,,Ada Seatless,").count(), 2, "{csv}");
    organization.change(|record| record.seats = 2);
    client.post("/Users", seed::user_request(&person)).is(201);
    says(&visitor.get("/members/without-seat"), &["Nobody waits for a seat."]);
}

#[test]
fn c24_held_removals_are_shown_with_addresses_and_counts() {
    let organization = Organization::new("addresses");
    let client = organization.enable(ExpiryWindow::Never);
    let users = seed::people(&client, "addresses", 3);
    let guard = insomnia_scim::guard::Guard { number: Some(1), share: None };
    organization.host.run(organization.library.set_guard(Some(guard))).expect("a guard");
    client.delete(&format!("/Users/{}", users[0])).is(204);
    client.delete(&format!("/Users/{}", users[1])).error(503);
    let email =
        client.get(&format!("/Users/{}", users[1])).json()["emails"][0]["value"].as_str().expect("one").to_owned();
    let visitor = Visitor::owner(&organization);
    says(&visitor.get("/guard"), &["1 deletion waits.", &email, &format!("/members/{}", users[1])]);
}

#[test]
fn c24_a_parked_email_is_corrected_or_given_up_and_one_is_told_what_became_of_it() {
    let host = Host::start();
    let organization = Organization::of(&host, "parked");
    let client = organization.enable(ExpiryWindow::Never);
    for name in ["one", "two"] {
        let address = format!("{name}..{name}@parked.example");
        seed::user(&client, &Person { email: address, ..Person::new(name) });
    }
    host.run_due();
    let parked =
        || host.run(organization.library.deliveries(DeliveryQueue::EmailsParked, None, 10)).expect("a queue").items;
    let [one, two] = <[_; 2]>::try_from(parked()).expect("two emails that can't be sent");
    let visitor = Visitor::owner(&organization);
    let csrf = visitor.csrf();
    says(&visitor.get("/deliveries?queue=emails-parked"), &["one..one@parked.example", "Give up", "Other address"]);

    // Sent again: it comes back, and that is said.
    let fields = [("csrf", csrf.as_str()), ("queue", "emails-parked"), ("id", one.id.as_str())];
    let again = led(&organization, &visitor.post("/deliveries", &fields));
    says(&visitor.get(&again), &["It is on its way.", "Look again"]);
    host.run_due();
    says(&visitor.get(&again), &["It was not accepted"]);

    // Corrected: it is sent, and that is said.
    says(&visitor.get(&format!("/deliveries/readdress?id={}", one.id)), &["one..one@parked.example"]);
    let send = |to: &str| visitor.post("/deliveries/readdress", &[("csrf", &csrf), ("id", &one.id), ("to", to)]);
    let refused = send("no address").is(422).text();
    assert!(refused.contains("is not an email address") && refused.contains("aria-invalid"), "{refused}");
    let sent = led(&organization, &send("right@parked.example"));
    assert_eq!(host.letters(&organization.id, "right@parked.example").len(), 1);
    says(&visitor.get(&sent), &["It was sent.", "own address stays"]);
    visitor.get(&format!("/deliveries/readdress?id={}", one.id)).is(404);

    // Given up: asked first, said afterwards.
    let question = format!("/confirm/dismiss?queue=emails-parked&id={}", two.id);
    says(&visitor.get(&question), &["two..two@parked.example", "is never sent"]);
    visitor.post("/deliveries/dismiss", &[("csrf", &csrf), ("queue", "emails-parked")]).is(404);
    let dismissed =
        visitor.post("/deliveries/dismiss", &[("csrf", &csrf), ("queue", "emails-parked"), ("id", &two.id)]);
    says(&visitor.get(&led(&organization, &dismissed)), &["1 delivery was given up"]);
    assert!(parked().is_empty());
    visitor.get(&question).is(404);
    assert_eq!(led(&organization, &visitor.get("/confirm/dismiss?queue=emails-parked")), "/deliveries");
}
