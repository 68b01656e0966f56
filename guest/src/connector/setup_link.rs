//! Set-up links, by which an administrator of the identity provider who is no owner can set it up. A link can be used
//! once, is valid for an hour to seven days, and can be revoked.
//!
//! Opening a link does not use it up, since programs that check emails open every link in them. The token is only made
//! when the person asks for it, and that uses the link up. The link acts in the name of the person who made it, who
//! must then still be an owner or co-owner.

use insomnia_scim_contract::{Actor, ExpiryWindow, IssuedSetupLink, IssuedToken, NewSetupLink, SetupLink, lasts};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::ConnectorError;
use super::actor::{administrator, prove};
use super::{record, token};
use crate::protocol::timestamp;
use crate::provisioning::administrators::{self, Administrator};
use crate::secret::{self, Token};
use crate::store::{Batch, EventKind, EventSubject, SetupLinkRecord, Store, StoreError, Versioned};

/// The prefix of a link's secret.
const PREFIX: &str = "insm_setup_";
const HOUR: u32 = 3_600;
/// The shortest and the longest validity of a link, in seconds.
const VALID: std::ops::RangeInclusive<u32> = HOUR..=7 * 24 * HOUR;
/// How many valid links there may be at a time.
const MOST: usize = 20;
/// How many links are stored, including those that are no longer valid.
const MOST_REMEMBERED: usize = 100;
/// For how long the previous token is accepted beside the new one, in seconds, so that the new one can be entered.
const OVERLAP: u32 = HOUR;
/// The name of the operator as the maker of a link. A member with this name is shown by the id.
const OPERATOR: &str = "operator";
/// How long the token is valid if neither the link nor an earlier token says it.
const DEFAULT_WINDOW: ExpiryWindow = ExpiryWindow::Days180;

/// Makes a link. A member must give the passphrase, as for a new token; the operator needs none.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn create(
    store: &Store,
    actor: impl Into<Actor>,
    given: Option<&str>,
    new: &NewSetupLink,
) -> Result<IssuedSetupLink, ConnectorError> {
    let actor = actor.into();
    check(new)?;
    prove(store, &actor, given)?;
    make(store, &actor, new)
}

/// Like [`create`], if the host has authenticated the actor by itself.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn create_verified(
    store: &Store,
    actor: impl Into<Actor>,
    new: &NewSetupLink,
) -> Result<IssuedSetupLink, ConnectorError> {
    check(new)?;
    make(store, &actor.into(), new)
}

fn check(new: &NewSetupLink) -> Result<(), ConnectorError> {
    record::check_provider(&new.identity_provider)?;
    if !VALID.contains(&new.valid_seconds) {
        return Err(ConnectorError::Invalid("a set-up link is valid for 3,600 to 604,800 seconds".into()));
    }
    Ok(())
}

/// Makes the link, if the actor is an administrator.
fn make(store: &Store, actor: &Actor, new: &NewSetupLink) -> Result<IssuedSetupLink, ConnectorError> {
    store.transact(|| {
        let (member, created_by) = match administrator(store, actor)? {
            Administrator::Member(member) => {
                let (id, name) = (member.record.id().to_owned(), member.record.display_name());
                (Some(id.clone()), if name == OPERATOR { id } else { name })
            }
            Administrator::Operator => (None, OPERATOR.to_owned()),
        };
        let (seen, mut links) = store.setup_links()?;
        let now = store.now();
        if links.iter().filter(|link| is_good(link, now)).count() >= MOST {
            return Err(ConnectorError::Invalid(format!(
                "there are {MOST} valid set-up links already; revoke one of them first"
            )));
        }
        while links.len() >= MOST_REMEMBERED
            && let Some(oldest) = links.iter().position(|link| !is_good(link, now))
        {
            links.remove(oldest);
        }
        let token = Token::of_kind(PREFIX, store.random());
        let link = SetupLinkRecord {
            id: store.new_id(),
            sha256: token.sha256(),
            identity_provider: new.identity_provider.clone(),
            window: new.window,
            created: now,
            member,
            created_by,
            expires: now + u64::from(new.valid_seconds) * 1_000,
            used: None,
            revoked: None,
        };
        let shown = shown(&link);
        let mut batch = Batch::new();
        tell(store, &mut batch, EventKind::SetupLinkCreated, &link)?;
        store.note(subject(&link), None, Some(data(&link)));
        links.push(link);
        store.put_setup_links(&mut batch, seen, links)?;
        store.commit(batch)?;
        Ok(IssuedSetupLink { link: shown, token: token.reveal() })
    })
}

/// All stored links, newest first.
///
/// # Errors
/// If the store can't answer.
pub fn list(store: &Store) -> Result<Vec<SetupLink>, StoreError> {
    Ok(store.setup_links()?.1.iter().rev().map(shown).collect())
}

/// Revokes a link. Its effects are not undone.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn revoke(store: &Store, actor: impl Into<Actor>, id: &str) -> Result<(), ConnectorError> {
    let actor = actor.into();
    store.transact(|| {
        administrator(store, &actor)?;
        let (seen, mut links) = store.setup_links()?;
        let now = store.now();
        let link = links.iter_mut().find(|link| link.id == id && is_good(link, now));
        let link = link.ok_or_else(|| ConnectorError::NotFound(format!("valid set-up link '{id}'")))?;
        link.revoked = Some(now);
        let mut batch = Batch::new();
        tell(store, &mut batch, EventKind::SetupLinkRevoked, link)?;
        store.note(subject(link), None, None);
        store.put_setup_links(&mut batch, seen, links)?;
        Ok(store.commit(batch).map(drop)?)
    })
}

/// Adds to the batch that all valid links are revoked.
///
/// # Errors
/// If the store can't answer.
pub(super) fn revoke_all(store: &Store, batch: &mut Batch) -> Result<(), StoreError> {
    let (seen, mut links) = store.setup_links()?;
    if revoke_good(store, batch, &mut links)? { store.put_setup_links(batch, seen, links) } else { Ok(()) }
}

/// Revokes those of the links that are valid; returns whether there were any.
fn revoke_good(store: &Store, batch: &mut Batch, links: &mut [SetupLinkRecord]) -> Result<bool, StoreError> {
    let now = store.now();
    let mut any = false;
    for link in links.iter_mut().filter(|link| is_good(link, now)) {
        link.revoked = Some(now);
        tell(store, batch, EventKind::SetupLinkRevoked, link)?;
        any = true;
    }
    Ok(any)
}

/// The link with this secret. Opening it does not use it up.
///
/// # Errors
/// [`ConnectorError::Link`], which is the same for a wrong, a used, a revoked and an expired link.
pub fn open(store: &Store, token: &str) -> Result<SetupLink, ConnectorError> {
    let (_, links) = store.setup_links()?;
    let position = find(store, &links, token)?;
    links.get(position).map(shown).ok_or(ConnectorError::Link)
}

/// The actor in whose name the link with this secret acts.
///
/// # Errors
/// Those of [`open`].
pub fn maker_of(store: &Store, token: &str) -> Result<Actor, ConnectorError> {
    let (_, links) = store.setup_links()?;
    let position = find(store, &links, token)?;
    links.get(position).map(maker).ok_or(ConnectorError::Link)
}

/// Issues a token to the person who has the link. This uses the link up and revokes other links. If SCIM is not
/// enabled, it is enabled; otherwise the previous token is accepted for one more hour.
///
/// # Errors
/// [`ConnectorError::Link`] as in [`open`]; [`ConnectorError::UnmetRequirements`] if SCIM can't be enabled, and then
/// the link stays valid.
pub fn redeem(store: &Store, token: &str) -> Result<IssuedToken, ConnectorError> {
    store.transact(|| {
        let (seen_links, mut links) = store.setup_links()?;
        let position = find(store, &links, token)?;
        let link = links.get_mut(position).ok_or(ConnectorError::Link)?;
        link.used = Some(store.now());
        let mut batch = Batch::new();
        tell(store, &mut batch, EventKind::SetupLinkUsed, link)?;
        let (actor, provider, chosen) = (maker(link), link.identity_provider.clone(), link.window);
        // A second new token from another link would end the token in use, which must be accepted for one more hour.
        revoke_good(store, &mut batch, &mut links)?;
        store.put_setup_links(&mut batch, seen_links, links)?;
        let (seen, mut connector) = Versioned::or_default(store.connector()?);
        let window = chosen.or(connector.window).unwrap_or(DEFAULT_WINDOW);
        let before = record::shown(&connector);
        if connector.enabled {
            return token::issue(store, batch, seen, before, connector, window, OVERLAP);
        }
        record::begin(store, &actor, &mut connector, &provider)?;
        token::issue(store, batch, seen, before, connector, window, 0)
    })
}

/// The index of the valid link with this secret.
fn find(store: &Store, links: &[SetupLinkRecord], token: &str) -> Result<usize, ConnectorError> {
    if !Token::is_of_kind(PREFIX, token) {
        return Err(ConnectorError::Link);
    }
    let (sha256, now) = (secret::sha256(token), store.now());
    let is_right = |link: &SetupLinkRecord| -> bool { link.sha256.as_bytes().ct_eq(sha256.as_bytes()).into() };
    let found = links.iter().enumerate().find(|(_, link)| is_right(link) && is_good(link, now));
    let (position, link) = found.ok_or(ConnectorError::Link)?;
    // The person who made the link may have left the organization.
    match administrators::administrator(store, &maker(link))? {
        Some(_) => Ok(position),
        None => Err(ConnectorError::Link),
    }
}

fn maker(link: &SetupLinkRecord) -> Actor {
    link.member.clone().map_or(Actor::Operator, Actor::Member)
}

/// Whether the link is valid. It is never valid for longer than its time, even if a clock was ahead when it was made.
fn is_good(link: &SetupLinkRecord, now: u64) -> bool {
    let span = link.expires.saturating_sub(link.created);
    link.used.is_none() && link.revoked.is_none() && lasts(link.expires, now, span)
}

fn tell(store: &Store, batch: &mut Batch, kind: EventKind, link: &SetupLinkRecord) -> Result<(), StoreError> {
    store.add_event(batch, kind, subject(link), data(link))
}

fn subject(link: &SetupLinkRecord) -> EventSubject {
    EventSubject { id: Some(link.id.clone()), ..EventSubject::only("setup-link") }
}

/// The data about a link in events and in the audit trail.
fn data(link: &SetupLinkRecord) -> Value {
    json!({
        "identityProvider": link.identity_provider,
        "createdBy": link.created_by,
        "expires": timestamp::format(link.expires),
    })
}

fn shown(link: &SetupLinkRecord) -> SetupLink {
    SetupLink {
        id: link.id.clone(),
        identity_provider: link.identity_provider.clone(),
        window: link.window,
        created: link.created,
        created_by: link.created_by.clone(),
        expires: link.expires,
        used: link.used,
        revoked: link.revoked,
    }
}

#[cfg(test)]
mod tests {
    use insomnia_scim_contract::{IdentityProvider, Requirement};

    use super::*;
    use crate::connector::{self, TokenStatus, Window};
    use crate::directory;
    use crate::store::Role;
    use crate::testing::organization::{DAY, TestOrganization};

    fn organization() -> TestOrganization {
        TestOrganization::new(100, Window::Days90).unwrap()
    }

    fn new(valid_seconds: u32) -> NewSetupLink {
        NewSetupLink { identity_provider: IdentityProvider::Other("OneLogin".into()), window: None, valid_seconds }
    }

    fn made(organization: &TestOrganization) -> IssuedSetupLink {
        let given = Some(TestOrganization::PASSPHRASE);
        create(&organization.store(), TestOrganization::OWNER, given, &new(86_400)).unwrap()
    }

    fn kinds(organization: &TestOrganization) -> Vec<String> {
        let page = crate::journal::list_events(&organization.store(), None, 500).unwrap();
        let kind = |json: &str| serde_json::from_str::<Value>(json).unwrap()["type"].as_str().unwrap().to_owned();
        let mut kinds: Vec<String> = page
            .items
            .iter()
            .map(|event| kind(&event.document))
            .filter(|kind| kind.starts_with("setup-link"))
            .collect();
        // Events of the same millisecond have no fixed order.
        kinds.sort_unstable();
        kinds
    }

    #[test]
    fn p1_a_set_up_link_shows_a_token_once_and_looking_at_it_uses_nothing_up() {
        let organization = organization();
        let IssuedSetupLink { link, token } = made(&organization);
        assert!(token.starts_with("insm_setup_") && !organization.host.dump().contains(&token));
        let store = organization.store();
        for _ in 0..3 {
            assert_eq!(open(&store, &token).unwrap(), link);
        }
        let issued = redeem(&store, &token).unwrap();
        assert!(issued.token.starts_with("insm_scim_"));
        assert_eq!(issued.expires, Some(store.now() + 90 * DAY), "as long as the token before");
        assert_eq!(organization.scim("GET", "/Users", None).0, 200, "the token before works for an hour more");
        assert_eq!(redeem(&store, &token), Err(ConnectorError::Link));
        assert_eq!(open(&store, &token), Err(ConnectorError::Link));
        assert!(list(&store).unwrap()[0].used.is_some());
        assert_eq!(kinds(&organization), ["setup-link.created", "setup-link.used"]);
    }

    #[test]
    fn p1_a_set_up_link_enables_scim_and_stays_good_while_requirements_are_not_met() {
        let organization = organization();
        connector::disable(&organization.store(), TestOrganization::OWNER).unwrap();
        let token = made(&organization).token;
        organization.change(|record| record.single_sign_on = None).unwrap();
        let unmet = ConnectorError::UnmetRequirements(vec![Requirement::SingleSignOn]);
        assert_eq!(redeem(&organization.store(), &token), Err(unmet));
        organization.change(|record| record.single_sign_on = Some("onelogin".into())).unwrap();
        redeem(&organization.store(), &token).unwrap();
        let status = connector::status(&organization.store()).unwrap();
        assert_eq!(status.status, TokenStatus::Valid);
        assert_eq!(status.identity_provider, Some(IdentityProvider::Other("OneLogin".into())));
    }

    #[test]
    fn p1_who_disables_scim_revokes_the_links_that_would_enable_it_again() {
        let organization = organization();
        let token = made(&organization).token;
        connector::disable(&organization.store(), TestOrganization::OWNER).unwrap();
        assert_eq!(redeem(&organization.store(), &token), Err(ConnectorError::Link));
        assert!(list(&organization.store()).unwrap()[0].revoked.is_some());
        assert_eq!(kinds(&organization), ["setup-link.created", "setup-link.revoked"]);
        assert_eq!(connector::status(&organization.store()).unwrap().status, TokenStatus::Disabled);
    }

    #[test]
    fn p2_a_second_link_does_not_end_the_token_that_is_to_work_for_an_hour_more() {
        let organization = organization();
        let (first, second) = (made(&organization), made(&organization));
        redeem(&organization.store(), &first.token).unwrap();
        assert_eq!(redeem(&organization.store(), &second.token), Err(ConnectorError::Link));
        assert_eq!(organization.scim("GET", "/Users", None).0, 200, "the token that is in use");
    }

    #[test]
    fn p1_wrong_used_revoked_and_expired_set_up_links_answer_alike() {
        let organization = organization();
        let store = organization.store();
        let (revoked, expired, orphaned) = (made(&organization), made(&organization), made(&organization));
        revoke(&store, TestOrganization::CO_OWNER, &revoked.link.id).unwrap();
        assert!(matches!(
            revoke(&store, TestOrganization::CO_OWNER, &revoked.link.id),
            Err(ConnectorError::NotFound(_))
        ));
        for token in [&revoked.token, "", "insm_setup_x", &format!("{}x", expired.token)] {
            assert_eq!(open(&store, token), Err(ConnectorError::Link), "{token}");
            assert_eq!(redeem(&store, token), Err(ConnectorError::Link), "{token}");
        }
        // The person who made the link is no longer an owner.
        directory::set_role(&store, TestOrganization::CO_OWNER, Role::Owner).unwrap();
        directory::set_role(&store, TestOrganization::OWNER, Role::Member).unwrap();
        assert_eq!(open(&store, &orphaned.token), Err(ConnectorError::Link));
        directory::set_role(&store, TestOrganization::OWNER, Role::Owner).unwrap();
        assert!(open(&store, &orphaned.token).is_ok());
        organization.host.set_now(store.now() + DAY);
        assert_eq!(redeem(&organization.store(), &expired.token), Err(ConnectorError::Link));
        assert_eq!(kinds(&organization).len(), 4, "what is refused is no event");
    }

    #[test]
    fn p1_a_set_up_link_takes_an_administrator_with_the_passphrase_and_a_time_within_bounds() {
        let organization = organization();
        let store = organization.store();
        let by = |actor: &str, given, seconds| create(&store, actor, given, &new(seconds)).map(drop).unwrap_err();
        let right = Some(TestOrganization::PASSPHRASE);
        for seconds in [0, 3_599, 604_801] {
            assert!(matches!(by(TestOrganization::OWNER, right, seconds), ConnectorError::Invalid(_)), "{seconds}");
        }
        assert!(matches!(by(TestOrganization::OWNER, None, 3_600), ConnectorError::Invalid(_)));
        assert!(matches!(
            by(TestOrganization::OWNER, Some("not the passphrase"), 3_600),
            ConnectorError::Passphrase(_)
        ));
        assert_eq!(by("nobody@example.com", right, 3_600), ConnectorError::Forbidden);
        for _ in 0..MOST {
            create(&store, Actor::Operator, None, &new(604_800)).unwrap();
        }
        let error = create(&store, Actor::Operator, None, &new(604_800)).unwrap_err();
        assert!(error.to_string().contains("revoke one"), "{error}");
    }
}
