//! Results of the guard and the preview, as `wit/directory.wit` has them.

use super::bindings::exports::insomnia::scim::directory::{
    Decision, Guard, GuardStatus, HeldRemoval, Preview, PreviewOutcome, PreviewedUser, Removal,
};
use crate::directory;
use crate::provisioning::guard;

impl From<guard::GuardStatus> for GuardStatus {
    fn from(status: guard::GuardStatus) -> Self {
        Self {
            guard: status.guard.map(|guard| Guard { number: guard.number, share: guard.share }),
            holding_since: status.holding_since,
            held: status.held.into_iter().map(Into::into).collect(),
            next: status.next,
        }
    }
}

impl From<guard::Held> for HeldRemoval {
    fn from(held: guard::Held) -> Self {
        Self {
            member: held.member,
            name: held.record.name,
            removal: match held.record.removal {
                guard::Removal::Deactivate => Removal::Deactivate,
                guard::Removal::Delete => Removal::Delete,
            },
            time: held.record.time,
            decision: held.record.decision.map(|decision| match decision {
                guard::Decision::Allowed => Decision::Allowed,
                guard::Decision::Refused => Decision::Refused,
            }),
        }
    }
}

impl From<directory::Preview> for Preview {
    fn from(preview: directory::Preview) -> Self {
        Self {
            users: preview.users.into_iter().map(Into::into).collect(),
            left_manual: preview.left_manual.into_iter().map(Into::into).collect(),
            left_manual_count: preview.left_manual_count,
            seats: preview.seats,
            taken: preview.taken,
            taken_after: preview.taken_after,
            seats_missing: preview.seats_missing,
        }
    }
}

impl From<directory::PreviewedUser> for PreviewedUser {
    fn from(user: directory::PreviewedUser) -> Self {
        Self {
            user_name: user.user_name,
            outcome: match user.outcome {
                directory::Outcome::Creates => PreviewOutcome::Creates,
                directory::Outcome::Adopts => PreviewOutcome::Adopts,
                directory::Outcome::Exists => PreviewOutcome::Exists,
                directory::Outcome::Refuses => PreviewOutcome::Refuses,
            },
            member: user.member,
            reason: user.reason,
        }
    }
}
