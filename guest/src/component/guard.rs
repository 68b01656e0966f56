//! Results of the preview, as `wit/directory.wit` has them.

use super::bindings::exports::insomnia::scim::directory::{Preview, PreviewOutcome, PreviewedUser};
use crate::directory;

impl From<directory::Preview> for Preview {
    fn from(preview: directory::Preview) -> Self {
        Self {
            users: preview.users.into_iter().map(Into::into).collect(),
            left_manual: preview.left_manual.into_iter().map(Into::into).collect(),
            left_manual_count: preview.left_manual_count,
            seats: preview.seats,
            taken: preview.taken,
            taken_after: preview.taken_after,
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
