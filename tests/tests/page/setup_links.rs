//! Set-up links: an owner makes one, and somebody who administers the identity provider, but has no account here, opens
//! it.

use insomnia_scim_tests::client::{Client, Response};

use crate::page::organization::Organization;
use crate::page::visitor::Visitor;

/// Makes a link; returns the answer.
fn make(visitor: &Visitor, passphrase: &str, provider: &str) -> Response {
    let csrf = visitor.csrf();
    let fields = [
        ("csrf", csrf.as_str()),
        ("action", "create"),
        ("provider", provider),
        ("window", "90d"),
        ("seconds", "3600"),
        ("domains", "verified"),
        ("passphrase", passphrase),
    ];
    visitor.post("/setup-links", &fields)
}

/// What follows `begin` in the page, to the next quotation mark.
#[track_caller]
fn value<'p>(page: &'p str, begin: &str) -> &'p str {
    let rest = page.split_once(begin).map_or("", |(_, rest)| rest);
    rest.split('"').next().unwrap_or_default()
}

#[track_caller]
fn is_not_valid(answer: &Response) {
    let page = answer.is(404).text();
    assert!(page.contains("This link is not valid"), "{page}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("referrer-policy").is_some());
}

#[test]
fn c26_a_set_up_link_shows_the_steps_and_once_a_token_to_whoever_has_it() {
    let organization = Organization::new("set-up");
    let owner = Visitor::owner(&organization);
    assert!(owner.get("/setup?idp=onelogin").is(200).text().contains("SCIM Bearer Token"));
    make(&owner, "not the passphrase", "onelogin").is(422);
    let made = make(&owner, &organization.passphrase, "onelogin").is(200).text();
    let token = value(&made, "/set-up?token=").to_owned();
    assert!(token.starts_with("insm_setup_"), "{made}");
    let list = owner.get("/setup-links").is(200).text();
    assert!(!list.contains(&token) && list.contains("Valid until"), "the secret is shown once: {list}");

    // Programs that check mails open links, and a link preview does too.
    let stranger = Visitor::new(&organization);
    let opened = format!("/set-up?token={token}");
    for _ in 0..3 {
        let page = stranger.get(&opened).is(200).text();
        for said in
            ["OneLogin", "SCIM Base URL", "Show the token", &organization.library.connector_url(), "Olivia Owner"]
        {
            assert!(page.contains(said), "{said}: {page}");
        }
        assert!(!page.contains("insm_scim_"), "{page}");
    }
    let shown = stranger.post("/set-up", &[("token", &token)]);
    assert_eq!((shown.header("cache-control"), stranger.cookie.borrow().as_ref()), (Some("no-store"), None));
    let page = shown.is(200).text();
    let issued = value(&page, "value=\"insm_scim_");
    let client = Client::new(&organization.library.connector_url(), &format!("insm_scim_{issued}"));
    client.get("/Users").is(200);
    let used = stranger.get(&opened);
    is_not_valid(&used);
    is_not_valid(&stranger.post("/set-up", &[("token", &token)]));
    assert!(owner.get("/setup-links").is(200).text().contains("Token shown"));
    let events = owner.get("/events").is(200).text();
    assert!(events.contains("Set-up link made") && events.contains("Set-up link used"), "{events}");
    let record = organization.host.run(organization.library.get()).expect("an answer").expect("a record");
    assert!(record.options.verified_domains_only, "the owner was asked who may be provisioned");
}

#[test]
fn c26_a_revoked_and_a_wrong_set_up_link_and_one_of_nobody_answer_alike() {
    let organization = Organization::new("revoked");
    let owner = Visitor::owner(&organization);
    let made = make(&owner, &organization.passphrase, "jumpcloud").is(200).text();
    let token = value(&made, "/set-up?token=").to_owned();
    let list = owner.get("/setup-links").is(200).text();
    let id = value(&list, "/confirm/revoke-setup-link?link=").to_owned();
    let question = owner.get(&format!("/confirm/revoke-setup-link?link={id}")).is(200).text();
    assert!(question.contains("Revoke the set-up link for JumpCloud?"), "{question}");
    let csrf = owner.csrf();
    owner.post("/setup-links", &[("csrf", &csrf), ("action", "revoke"), ("link", &id)]).is(303);
    let stranger = Visitor::new(&organization);
    is_not_valid(&stranger.get(&format!("/set-up?token={token}")));
    is_not_valid(&stranger.get("/set-up?token=insm_setup_nonsense"));
    is_not_valid(&stranger.get("/set-up"));
    let nowhere = Visitor::at(&organization.page.replace(&organization.id, "there-is-none"));
    is_not_valid(&nowhere.get(&format!("/set-up?token={token}")));
}
