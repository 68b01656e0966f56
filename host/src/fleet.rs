//! All organizations, each with how it stands: what an operator looks through to see who needs something (rule P9).

use std::str::FromStr;

use insomnia_scim_contract::{Actor, IdentityProvider, Options, Overview, Plan, RefreshState, TokenStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::capability::storage::{OrganizationId, StorageError};
use crate::hourly::warn_hourly;
use crate::provisioner::Provisioner;
use crate::registry::Registered;

/// How an organization stands. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Standing {
    /// Its name in the connector URL.
    pub id: String,
    /// When it was registered.
    pub created: u64,
    /// Its name, as people call it; `null` if nothing is known of it yet.
    pub name: Option<String>,
    /// The plan that it pays for.
    pub plan: Option<Plan>,
    /// How many active members the plan allows.
    pub seats: u32,
    /// How many active members it has.
    pub taken: u64,
    /// What its token is worth now; `disabled` if SCIM is.
    pub token: TokenStatus,
    /// When its token expires; `null` for never, and without a token.
    pub token_expires: Option<u64>,
    /// The identity provider that SCIM was enabled for.
    pub identity_provider: Option<IdentityProvider>,
    /// When a request was last let in, to the minute; `null` if none ever was.
    pub last_request: Option<u64>,
    /// What needs a person.
    pub troubles: Vec<FleetTrouble>,
}

/// What needs a person in an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = OrganizationTrouble)]
pub enum FleetTrouble {
    /// The token has expired: nothing is provisioned any more.
    TokenExpired,
    /// The token expires within 20 days, and nothing will renew it in time.
    TokenExpiringSoon,
    /// The secret of an OAuth client expires within 20 days, or has expired.
    ClientSecretExpiring,
    /// Every seat is taken.
    SeatsFull,
    /// The automatic refresh fails.
    RefreshFailing,
    /// The webhook takes no events.
    WebhookFailing,
    /// Emails could not be delivered.
    EmailsParked,
    /// Events could not be delivered.
    EventsParked,
    /// A receiver of SCIM events takes no tokens, refuses some, or does not ask for them.
    StreamsFailing,
    /// The guard holds removals until an owner decides.
    RemovalsHeld,
    /// Its component gave no answer, so nothing else is known.
    NoAnswer,
}

/// Which organizations are listed. An empty one lets all through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetFilter {
    /// Only those whose token is worth this.
    pub token: Option<TokenStatus>,
    /// Only those in which something needs a person, or only those in which nothing does.
    pub in_trouble: Option<bool>,
    /// Only those that meet all of these.
    pub conditions: Vec<FleetCondition>,
}

/// A condition that an organization meets or not. As a text it is `plan=enterprise`, `token=expired`, `trouble=any`,
/// `trouble=none`, `trouble=seats-full`, or `id=acme-*`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FleetCondition {
    /// It pays for this plan.
    Plan(Plan),
    /// Its token is worth this.
    Token(TokenStatus),
    /// Something needs a person, or nothing does.
    InTrouble(bool),
    /// This needs a person.
    Trouble(FleetTrouble),
    /// Its id is this text, in which a `*` stands for any letters.
    Id(String),
}

/// The text is no condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no condition: write plan=PLAN, token=STATUS, trouble=any, trouble=none, trouble=CAUSE or id=TEXT, with * for \
     any letters"
)]
pub struct InvalidCondition(String);

impl FleetCondition {
    /// Whether the organization meets it.
    #[must_use]
    pub fn is_met(&self, standing: &Standing) -> bool {
        match self {
            Self::Plan(plan) => standing.plan == Some(*plan),
            Self::Token(token) => standing.token == *token,
            Self::InTrouble(in_trouble) => *in_trouble != standing.troubles.is_empty(),
            Self::Trouble(trouble) => standing.troubles.contains(trouble),
            Self::Id(pattern) => matches_pattern(pattern, &standing.id),
        }
    }
}

impl FromStr for FleetCondition {
    type Err = InvalidCondition;

    fn from_str(text: &str) -> Result<Self, InvalidCondition> {
        let invalid = || InvalidCondition(text.to_owned());
        let (field, value) = text.split_once('=').ok_or_else(invalid)?;
        match (field.trim(), value.trim()) {
            ("plan", plan) => plan.parse().map(Self::Plan).map_err(|_| invalid()),
            ("token", token) => token.parse().map(Self::Token).map_err(|_| invalid()),
            ("trouble", "any") => Ok(Self::InTrouble(true)),
            ("trouble", "none") => Ok(Self::InTrouble(false)),
            ("trouble", trouble) => serde_json::from_value(trouble.into()).map(Self::Trouble).map_err(|_| invalid()),
            ("id", pattern) if !pattern.is_empty() => Ok(Self::Id(pattern.to_owned())),
            _ => Err(invalid()),
        }
    }
}

/// Whether the text is the pattern, in which a `*` stands for any letters.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    // Without a star the first part is the whole.
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

impl FleetFilter {
    /// Whether the organization is listed.
    #[must_use]
    pub fn lets_through(&self, standing: &Standing) -> bool {
        self.token.is_none_or(|token| token == standing.token)
            && self.in_trouble.is_none_or(|in_trouble| in_trouble != standing.troubles.is_empty())
            && self.conditions.iter().all(|condition| condition.is_met(standing))
    }
}

impl Standing {
    fn new(registered: &Registered, overview: Overview) -> Self {
        let Overview { organization, licences, connector, refresh, holding_since, webhook, .. } = &overview;
        let taken = licences.manual + licences.scim;
        let may_exceed = organization.as_ref().is_some_and(|organization| {
            Options::parse(&organization.options).is_ok_and(|options| options.allow_overage)
        });
        let is_full = licences.seats > 0 && taken >= u64::from(licences.seats) && !may_exceed;
        // As the component has it, which warns nobody then.
        let is_renewed =
            matches!(refresh.state, RefreshState::Scheduled | RefreshState::Installing | RefreshState::Verifying);
        let troubles = [
            (connector.status == TokenStatus::Expired, FleetTrouble::TokenExpired),
            (connector.status == TokenStatus::ExpiringSoon && !is_renewed, FleetTrouble::TokenExpiringSoon),
            (overview.client_secret_expires.is_some(), FleetTrouble::ClientSecretExpiring),
            (is_full, FleetTrouble::SeatsFull),
            (refresh.problem.is_some(), FleetTrouble::RefreshFailing),
            (webhook.as_ref().is_some_and(|webhook| webhook.failing_since.is_some()), FleetTrouble::WebhookFailing),
            (overview.emails_parked, FleetTrouble::EmailsParked),
            (overview.events_parked, FleetTrouble::EventsParked),
            (overview.streams_failing, FleetTrouble::StreamsFailing),
            (holding_since.is_some(), FleetTrouble::RemovalsHeld),
        ];
        Self {
            id: registered.id.to_string(),
            created: registered.created,
            name: organization.as_ref().map(|organization| organization.name.clone()),
            plan: organization.as_ref().map(|organization| organization.plan),
            seats: licences.seats,
            taken,
            token: connector.status,
            token_expires: connector.expires,
            identity_provider: connector.identity_provider.clone(),
            last_request: connector.last_used.max(refresh.oauth_last_used),
            troubles: troubles.into_iter().filter(|(is_so, _)| *is_so).map(|(_, trouble)| trouble).collect(),
        }
    }
}

/// What is known of an organization whose component gave no answer.
fn silent(registered: &Registered) -> Standing {
    Standing {
        id: registered.id.to_string(),
        created: registered.created,
        name: None,
        plan: None,
        seats: 0,
        taken: 0,
        token: TokenStatus::Disabled,
        token_expires: None,
        identity_provider: None,
        last_request: None,
        troubles: vec![FleetTrouble::NoAnswer],
    }
}

impl Provisioner {
    /// How at most `limit` of the registered organizations after `after` stand, in the order of their ids. It costs a call of
    /// the component for each; one that gives no answer is in the list all the same.
    ///
    /// # Errors
    /// The storage's.
    pub async fn fleet(&self, after: Option<&OrganizationId>, limit: u32) -> Result<Vec<Standing>, StorageError> {
        let found = self.organizations(after, limit).await?;
        let mut standings = Vec::with_capacity(found.len());
        for registered in &found {
            let overview = self.organization(&registered.id).in_passing().overview(Actor::Operator, 0).await;
            standings.push(match overview {
                Ok(overview) => Standing::new(registered, overview),
                Err(error) => {
                    warn_hourly!("fleet"; organization = %registered.id,
                        "the organization does not say how it stands: {error}");
                    silent(registered)
                }
            });
        }
        Ok(standings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p9_conditions_are_about_plan_token_trouble_and_id() {
        let standing = Standing {
            id: "acme-2".into(),
            created: 0,
            name: None,
            plan: Some(Plan::Enterprise),
            seats: 1,
            taken: 1,
            token: TokenStatus::Expired,
            token_expires: None,
            identity_provider: None,
            last_request: None,
            troubles: vec![FleetTrouble::SeatsFull],
        };
        for (condition, is_met) in [
            ("plan=enterprise", true),
            ("token=expired", true),
            ("token=valid", false),
            ("trouble=any", true),
            ("trouble=none", false),
            ("trouble=seats-full", true),
            ("trouble=webhook-failing", false),
            ("id=acme-2", true),
            ("id=acme", false),
            ("id=*", true),
            ("id=acme-*", true),
            ("id=*-2", true),
            ("id=a*e*2", true),
            ("id=a*2*2", false),
        ] {
            assert_eq!(condition.parse::<FleetCondition>().unwrap().is_met(&standing), is_met, "{condition}");
        }
        for text in ["", "plan", "plan=x", "token=", "trouble=x", "id=", "seats=5"] {
            assert!(text.parse::<FleetCondition>().is_err(), "{text}");
        }
    }
}
