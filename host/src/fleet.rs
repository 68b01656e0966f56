//! All organizations, each with how it stands: what an operator looks through to see who needs something (rule P9).

use insomnia_scim_contract::{Actor, IdentityProvider, Options, Overview, Plan, TokenStatus};
use serde::Serialize;
use utoipa::ToSchema;

use crate::capability::storage::{OrganizationId, StorageError};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = OrganizationTrouble)]
pub enum FleetTrouble {
    /// The token has expired: nothing is provisioned any more.
    TokenExpired,
    /// The token expires within 20 days.
    TokenExpiringSoon,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FleetFilter {
    /// Only those whose token is worth this.
    pub token: Option<TokenStatus>,
    /// Only those in which something needs a person, or only those in which nothing does.
    pub in_trouble: Option<bool>,
}

impl FleetFilter {
    /// Whether the organization is listed.
    #[must_use]
    pub fn lets_through(&self, standing: &Standing) -> bool {
        self.token.is_none_or(|token| token == standing.token)
            && self.in_trouble.is_none_or(|in_trouble| in_trouble != standing.troubles.is_empty())
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
        let troubles = [
            (connector.status == TokenStatus::Expired, FleetTrouble::TokenExpired),
            (connector.status == TokenStatus::ExpiringSoon, FleetTrouble::TokenExpiringSoon),
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
            let overview = self.organization(&registered.id).overview(Actor::Operator, 0).await;
            standings.push(match overview {
                Ok(overview) => Standing::new(registered, overview),
                Err(error) => {
                    tracing::warn!(organization = %registered.id, "the organization does not say how it stands: {error}");
                    silent(registered)
                }
            });
        }
        Ok(standings)
    }
}
