//! The types of `wit/` for passphrases, guard, events and deliveries, and those of this crate's own API.

use super::bindings::exports::insomnia::scim::{directory as wd, jobs as wo, journal as wj};
use crate::delivery::{Delivery, DeliveryQueue};
use crate::directory::SignedIn;
use crate::event::{Event, Webhook};
use crate::guard::{Preview, PreviewOutcome, PreviewedUser};

impl From<wd::SignedIn> for SignedIn {
    fn from(value: wd::SignedIn) -> Self {
        Self { member: value.member.into(), must_change: value.must_change }
    }
}

impl From<wd::PreviewOutcome> for PreviewOutcome {
    fn from(value: wd::PreviewOutcome) -> Self {
        match value {
            wd::PreviewOutcome::Creates => Self::Creates,
            wd::PreviewOutcome::Adopts => Self::Adopts,
            wd::PreviewOutcome::Exists => Self::Exists,
            wd::PreviewOutcome::Refuses => Self::Refuses,
        }
    }
}

impl From<wd::PreviewedUser> for PreviewedUser {
    fn from(value: wd::PreviewedUser) -> Self {
        let wd::PreviewedUser { user_name, outcome, member, reason } = value;
        Self { user_name, outcome: outcome.into(), member, reason }
    }
}

impl From<wd::Preview> for Preview {
    fn from(value: wd::Preview) -> Self {
        Self {
            users: value.users.into_iter().map(Into::into).collect(),
            left_manual: value.left_manual.into_iter().map(Into::into).collect(),
            left_manual_count: value.left_manual_count,
            seats: value.seats,
            taken: value.taken,
            taken_after: value.taken_after,
        }
    }
}

impl From<wj::Event> for Event {
    fn from(value: wj::Event) -> Self {
        Self { position: value.position, document: value.document }
    }
}

impl From<wj::Webhook> for Webhook {
    fn from(value: wj::Webhook) -> Self {
        let wj::Webhook { url, created, failing_since, error } = value;
        Self { url, created, failing_since, error }
    }
}

impl From<DeliveryQueue> for wo::DeliveryQueue {
    fn from(value: DeliveryQueue) -> Self {
        match value {
            DeliveryQueue::EmailsWaiting => Self::EmailsWaiting,
            DeliveryQueue::EmailsParked => Self::EmailsParked,
            DeliveryQueue::EventsWaiting => Self::EventsWaiting,
            DeliveryQueue::EventsParked => Self::EventsParked,
        }
    }
}

impl From<wo::Delivery> for Delivery {
    fn from(value: wo::Delivery) -> Self {
        let wo::Delivery { id, what, to, created, due, attempts, error } = value;
        Self { id, what, to, created, due, attempts, error }
    }
}
