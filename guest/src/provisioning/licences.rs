//! Licences: an active member takes a seat, whether people or SCIM manage the member (rule P4).
//!
//! Members who are active when the seats run out keep their seats. Without a free seat nobody becomes active, unless
//! the organization allows overage. The owner and the co-owners get a notice about it, at most once a day.

use serde_json::json;

use super::{Refusal, letters};
use crate::sentence::Sentence;
use crate::store::{
    Batch, EventKind, EventSubject, Letter, MemberRecord, OrganizationRecord, Origin, Store, StoreError, delta, keys,
    number,
};

/// The shortest time between two notices that seats are missing, in milliseconds.
const NOTICE_PAUSE: u64 = 24 * 60 * 60 * 1_000;
/// The name under which the time of the last notice is kept.
const JOB: &str = "licences-exhausted";

/// How a change affects a member's seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seat {
    /// The member takes a seat: its number, and the number of seats in the plan.
    Taken(u64, u32),
    /// The member takes a seat beyond the plan: its number, and the number of seats in the plan.
    Overage(u64, u32),
    /// The member frees a seat: the number of seats still taken, and the number in the plan.
    Freed(u64, u32),
    /// The seat does not change.
    Unchanged,
}

impl Seat {
    /// The sentence for the SCIM log; `None` if the seat does not change.
    pub(super) fn sentence(self) -> Option<Sentence> {
        match self {
            Self::Taken(number, seats) => Some(Sentence::SeatTaken { number, seats }),
            Self::Overage(number, seats) => Some(Sentence::SeatOverage { number, seats }),
            Self::Freed(taken, seats) => Some(Sentence::SeatFreed { taken, seats }),
            Self::Unchanged => None,
        }
    }
}

/// How a change affects the seat of a member who is active or not `before` and `after` it. `taken` asks how many seats
/// are taken. Other requests may take and free seats at the same time, so the number is only true at that moment.
///
/// # Errors
/// [`Refusal::NoFreeSeat`] if the member would take one and there is none.
pub fn seat(
    organization: &OrganizationRecord,
    before: bool,
    after: bool,
    taken: impl FnOnce() -> Result<u64, StoreError>,
) -> Result<Seat, Refusal> {
    if before == after {
        return Ok(Seat::Unchanged);
    }
    let (taken, seats) = (taken()?, organization.seats);
    match (after, taken < u64::from(seats)) {
        (false, _) => Ok(Seat::Freed(taken.saturating_sub(1), seats)),
        (true, true) => Ok(Seat::Taken(taken + 1, seats)),
        (true, false) if organization.options.allow_overage => Ok(Seat::Overage(taken + 1, seats)),
        (true, false) => Err(Refusal::NoFreeSeat { seats }),
    }
}

/// Adds to the batch that a change of a member takes or frees a seat. The commit fails with [`StoreError::Limit`] at
/// [`keys::SEATS`] if no seat is free.
pub(super) fn count(
    batch: &mut Batch,
    organization: &OrganizationRecord,
    old: Option<&MemberRecord>,
    new: Option<&MemberRecord>,
) {
    let most = (!organization.options.allow_overage).then(|| i64::from(organization.seats));
    batch.add(keys::SEATS.to_vec(), delta(old, new, MemberRecord::is_active), None, most);
    batch.add(keys::SEATS_SCIM.to_vec(), delta(old, new, takes_seat_by_scim), None, None);
}

/// Whether the member takes a seat and SCIM manages the member.
#[must_use]
pub fn takes_seat_by_scim(member: &MemberRecord) -> bool {
    member.is_active() && member.origin == Origin::Scim
}

/// Tells the owner, the co-owners and the receivers of events that no seat is free, unless they were told less than a
/// day ago. An error here never changes the answer to the refused request.
pub(super) fn tell_exhausted(store: &Store, seats: u32) {
    match try_tell(store, seats) {
        // Another request is sending the notice at this moment.
        Ok(()) | Err(StoreError::Conflict) => {}
        Err(error) => eprintln!("the notice that all seats are taken could not be sent: {error}"),
    }
}

fn try_tell(store: &Store, seats: u32) -> Result<(), StoreError> {
    let told = store.item(keys::job(JOB))?;
    let last = told.as_ref().and_then(|item| number::<u64>(&item.value));
    let now = store.now();
    if last.is_some_and(|last| insomnia_scim_contract::lasts(last.saturating_add(NOTICE_PAUSE), now, NOTICE_PAUSE)) {
        return Ok(());
    }
    let mut batch = Batch::new();
    batch.require_unchanged(keys::job(JOB), told.map(|item| item.version));
    batch.put(keys::job(JOB), now.to_string().into_bytes());
    let subject = EventSubject::only("licences");
    store.add_event(&mut batch, EventKind::LicencesExhausted, subject, json!({ "seats": seats }))?;
    letters::to_administrators(store, &mut batch, &Letter::NoFreeSeat { seats })?;
    store.commit(batch).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Options;

    #[test]
    fn p4_an_active_member_takes_a_seat_and_frees_it_and_overage_is_a_choice() {
        let verdict = |taken: u64, allow_overage: bool, before: bool, after: bool| {
            let options = Options { allow_overage, ..Options::default() };
            let organization = OrganizationRecord { seats: 3, options, ..OrganizationRecord::default() };
            seat(&organization, before, after, || Ok(taken))
        };
        let none = Err(Refusal::NoFreeSeat { seats: 3 });
        // Each case: seats taken, whether overage is allowed, and whether the member is active before and after.
        let cases = [
            (0, false, false, true, Ok(Seat::Taken(1, 3))),
            (2, false, false, true, Ok(Seat::Taken(3, 3))),
            (3, false, false, true, none.clone()),
            (4, false, false, true, none),
            (3, true, false, true, Ok(Seat::Overage(4, 3))),
            (2, true, false, true, Ok(Seat::Taken(3, 3))),
            (3, false, true, false, Ok(Seat::Freed(2, 3))),
            (5, false, true, false, Ok(Seat::Freed(4, 3))),
            (5, false, true, true, Ok(Seat::Unchanged)),
            (5, false, false, false, Ok(Seat::Unchanged)),
        ];
        for (taken, overage, before, after, expected) in cases {
            assert_eq!(verdict(taken, overage, before, after), expected, "{taken} {overage} {before} {after}");
        }
    }
}
