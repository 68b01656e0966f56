//! The page asks before an action that can't be undone, and reports it afterwards. It does not call something good that
//! was never tried.

use insomnia_scim::connector::ExpiryWindow;
use insomnia_scim::directory::Role;
use insomnia_scim::guard::Guard;
use insomnia_scim::oauth::NewOAuthClient;
use insomnia_scim_tests::client::Response;
use insomnia_scim_tests::seed;

use crate::page::organization::Organization;
use crate::page::visitor::Visitor;

/// Where a form's answer leads, below the page.
#[track_caller]
fn led(organization: &Organization<'_>, response: &Response) -> String {
    let to = response.is(303).header("location").unwrap_or_default().to_owned();
    to.strip_prefix(&organization.home()).expect("a view of the page").to_owned()
}

#[track_caller]
fn says(page: &Response, texts: &[&str]) {
    let page = page.is(200).text();
    for text in texts {
        assert!(page.contains(text), "{text} is missing\n{page}");
    }
}

#[test]
fn c22_to_delete_an_oauth_client_or_change_its_secret_is_asked_first_and_said_afterwards() {
    let organization = Organization::new("questions");
    let client = NewOAuthClient { name: "Entra <ID>".into(), client_credentials: true, ..NewOAuthClient::default() };
    let issued =
        organization.host.run(organization.library.create_oauth_client(&organization.owner, client)).expect("a client");
    let id = issued.client.id;
    let visitor = Visitor::owner(&organization);
    let csrf = visitor.csrf();
    let list = visitor.get("/automatic").is(200).text();
    assert!(!list.contains("value=\"delete\"") && !list.contains("value=\"rotate\""), "a button that does it at once");
    let question = visitor.get(&format!("/confirm/new-secret?client={id}"));
    says(&question, &["A new secret for Entra &#60;ID&#62;?", "Keep it for 1 hour", "Stop it at once"]);
    let rotate = |passphrase: &str| {
        let fields = [("csrf", csrf.as_str()), ("action", "rotate"), ("client", &id), ("overlap", "86400")];
        visitor.post("/clients", &[&fields[..], &[("passphrase", passphrase)]].concat())
    };
    assert!(rotate("wrong").is(422).text().contains("The passphrase is wrong. Nothing was changed."));
    says(&rotate(&organization.passphrase), &["Copy the secret now", "The old secret works until"]);
    says(&visitor.get(&format!("/confirm/delete-client?client={id}")), &["Delete the OAuth client", "stop at once"]);
    let deleted = visitor.post("/clients", &[("csrf", &csrf), ("action", "delete"), ("client", &id)]);
    says(&visitor.get(&led(&organization, &deleted)), &["The OAuth client is deleted"]);
    visitor.get(&format!("/confirm/delete-client?client={id}")).is(404);
    visitor.get("/confirm/nonsense").is(404);
}

#[test]
fn c21_c22_a_webhook_is_tested_when_it_is_set_and_its_removal_is_asked_first() {
    let organization = Organization::new("hook");
    let visitor = Visitor::owner(&organization);
    let csrf = visitor.csrf();
    let set = |url: &str| visitor.post("/webhook", &[("csrf", &csrf), ("action", "set"), ("url", url)]);
    // The host of these tests permits 127.0.0.1, to which any name may lead.
    for url in ["https://10.0.0.1/h", "https://192.168.7.7/h", "http://[::1]/h"] {
        let page = set(url).is(422).text();
        assert!(page.contains("sends no requests there") && page.contains("aria-invalid"), "{page}");
    }
    assert!(organization.host.run(organization.library.webhook()).expect("an answer").is_none());
    // It was never tried by the library; the page tries it.
    organization.host.run(organization.library.set_webhook("http://127.0.0.1:9/")).expect("a webhook");
    says(&visitor.get("/deliveries"), &["Not tried yet"]);
    says(&set("http://127.0.0.1:9/"), &["The test event was not accepted", "whsec_"]);
    says(&visitor.get("/deliveries"), &[">Failing<", "Send a test event"]);
    let tested = visitor.post("/webhook", &[("csrf", &csrf), ("action", "test")]);
    says(&visitor.get(&led(&organization, &tested)), &["A signed test event was posted"]);
    says(&visitor.get("/confirm/remove-webhook"), &["Remove the webhook?", "127.0.0.1:9", "No event waits for it."]);
    let removed = visitor.post("/webhook", &[("csrf", &csrf), ("action", "remove")]);
    says(&visitor.get(&led(&organization, &removed)), &["The webhook is removed"]);
    visitor.get("/confirm/remove-webhook").is(404);
}

#[test]
fn c21_an_event_stream_is_added_with_a_token_shown_once_and_its_removal_is_asked_first() {
    let organization = Organization::new("stream");
    let visitor = Visitor::owner(&organization);
    let csrf = visitor.csrf();
    says(&visitor.get("/deliveries"), &["Add an event stream"]);
    let add = |url: &str| {
        let fields = [
            ("action", "add"),
            ("name", "Backend"),
            ("audience", "https://rp.example/7"),
            ("detail", "full"),
            ("delete", "yes"),
        ];
        let passphrase = organization.passphrase.as_str();
        let more = [("csrf", csrf.as_str()), ("url", url), ("passphrase", passphrase)];
        visitor.post("/streams", &[&fields[..], &more].concat())
    };
    let refused = add("https://10.0.0.1/h").is(422).text();
    for text in ["ends no requests there", "value=\"Backend\"", "https://10.0.0.1/h"] {
        assert!(refused.contains(text), "{text} is missing\n{refused}");
    }
    says(&add(""), &["insm_events_", "/poll", "/jwks", "Copy the token now"]);
    says(&visitor.get("/streams"), &["Backend", "Never polled", "Deleted; with values"]);
    says(&visitor.get("/deliveries"), &["Backend", "Manage event streams"]);
    let streams = organization.host.run(organization.library.streams()).expect("streams");
    let (id, count) = (streams[0].id.clone(), streams.len());
    assert_eq!(count, 1, "what was refused is not there");
    says(&visitor.get(&format!("/confirm/new-stream-token?stream={id}")), &["A new token for Backend?"]);
    let act = |action: &str| visitor.post("/streams", &[("csrf", &csrf), ("action", action), ("stream", &id)]);
    assert!(act("rotate-token").is(422).text().contains("The passphrase is wrong. Nothing was changed."));
    let passphrase = organization.passphrase.as_str();
    let fields = [("csrf", csrf.as_str()), ("action", "rotate-token"), ("stream", &id), ("passphrase", passphrase)];
    says(&visitor.post("/streams", &fields), &["insm_events_"]);
    says(&visitor.get(&led(&organization, &act("rotate-key"))), &["A new key signs from now on"]);
    says(&visitor.get(&format!("/confirm/remove-stream?stream={id}")), &["Remove the event stream Backend?"]);
    says(&visitor.get(&led(&organization, &act("remove"))), &["The stream is removed"]);
    visitor.get(&format!("/confirm/remove-stream?stream={id}")).is(404);
}

#[test]
fn c21_c22_access_to_the_identity_provider_is_tried_when_it_is_set_and_its_removal_is_asked_first() {
    let organization = Organization::new("access");
    organization.enable(ExpiryWindow::Days180);
    let visitor = Visitor::owner(&organization);
    let csrf = visitor.csrf();
    let okta = |url: &str| {
        let fields =
            [("csrf", csrf.as_str()), ("action", "okta"), ("org-url", url), ("app-id", "0oa1"), ("api-token", "t")];
        visitor.post("/automatic", &[&fields[..], &[("passphrase", &organization.passphrase)]].concat())
    };
    let page = okta("https://10.0.0.1").is(422).text();
    assert!(page.contains("sends no requests there"), "{page}");
    let set = okta("https://nobody.invalid");
    says(&visitor.get(&led(&organization, &set)), &["The access is saved and is tried now"]);
    let status = organization.host.run(organization.library.refresh_status()).expect("the status");
    let enabled = organization.host.run(organization.library.status()).expect("the status").created.expect("a token");
    assert!(status.next_attempt.is_some_and(|next| next < enabled + 60 * 60 * 1_000), "not before 90 days: {status:?}");
    says(&visitor.get("/automatic"), &["None yet"]);
    says(&visitor.get("/confirm/remove-access"), &["Remove the access", "works until it expires"]);
    let removed = visitor.post("/automatic", &[("csrf", &csrf), ("action", "remove")]);
    says(&visitor.get(&led(&organization, &removed)), &["The access is removed"]);
}

#[test]
fn c22_the_guard_asks_before_it_decides_upon_all_and_before_it_is_switched_off() {
    let organization = Organization::new("guarded");
    let client = organization.enable(ExpiryWindow::Never);
    let users = seed::people(&client, "guarded", 3);
    let guard = Guard { number: Some(1), share: None };
    organization.host.run(organization.library.set_guard(Some(guard))).expect("a guard");
    client.delete(&format!("/Users/{}", users[0])).is(204);
    client.delete(&format!("/Users/{}", users[1])).error(503);
    let visitor = Visitor::owner(&organization);
    let csrf = visitor.csrf();
    let page = visitor.get("/guard").is(200).text();
    assert!(page.contains("/confirm/allow-all") && page.contains("/confirm/refuse-all"), "{page}");
    says(&visitor.get("/confirm/allow-all"), &["Allow all removals?", "1 removal"]);
    says(&visitor.get("/confirm/refuse-all"), &["Refuse all removals?", "keep their access"]);
    let decided = visitor.post("/guard/decide", &[("csrf", &csrf), ("decision", "refuse")]);
    says(&visitor.get(&led(&organization, &decided)), &["1 removal refused"]);
    let asked = visitor.post("/guard", &[("csrf", &csrf), ("number", ""), ("share", "")]);
    says(&asked, &["Switch the guard off?"]);
    assert!(organization.host.run(organization.library.guard(None, 1)).expect("the guard").guard.is_some());
    let off = visitor.post("/guard", &[("csrf", &csrf), ("off", "yes")]);
    says(&visitor.get(&led(&organization, &off)), &["The guard is off"]);
    visitor.post("/guard", &[("csrf", &csrf), ("number", "")]).is(422);
}

#[test]
fn p9_to_erase_a_person_is_asked_first_and_said_afterwards() {
    let organization = Organization::new("eraser");
    let email = "erica@eraser.example";
    organization.add(email, "Erica <Erasee>", Role::Member);
    let id = organization.host.run(organization.library.member(email)).expect("a member").id;
    let visitor = Visitor::owner(&organization);
    let csrf = visitor.csrf();
    says(&visitor.get(&format!("/members/{id}")), &[&format!("/confirm/erase-member?member={id}")]);
    let question = visitor.get(&format!("/confirm/erase-member?member={id}"));
    says(&question, &["Erase Erica &#60;Erasee&#62;?", "can’t be undone", "members/erase"]);
    let erase = [("csrf", csrf.as_str()), ("member", &id)];
    let erased = visitor.post("/members/erase", &erase);
    says(&visitor.get(&led(&organization, &erased)), &["The person is erased"]);
    visitor.get(&format!("/members/{id}")).is(404);
    visitor.post("/members/erase", &erase).is(404);
    assert!(!visitor.get("/audit").is(200).text().contains("Erica"));
    let owner = organization.host.run(organization.library.member(&organization.owner)).expect("the owner").id;
    let himself = visitor.get(&format!("/confirm/erase-member?member={owner}"));
    assert!(himself.is(403).text().contains("You can’t erase yourself"));
    visitor.post("/members/erase", &[("csrf", csrf.as_str()), ("member", &owner)]).is(403);
}

#[test]
fn who_is_no_owner_any_more_is_offered_to_sign_out() {
    let organization = Organization::new("stranger");
    let email = "somebody@stranger.example";
    organization.add(email, "Some Body", Role::CoOwner);
    let visitor = Visitor::new(&organization);
    visitor.sign_in(email, &organization.passphrase).is(303);
    organization.host.run(organization.library.set_role(email, Role::Member)).expect("another role");
    let page = visitor.get("").is(403).text();
    assert!(page.contains("Sign out, and sign in as somebody else"), "{page}");
}
