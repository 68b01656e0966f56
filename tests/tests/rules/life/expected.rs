//! The emails (by recipient and subject) and the events (by type and subject) that a life must produce.

use std::collections::BTreeMap;

use crate::rules::organization::{CO_OWNER, OWNER};
use crate::rules::world::DAY;

/// How long every token of a life is valid.
const VALID: u64 = 90 * DAY;

/// How often each is expected.
pub(crate) type Counts = BTreeMap<(String, String), usize>;

/// The expectations, which grow with the life.
#[derive(Default)]
pub(crate) struct Expected {
    pub(crate) mails: Counts,
    pub(crate) events: Counts,
    /// When hosts ran: from, until.
    awake: Vec<(u64, u64)>,
    /// When it was told last that no seat is free.
    no_seat: Option<u64>,
}

impl Expected {
    pub(crate) fn mail(&mut self, to: &str, subject: &str) {
        *self.mails.entry((to.into(), subject.into())).or_default() += 1;
    }

    fn mail_administrators(&mut self, subject: &str) {
        [OWNER, CO_OWNER].iter().for_each(|to| self.mail(to, subject));
    }

    pub(crate) fn event(&mut self, kind: &str, subject: &str) {
        *self.events.entry((kind.into(), subject.into())).or_default() += 1;
    }

    /// Somebody was refused for lack of a seat: told once a day.
    pub(crate) fn no_free_seat(&mut self, now: u64) {
        if self.no_seat.is_none_or(|last| now >= last + DAY) {
            self.no_seat = Some(now);
            self.mail_administrators("Acme has no free Insomnia seat");
            self.event("licences.exhausted", "");
        }
    }

    /// Hosts ran all this time.
    pub(crate) fn awake(&mut self, from: u64, until: u64) {
        self.awake.push((from, until));
    }

    /// A token was valid from `created`, and replaced at `replaced`: its warnings are those that hosts were awake for, and
    /// after a downtime the nearest one only.
    pub(crate) fn token(&mut self, generation: u32, created: u64, replaced: u64) {
        let expires = created + VALID;
        let mut moments: Vec<u64> = Vec::new();
        for (from, until) in self.awake.iter().filter(|(from, until)| *until > created && *from < replaced) {
            moments.push((*from).max(created));
            let marks = [20, 10, 5, 2, 1, 0].map(|days| expires - days * DAY);
            moments.extend(marks.into_iter().filter(|mark| mark >= from && *mark < (*until).min(replaced)));
        }
        moments.sort_unstable();
        let mut told = u64::MAX;
        for moment in moments {
            let left = expires.saturating_sub(moment);
            let Some(days) = [0, 1, 2, 5, 10, 20].into_iter().find(|days| left <= days * DAY) else { continue };
            if days >= told {
                continue;
            }
            told = days;
            let (kind, subject) = match left.div_ceil(DAY) {
                0 => ("token.expired", "The SCIM token of Acme has expired: syncing has stopped".to_owned()),
                1 => ("token.expiring", "The SCIM token of Acme expires in 1 day".to_owned()),
                left => ("token.expiring", format!("The SCIM token of Acme expires in {left} days")),
            };
            self.mail_administrators(&subject);
            self.event(kind, &generation.to_string());
        }
    }
}
