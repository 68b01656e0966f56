//! The causes of alerts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::fleet::FleetTrouble;

/// The cause of an alert to the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AlertCause {
    /// The token of an organization has expired: nothing is provisioned any more.
    TokenExpired,
    /// The token of an organization expires within 20 days, and nothing will renew it in time.
    TokenExpiringSoon,
    /// The secret of an OAuth client expires within 20 days, or has expired.
    ClientSecretExpiring,
    /// Every seat of an organization is taken.
    SeatsFull,
    /// The automatic refresh of an organization's token fails.
    RefreshFailing,
    /// The webhook of an organization accepts no events.
    WebhookFailing,
    /// Emails of an organization could not be delivered.
    EmailsParked,
    /// Events of an organization could not be delivered.
    EventsParked,
    /// A receiver of SCIM events accepts no tokens, refuses some, or does not poll for them.
    StreamsFailing,
    /// The guard holds removals until an owner decides.
    RemovalsHeld,
    /// The component gives no answer for an organization.
    NoAnswer,
    /// At least 20 sign-ins to an organization's page were wrong within an hour.
    WrongSignIns,
    /// A quota of an organization is used up, so requests, emails or changes are refused.
    QuotaUsedUp,
    /// There is little free space where the data is.
    DiskNearlyFull,
    /// There is no free space where the data is: nothing can be written.
    StorageFull,
    /// The storage does not answer, or accepts no writes.
    StorageFailing,
    /// The component answers no call.
    ComponentFailing,
}

/// The error that there is no cause with this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no alert {0:?}; there are {all}", all = AlertCause::ALL.map(AlertCause::name).join(", "))]
pub struct UnknownCause(String);

impl AlertCause {
    /// All causes. The most urgent ones of a host are the last.
    pub const ALL: [Self; 17] = [
        Self::TokenExpired,
        Self::TokenExpiringSoon,
        Self::ClientSecretExpiring,
        Self::SeatsFull,
        Self::RefreshFailing,
        Self::WebhookFailing,
        Self::EmailsParked,
        Self::EventsParked,
        Self::StreamsFailing,
        Self::RemovalsHeld,
        Self::NoAnswer,
        Self::WrongSignIns,
        Self::QuotaUsedUp,
        Self::DiskNearlyFull,
        Self::StorageFull,
        Self::StorageFailing,
        Self::ComponentFailing,
    ];

    /// The name of the cause in settings, messages, metrics and the log.
    pub fn name(self) -> &'static str {
        self.told().0
    }

    /// The problem, as a sentence without a full stop.
    pub(super) fn sentence(self) -> &'static str {
        self.told().1
    }

    /// The remedy, as a sentence without a full stop.
    pub(super) fn advice(self) -> &'static str {
        self.told().2
    }

    fn told(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::TokenExpired => (
                "token-expired",
                "The token has expired, so nothing is provisioned any more",
                "An owner refreshes the token and enters it at the identity provider",
            ),
            Self::TokenExpiringSoon => (
                "token-expiring-soon",
                "The token expires within 20 days, and nothing will renew it in time",
                "An owner refreshes the token and enters it at the identity provider",
            ),
            Self::ClientSecretExpiring => (
                "client-secret-expiring",
                "The secret of an OAuth client expires within 20 days, or has expired",
                "An owner gives the client a new secret and enters it at the identity provider",
            ),
            Self::SeatsFull => (
                "seats-full",
                "Every seat is taken, so new members are refused",
                "Raise the seats (org set --seats), or free some: member list --without-seat shows who waits",
            ),
            Self::RefreshFailing => (
                "refresh-failing",
                "The automatic refresh of the token fails",
                "Look at the reason with `idp-api show`, and correct the access to the identity provider's API",
            ),
            Self::WebhookFailing => (
                "webhook-failing",
                "The webhook accepts no events",
                "Look at the reason with `webhook show`; events wait for three days and are parked then",
            ),
            Self::EmailsParked => (
                "emails-parked",
                "Emails could not be delivered",
                "Look at them with `delivery list`, and send them again, correct the address or give them up",
            ),
            Self::EventsParked => (
                "events-parked",
                "Events could not be delivered to the webhook",
                "Look at them with `delivery list`, and send them again or give them up",
            ),
            Self::StreamsFailing => (
                "streams-failing",
                "A receiver of SCIM events accepts no tokens, refuses some, or does not poll for them",
                "Look at the reason with `stream list`",
            ),
            Self::RemovalsHeld => (
                "removals-held",
                "The guard holds removals until an owner decides",
                "An owner allows or refuses them, on the page or with `guard`",
            ),
            Self::NoAnswer => (
                "no-answer",
                "The component gives no answer for the organization, so nothing else is known of it",
                "Look at the server's log for the reason",
            ),
            Self::WrongSignIns => (
                "wrong-sign-ins",
                "At least 20 sign-ins were wrong within an hour: somebody may be guessing",
                "Look at the audit trail for the addresses that they came from",
            ),
            Self::QuotaUsedUp => (
                "quota-used-up",
                "A quota is used up, so requests, emails or changes are refused",
                "Ask the organization, or raise the quota with `org set --quota`",
            ),
            Self::DiskNearlyFull => (
                "disk-nearly-full",
                "There is little free space where the data is",
                "Free some space: on a full disk every change is refused",
            ),
            Self::StorageFull => (
                "storage-full",
                "There is no free space where the data is, so every change is refused",
                "Free some space; stored data can still be read",
            ),
            Self::StorageFailing => (
                "storage-failing",
                "The storage does not answer or accepts no writes",
                "Look at the database and at the server's log",
            ),
            Self::ComponentFailing => (
                "component-failing",
                "The component answers no call",
                "Look at the server's log, and start it without --component or with an earlier release",
            ),
        }
    }

    /// Whether the cause concerns a host and not an organization.
    pub(super) fn is_of_host(self) -> bool {
        matches!(self, Self::DiskNearlyFull | Self::StorageFull | Self::StorageFailing | Self::ComponentFailing)
    }

    /// Whether such a problem often passes without help. Then an alert is only sent if two looks in a row find it.
    pub(super) fn may_pass(self) -> bool {
        matches!(
            self,
            Self::RefreshFailing
                | Self::WebhookFailing
                | Self::StreamsFailing
                | Self::NoAnswer
                | Self::StorageFailing
                | Self::ComponentFailing
        )
    }
}

impl From<FleetTrouble> for AlertCause {
    fn from(trouble: FleetTrouble) -> Self {
        match trouble {
            FleetTrouble::TokenExpired => Self::TokenExpired,
            FleetTrouble::TokenExpiringSoon => Self::TokenExpiringSoon,
            FleetTrouble::ClientSecretExpiring => Self::ClientSecretExpiring,
            FleetTrouble::SeatsFull => Self::SeatsFull,
            FleetTrouble::RefreshFailing => Self::RefreshFailing,
            FleetTrouble::WebhookFailing => Self::WebhookFailing,
            FleetTrouble::EmailsParked => Self::EmailsParked,
            FleetTrouble::EventsParked => Self::EventsParked,
            FleetTrouble::StreamsFailing => Self::StreamsFailing,
            FleetTrouble::RemovalsHeld => Self::RemovalsHeld,
            FleetTrouble::NoAnswer => Self::NoAnswer,
        }
    }
}

impl fmt::Display for AlertCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for AlertCause {
    type Err = UnknownCause;

    fn from_str(name: &str) -> Result<Self, UnknownCause> {
        Self::ALL.into_iter().find(|cause| cause.name() == name).ok_or_else(|| UnknownCause(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p9_every_alert_has_a_name_that_is_the_same_in_json_and_in_settings() {
        for cause in AlertCause::ALL {
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.name());
            assert_eq!(cause.name().parse(), Ok(cause));
            for text in [cause.sentence(), cause.advice()] {
                assert!(text.starts_with(char::is_uppercase) && !text.ends_with('.'), "{text}");
            }
        }
        assert!("disk".parse::<AlertCause>().unwrap_err().to_string().contains("disk-nearly-full"));
    }
}
