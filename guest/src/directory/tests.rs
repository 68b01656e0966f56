//! The actors of changes, and the overview of the organization.

mod decide;
mod find;
mod import;

use insomnia_scim_contract::{Actor, Requirement, TokenStatus};

use super::overview;
use crate::connector::{self, ConnectorError, Window};
use crate::testing::organization::{DAY, TestOrganization};

#[test]
fn the_overview_tells_at_once_what_a_dozen_calls_tell() {
    let organization = TestOrganization::new(10, Window::Never).unwrap();
    organization.scim("GET", "/Users", None);
    let store = organization.store();
    let seen = overview(&store, &TestOrganization::OWNER.into(), 6).unwrap();
    assert_eq!(seen.member.map(|member| member.email).as_deref(), Some(TestOrganization::OWNER));
    assert_eq!(seen.organization.map(|organization| organization.name).as_deref(), Some("Example"));
    assert_eq!((seen.licences.seats, seen.licences.manual, seen.licences.scim), (10, 2, 0));
    assert_eq!((seen.connector.status, seen.connector.generation), (TokenStatus::Valid, 1));
    assert_eq!((seen.unmet_requirements, seen.log.len()), (Vec::new(), 1));
    assert!(
        !seen.emails_parked
            && !seen.events_parked
            && !seen.streams_failing
            && seen.client_secret_expires.is_none()
            && seen.webhook.is_none()
            && seen.holding_since.is_none()
    );

    let stranger = overview(&store, &"nobody@example.com".into(), 0).unwrap();
    assert_eq!((stranger.member, stranger.log.len()), (None, 0));
    assert_eq!(stranger.unmet_requirements, [Requirement::OwnerOrCoOwner]);
}

#[test]
fn whoever_acts_for_the_owner_needs_an_active_one_and_the_operator_needs_nobody() {
    let organization = TestOrganization::new(10, Window::Never).unwrap();
    let store = organization.store();
    let as_owner = overview(&store, &Actor::Owner, 0).unwrap();
    assert_eq!(as_owner.member.map(|member| member.email).as_deref(), Some(TestOrganization::OWNER));
    connector::disable(&store, Actor::Owner).unwrap();
    connector::enable(&store, Actor::Operator, "okta", Window::Never).unwrap();
    // The owner's passphrase is checked, whichever actor sends it.
    assert!(connector::refresh(&store, Actor::Owner, Some("another passphrase"), None, 0).is_err());
    assert!(matches!(connector::refresh(&store, Actor::Owner, None, None, 0), Err(ConnectorError::Invalid(_))));
    connector::refresh(&store, Actor::Owner, Some(TestOrganization::PASSPHRASE), None, 0).unwrap();
    connector::refresh(&store, Actor::Operator, None, None, 0).unwrap();

    let ownerless = crate::testing::MemoryHost::at(1);
    assert_eq!(connector::unmet_requirements(&ownerless.host().store(), Actor::Owner), Err(ConnectorError::NoOwner));
    assert_eq!(connector::disable(&ownerless.host().store(), Actor::Owner), Err(ConnectorError::NoOwner));
    assert_eq!(connector::disable(&ownerless.host().store(), Actor::Operator), Err(ConnectorError::Disabled));
}

#[test]
fn p2_a_host_that_has_verified_who_acts_needs_no_passphrase_and_still_an_administrator() {
    use insomnia_scim_contract::{IdentityProvider, NewMember, NewSetupLink, Role};

    use crate::connector::setup_link;

    let organization = TestOrganization::new(10, Window::Never).unwrap();
    let store = organization.store();
    let new = NewMember::new("ada@example.com".into(), None, Role::Member, None);
    crate::testing::add_member(&store, &new).unwrap();
    let link = NewSetupLink { identity_provider: IdentityProvider::Okta, window: None, valid_seconds: 3_600 };
    for administrator in [TestOrganization::OWNER, TestOrganization::CO_OWNER] {
        let token = connector::refresh_verified(&store, administrator, None, 0).unwrap().token;
        assert_ne!(token, organization.token);
        let made = setup_link::create_verified(&store, administrator, &link).unwrap();
        assert!(setup_link::open(&store, &made.token).is_ok());
    }
    for nobody in ["ada@example.com", "nobody@example.com"] {
        assert_eq!(connector::refresh_verified(&store, nobody, None, 0), Err(ConnectorError::Forbidden), "{nobody}");
        let refused = setup_link::create_verified(&store, nobody, &link).map(drop);
        assert_eq!(refused, Err(ConnectorError::Forbidden), "{nobody}");
    }
    let too_long = connector::refresh_verified(&store, TestOrganization::OWNER, None, 86_401);
    assert!(matches!(too_long, Err(ConnectorError::Invalid(_))));
}

#[test]
fn p9_the_overview_tells_of_the_first_secret_of_a_client_that_expires_soon_while_scim_is_enabled() {
    use crate::connector::oauth::{self, NewClient};

    let organization = TestOrganization::new(10, Window::Never).unwrap();
    let store = organization.store();
    let told = || overview(&organization.store(), &Actor::Operator, 0).unwrap().client_secret_expires;
    let new = NewClient { name: "Entra".into(), client_credentials: true, ..NewClient::default() };
    let expires = oauth::create(&store, TestOrganization::OWNER, &new).unwrap().client.secret_expires.unwrap();
    organization.host.set_now(expires - 30 * DAY);
    oauth::create(&organization.store(), TestOrganization::OWNER, &new).unwrap();
    assert_eq!(told(), None, "30 days are left");
    for now in [expires - 20 * DAY, expires + DAY] {
        organization.host.set_now(now);
        assert_eq!(told(), Some(expires));
    }
    connector::disable(&organization.store(), Actor::Operator).unwrap();
    assert_eq!(told(), None, "nobody needs it");
}
