//! Preview: shows what provisioning a list of users would do, without changing anything (rule P4).
//!
//! The rules that decide about posted users decide about each user of the list in order. Their questions are answered
//! from the store, and from the changes that the earlier users would have made.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use insomnia_scim_contract::{Preview, PreviewOutcome as Outcome, PreviewedUser};
use serde_json::Value;

use super::error::DirectoryError;
use super::members::member;
use super::named::organization;
use crate::protocol::document;
use crate::protocol::mode::Mode;
use crate::protocol::schema::ResourceSchema;
use crate::provisioning::decide::{Change, MemberDecision, MemberRules};
use crate::provisioning::guard::{self, Admission, Ahead, Removal};
use crate::provisioning::known::Known;
use crate::provisioning::{Action, Refusal, administrators, domains, intake, licences};
use crate::store::keys::{self, Kind};
use crate::store::{Candidates, MemberRecord, Origin, Store, StoreError, Stored, delta};

/// The most users of one preview.
const MOST_USERS: usize = 10_000;
/// The most members that the preview names among those who stay manual.
const MOST_NAMED: usize = 500;

/// Previews these users: a JSON array of SCIM Users, or an object with such an array `Resources`.
///
/// # Errors
/// [`DirectoryError::Invalid`] if it is neither, or has more than 10,000 users.
pub fn preview(store: &Store, users: &str) -> Result<Preview, DirectoryError> {
    let users = read(users.as_bytes())?;
    let organization = organization(store)?;
    let table = store.schema_table()?;
    let schema = table.resource("User").ok_or_else(|| StoreError::Broken("no resource type 'User'".into()))?;
    let mode = if organization.options.strict { Mode::STRICT } else { Mode::COMPAT };
    let (taken, _) = store.seats_taken()?;
    let list = Listed::new(store);
    let rules = MemberRules { known: &list, organization: &organization };
    let mut run = Run {
        rules,
        list: &list,
        schema: &schema,
        mode,
        met: HashSet::new(),
        made: HashSet::new(),
        adopted: HashSet::new(),
        seats_missing: 0,
    };
    let users = users.into_iter().map(|user| run.one(user)).collect::<Result<Vec<_>, _>>()?;
    let Run { adopted, seats_missing, .. } = run;
    let taken_after = list.seats_taken()?;
    let seats = organization.seats;
    let mut preview = Preview { users, seats, taken, taken_after, seats_missing, ..Preview::default() };
    store.each_candidate(Kind::User, &Candidates::All, |stored: Stored<MemberRecord>| {
        let record = &stored.record;
        if record.origin == Origin::Manual && record.is_active() && !adopted.contains(record.id()) {
            preview.left_manual_count += 1;
            if preview.left_manual.len() < MOST_NAMED {
                preview.left_manual.push(member(&stored));
            }
        }
        Ok::<_, DirectoryError>(true)
    })?;
    Ok(preview)
}

fn read(users: &[u8]) -> Result<Vec<Value>, DirectoryError> {
    let invalid = |text: &str| DirectoryError::Invalid(text.to_owned());
    let users = match document::parse(users).map_err(|error| DirectoryError::Invalid(error.detail))? {
        Value::Array(users) => Some(users),
        Value::Object(mut list) => match list.remove("Resources") {
            Some(Value::Array(users)) => Some(users),
            _ => None,
        },
        _ => None,
    };
    let users =
        users.ok_or_else(|| invalid("the list is a JSON array of users, or an object with an array 'Resources'"))?;
    if users.len() > MOST_USERS {
        return Err(invalid("a preview has at most 10,000 users"));
    }
    Ok(users)
}

struct Run<'r, 'h> {
    rules: MemberRules<'r>,
    list: &'r Listed<'r, 'h>,
    schema: &'r ResourceSchema<'r>,
    mode: Mode<'r>,
    /// The ids of the members that an earlier user of the list has matched or would add.
    met: HashSet<String>,
    /// The ids of the members who would be added.
    made: HashSet<String>,
    /// The ids of the manual members who would be adopted.
    adopted: HashSet<String>,
    /// How many users are refused because no seat is free.
    seats_missing: u64,
}

impl Run<'_, '_> {
    fn one(&mut self, user: Value) -> Result<PreviewedUser, DirectoryError> {
        let user_name = user.get("userName").and_then(Value::as_str).unwrap_or_default().to_owned();
        let told = |outcome, member, reason| Ok(PreviewedUser { user_name, outcome, member, reason });
        let document = match intake::user(self.schema, user, self.mode) {
            Ok(document) => intake::posted(document),
            Err(error) => return told(Outcome::Refuses, None, error.detail),
        };
        let matched = self.rules.matched(&document)?;
        let found = matched.as_ref().map(|matched| (matched.member.record.id().to_owned(), matched.attribute));
        let is_met = found.as_ref().is_some_and(|(id, _)| !self.met.insert(id.clone()));
        let is_new = found.as_ref().is_some_and(|(id, _)| self.made.contains(id));
        match (self.rules.post(&document, matched), found) {
            (Ok(decision), found) => {
                let written = self.list.note(&decision);
                let mark = match &decision.change {
                    Change::Put(record) => domains::mark(self.rules.organization, record),
                    Change::Remove | Change::Nothing => None,
                };
                let marked = |reason: String| mark.map_or(reason.clone(), |mark| format!("{reason}; {mark}"));
                if decision.action == Action::Created {
                    self.made.extend(written.clone());
                }
                self.met.extend(written);
                match (decision.action, found) {
                    (Action::Adopted, Some((id, attribute))) => {
                        self.adopted.insert(id.clone());
                        told(Outcome::Adopts, Some(id), marked(format!("matches by {attribute}")))
                    }
                    (_, Some((id, attribute))) => {
                        // A member that an earlier user of the list would add has no id yet.
                        let member = Some(id).filter(|_| !is_new);
                        told(
                            Outcome::Exists,
                            member,
                            marked(format!("matches by {attribute}; it would be reactivated")),
                        )
                    }
                    (_, None) => told(Outcome::Creates, None, marked("matches nobody".to_owned())),
                }
            }
            (Err(Refusal::Store(error)), _) => Err(error.into()),
            (Err(Refusal::Taken { id: holder, .. }), Some((id, attribute))) if holder == id => match is_met {
                true => {
                    let reason = "an earlier user of the list has this userName or email address";
                    told(Outcome::Refuses, None, reason.to_owned())
                }
                false => told(Outcome::Exists, Some(id), format!("matches by {attribute}")),
            },
            (Err(refusal), _) => {
                self.seats_missing += u64::from(matches!(refusal, Refusal::NoFreeSeat { .. }));
                told(Outcome::Refuses, None, refusal.to_string())
            }
        }
    }
}

/// The organization as it would be after the users of the list so far.
struct Listed<'p, 'h> {
    store: &'p Store<'h>,
    members: RefCell<HashMap<String, MemberRecord>>,
    /// For a folded userName, the id of the member who would have it; `None` if nobody would have it any more.
    names: RefCell<HashMap<String, Option<String>>>,
    /// The same for unique email addresses.
    emails: RefCell<HashMap<String, Option<String>>>,
    /// By how many the number of taken seats would change.
    seats: Cell<i64>,
    /// By how many the number of active owners would change.
    owners: Cell<i64>,
    ahead: Cell<Ahead>,
}

impl<'p, 'h> Listed<'p, 'h> {
    fn new(store: &'p Store<'h>) -> Self {
        Self {
            store,
            members: RefCell::default(),
            names: RefCell::default(),
            emails: RefCell::default(),
            seats: Cell::default(),
            owners: Cell::default(),
            ahead: Cell::default(),
        }
    }

    /// Records the changes of a decision; returns the id of the member that it would write.
    fn note(&self, decision: &MemberDecision) -> Option<String> {
        let Change::Put(new) = &decision.change else { return None };
        let old = decision.old.as_ref().map(|old| &old.record);
        let (mut names, mut emails) = (self.names.borrow_mut(), self.emails.borrow_mut());
        if let Some(old) = old {
            names.insert(keys::fold(old.user_name()), None);
            emails.extend(old.email().map(|email| (keys::fold(email), None)));
        }
        let id = new.id().to_owned();
        names.insert(keys::fold(new.user_name()), Some(id.clone()));
        emails.extend(new.email().map(|email| (keys::fold(email), Some(id.clone()))));
        let changes = |holds: fn(&MemberRecord) -> bool| delta(old, Some(new), holds);
        self.seats.set(self.seats.get() + changes(MemberRecord::is_active));
        self.owners.set(self.owners.get() + changes(administrators::is_active_owner));
        let scim = changes(licences::takes_seat_by_scim);
        let Ahead { removed, scim: before } = self.ahead.get();
        let passed = decision.admission.as_ref().is_some_and(Admission::counts);
        self.ahead.set(Ahead { removed: removed + u64::from(passed), scim: before + scim });
        self.members.borrow_mut().insert(id.clone(), new.clone());
        Some(id)
    }
}

/// The id that the list so far gives, else the one in the store.
fn listed_or(
    listed: &HashMap<String, Option<String>>,
    text: &str,
    stored: impl FnOnce() -> Result<Option<String>, StoreError>,
) -> Result<Option<String>, StoreError> {
    listed.get(&keys::fold(text)).map_or_else(stored, |id| Ok(id.clone()))
}

impl Known for Listed<'_, '_> {
    fn id_by_user_name(&self, name: &str) -> Result<Option<String>, StoreError> {
        listed_or(&self.names.borrow(), name, || self.store.id_by_user_name(name))
    }

    fn ids_by_email(&self, addresses: &[&str]) -> Result<Vec<Option<String>>, StoreError> {
        let emails = self.emails.borrow();
        addresses.iter().map(|address| listed_or(&emails, address, || self.store.id_by_email(address))).collect()
    }

    fn member(&self, id: &str) -> Result<Option<Stored<MemberRecord>>, StoreError> {
        match self.members.borrow().get(id) {
            Some(record) => Ok(Some(Stored { record: record.clone(), version: 0, touch: None })),
            None => self.store.member(id),
        }
    }

    fn seats_taken(&self) -> Result<u64, StoreError> {
        Ok(self.store.seats_counted()?.saturating_add_signed(self.seats.get()))
    }

    fn owners(&self) -> Result<u64, StoreError> {
        Ok(Known::owners(self.store)?.saturating_add_signed(self.owners.get()))
    }

    /// A preview sends no emails.
    fn awaits_welcome(&self, _id: &str) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn pass_guard(&self, member: &Stored<MemberRecord>, removal: Removal) -> Result<Option<Admission>, Refusal> {
        guard::admit(self.store, member, removal, self.ahead.get())
    }

    fn new_id(&self) -> String {
        self.store.new_id()
    }

    fn now(&self) -> u64 {
        self.store.now()
    }
}
