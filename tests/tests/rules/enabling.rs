//! P1: enabling and disabling SCIM.

use insomnia_scim::ActionError;
use insomnia_scim::connector::{ExpiryWindow, IdentityProvider, TokenStatus};
use insomnia_scim::directory::{Domain, Plan, Requirement, Role};

use crate::rules::organization::{Acme, CO_OWNER, OWNER, PASSPHRASE, person, record};
use crate::rules::world::{DAY, World};

#[tokio::test]
async fn p1_one_refusal_names_every_unmet_requirement_at_once() {
    let world = World::in_memory();
    let acme = Acme::found(&world.host().await, 9).await;
    acme.organization.add_member(person("ada@acme.example", Role::Member, None)).await.unwrap();
    acme.change(|record| {
        record.plan = Plan::Team;
        record.domains = vec![Domain { name: "acme.example".into(), verified: false }];
        record.single_sign_on = None;
    })
    .await;
    let all = vec![
        Requirement::EnterprisePlan,
        Requirement::OwnerOrCoOwner,
        Requirement::VerifiedDomain,
        Requirement::SingleSignOn,
    ];
    let refused =
        acme.organization.enable("ada@acme.example", IdentityProvider::Okta, ExpiryWindow::Days90).await.unwrap_err();
    assert_eq!(refused, ActionError::UnmetRequirements(all.clone()));
    for requirement in &all {
        assert!(refused.to_string().contains(requirement.sentence()), "{refused}");
    }
    assert_eq!(acme.organization.unmet_requirements("ada@acme.example").await.unwrap(), all);
    assert!(!acme.organization.status().await.unwrap().enabled);
}

#[tokio::test]
async fn p1_each_requirement_alone_is_enough_to_refuse() {
    let world = World::in_memory();
    let acme = Acme::found(&world.host().await, 9).await;
    acme.organization.add_member(person("ada@acme.example", Role::Member, None)).await.unwrap();
    let unmet = |actor: &'static str| acme.organization.unmet_requirements(actor);
    assert_eq!(unmet(OWNER).await.unwrap(), []);
    assert_eq!(unmet(CO_OWNER).await.unwrap(), []);
    assert_eq!(unmet("ada@acme.example").await.unwrap(), [Requirement::OwnerOrCoOwner]);
    assert_eq!(unmet("nobody@acme.example").await.unwrap(), [Requirement::OwnerOrCoOwner]);
    for plan in [Plan::Free, Plan::Team] {
        acme.change(|record| record.plan = plan).await;
        assert_eq!(unmet(OWNER).await.unwrap(), [Requirement::EnterprisePlan]);
    }
    acme.change(|record| *record = self::record(9)).await;
    acme.change(|record| record.domains.clear()).await;
    assert_eq!(unmet(OWNER).await.unwrap(), [Requirement::VerifiedDomain]);
    acme.change(|record| *record = self::record(9)).await;
    acme.change(|record| record.single_sign_on = None).await;
    assert_eq!(unmet(OWNER).await.unwrap(), [Requirement::SingleSignOn]);
}

#[tokio::test]
async fn p1_the_connector_url_never_changes() {
    let world = World::on_disk();
    let host = world.host().await;
    let mut acme = Acme::enabled(&host, 9, ExpiryWindow::Days90).await;
    let url = acme.organization.connector_url();
    assert_eq!(url, "https://scim.example/scim/v2/acme");
    acme.refresh().await;
    assert_eq!(acme.organization.connector_url(), url);
    acme.organization.disable(OWNER).await.unwrap();
    let issued = acme.organization.enable(OWNER, IdentityProvider::Azure, ExpiryWindow::Year1).await.unwrap();
    assert_eq!(acme.organization.connector_url(), url);
    drop(host);
    let after_restart = acme.on(&world.host().await);
    assert_eq!(after_restart.organization.connector_url(), url);
    assert_eq!(after_restart.ping(&issued.token).await, 200);
}

#[tokio::test]
async fn p1_disabling_stops_provisioning_at_once_and_changes_no_member_and_no_team() {
    let world = World::in_memory();
    let host = world.host().await;
    let acme = Acme::enabled(&host, 9, ExpiryWindow::Days90).await;
    acme.post_user("ada@acme.example").await.is(201);
    acme.organization.add_team("Staff", &["ada@acme.example".into(), OWNER.into()]).await.unwrap();
    let before = (
        acme.organization.members(Default::default()).await.unwrap(),
        acme.organization.teams(Default::default()).await.unwrap(),
        acme.organization.licences().await.unwrap(),
    );
    acme.organization.disable(CO_OWNER).await.unwrap();
    let refused = acme.scim("GET", "/Users", None).await.is(401);
    assert!(refused.detail().contains("disabled"), "{}", refused.body);
    assert_eq!(refused.body["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error");
    acme.post_user("bob@acme.example").await.is(401);
    let after = (
        acme.organization.members(Default::default()).await.unwrap(),
        acme.organization.teams(Default::default()).await.unwrap(),
        acme.organization.licences().await.unwrap(),
    );
    assert_eq!(before, after);
    assert_eq!(acme.organization.status().await.unwrap().status, TokenStatus::Disabled);
}

#[tokio::test]
async fn p1_enabling_again_issues_a_new_token_and_the_old_one_stays_dead() {
    let world = World::in_memory();
    let acme = Acme::enabled(&world.host().await, 9, ExpiryWindow::Never).await;
    acme.organization.disable(OWNER).await.unwrap();
    let again = acme.organization.enable(CO_OWNER, IdentityProvider::PingFederate, ExpiryWindow::Days30).await.unwrap();
    assert_ne!(again.token, acme.token);
    assert_eq!(acme.ping(&acme.token).await, 401);
    assert_eq!(acme.ping(&again.token).await, 200);
    let status = acme.organization.status().await.unwrap();
    assert_eq!((status.enabled, status.generation), (true, 2));
    assert_eq!(status.identity_provider, Some(IdentityProvider::PingFederate));
    assert_eq!(status.expires, Some(world.now() + 30 * DAY));
}

#[tokio::test]
async fn p1_enabling_twice_and_disabling_twice_are_refused_and_change_nothing() {
    let world = World::in_memory();
    let acme = Acme::enabled(&world.host().await, 9, ExpiryWindow::Days90).await;
    let status = acme.organization.status().await.unwrap();
    let twice = acme.organization.enable(OWNER, IdentityProvider::Azure, ExpiryWindow::Days30).await;
    assert!(matches!(twice, Err(ActionError::Conflict(_))), "{twice:?}");
    assert_eq!(acme.organization.status().await.unwrap(), status);
    assert_eq!(acme.ping(&acme.token).await, 200);
    acme.organization.disable(OWNER).await.unwrap();
    assert!(acme.organization.disable(OWNER).await.is_err());
}

#[tokio::test]
async fn p1_only_the_owner_and_co_owners_act_on_the_connector() {
    let world = World::in_memory();
    let acme = Acme::enabled(&world.host().await, 9, ExpiryWindow::Days90).await;
    let ada = acme.post_user("ada@acme.example").await.is(201).id();
    acme.organization.set_passphrase("ada@acme.example", PASSPHRASE).await.unwrap();
    for actor in ["ada@acme.example", ada.as_str(), "nobody@acme.example", ""] {
        let refused = acme.organization.disable(actor).await;
        assert!(matches!(refused, Err(ActionError::Forbidden(_))), "{actor}: {refused:?}");
        let refused = acme.organization.refresh(actor, PASSPHRASE, None, 0).await;
        assert!(matches!(refused, Err(ActionError::Forbidden(_))), "{actor}: {refused:?}");
    }
    assert_eq!(acme.ping(&acme.token).await, 200);
    // A co-owner who was deactivated is none.
    let co_owner = acme.scim("GET", &format!("/Users?filter=userName+eq+%22{CO_OWNER}%22"), None).await.is(200);
    let id = co_owner.body["Resources"][0]["id"].as_str().unwrap().to_owned();
    acme.patch(&format!("/Users/{id}"), serde_json::json!({"active": false})).await.is(200);
    assert!(matches!(acme.organization.disable(CO_OWNER).await, Err(ActionError::Forbidden(_))));
}

#[tokio::test]
async fn p1_enabling_and_disabling_are_events() {
    let world = World::in_memory();
    let acme = Acme::enabled(&world.host().await, 9, ExpiryWindow::Days90).await;
    world.pass(1);
    acme.organization.disable(OWNER).await.unwrap();
    world.pass(1);
    acme.organization.enable(OWNER, IdentityProvider::Other("JumpCloud".into()), ExpiryWindow::Days90).await.unwrap();
    let events = acme.events().await;
    let connector: Vec<&str> = events
        .iter()
        .filter_map(|event| event["type"].as_str())
        .filter(|kind| kind.starts_with("connector.") || kind.starts_with("token."))
        .collect();
    assert_eq!(connector, ["connector.enabled", "connector.disabled", "connector.enabled"]);
    assert_eq!(events.last().unwrap()["data"]["identityProvider"], "JumpCloud");
}
