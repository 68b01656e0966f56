//! Preview: what provisioning a list of users would do, without doing anything (rule P4).

use std::collections::HashSet;

use insomnia_scim_contract::{Preview, PreviewOutcome as Outcome, PreviewedUser};
use serde_json::Value;

use super::error::DirectoryError;
use super::members::{member, organization};
use crate::protocol::document;
use crate::protocol::error::ScimError;
use crate::protocol::mode::Mode;
use crate::protocol::schema::SchemaTable;
use crate::provisioning::matching::matched;
use crate::store::keys::{self, Kind};
use crate::store::{MemberRecord, Origin, Store, Stored, primary_email};

/// The most users of one preview.
const MOST_USERS: usize = 10_000;
/// How many members are named of those who stay manual.
const MOST_NAMED: usize = 500;

/// What provisioning these users would do: a JSON array of SCIM Users, or an object with such an array `Resources`.
///
/// # Errors
/// [`DirectoryError::Invalid`] if it is not that, or has more than 10,000 users.
pub fn preview(store: &Store, users: &str) -> Result<Preview, DirectoryError> {
    let invalid = |text: &str| DirectoryError::Invalid(text.to_owned());
    let users = match document::parse(users.as_bytes()).map_err(|error| DirectoryError::Invalid(error.detail))? {
        Value::Array(users) => users,
        Value::Object(mut list) => match list.remove("Resources") {
            Some(Value::Array(users)) => users,
            _ => return Err(invalid("the list is a JSON array of users, or an object with an array 'Resources'")),
        },
        _ => return Err(invalid("the list is a JSON array of users, or an object with an array 'Resources'")),
    };
    if users.len() > MOST_USERS {
        return Err(invalid("a preview has at most 10,000 users"));
    }
    let organization = organization(store)?;
    let (taken, _) = store.seats_taken()?;
    let mut run = Run {
        store,
        strict: organization.options.strict,
        own_domains: organization.options.verified_domains_only.then_some(&organization),
        names: HashSet::new(),
        matched: HashSet::new(),
        seats: i64::try_from(taken).unwrap_or(i64::MAX),
    };
    let users = users.into_iter().map(|user| run.one(user)).collect::<Result<Vec<_>, _>>()?;
    let taken_after = run.seats.max(0).unsigned_abs();
    let matched = run.matched;
    let mut preview = Preview { users, seats: organization.seats, taken, taken_after, ..Preview::default() };
    store.each_candidate(Kind::User, &crate::store::Candidates::All, |stored: Stored<MemberRecord>| {
        let record = &stored.record;
        if record.origin == Origin::Manual && record.is_active() && !matched.contains(record.id()) {
            preview.left_manual_count += 1;
            if preview.left_manual.len() < MOST_NAMED {
                preview.left_manual.push(member(&stored));
            }
        }
        Ok::<_, DirectoryError>(true)
    })?;
    Ok(preview)
}

struct Run<'p, 'h> {
    store: &'p Store<'h>,
    strict: bool,
    /// The organization, if only its domains' users may be provisioned.
    own_domains: Option<&'p crate::store::OrganizationRecord>,
    /// The folded userNames and email addresses of the list so far.
    names: HashSet<String>,
    /// The ids of the manual members that are matched.
    matched: HashSet<String>,
    seats: i64,
}

impl Run<'_, '_> {
    fn one(&mut self, user: Value) -> Result<PreviewedUser, DirectoryError> {
        let user_name = user.get("userName").and_then(Value::as_str).unwrap_or_default().to_owned();
        let refused = |reason: String| PreviewedUser {
            user_name: user_name.clone(),
            outcome: Outcome::Refuses,
            member: None,
            reason,
        };
        let document = match self.document(user) {
            Ok(document) => document,
            Err(error) => return Ok(refused(error.detail)),
        };
        let name = document.get("userName").and_then(Value::as_str).unwrap_or_default();
        let email = primary_email(&document);
        let (id, reason) =
            matched(self.store, &document)?.map_or((None, ""), |found| (Some(found.id), found.attribute));
        // The list is provisioned in its order: what an earlier user takes is taken for a later one.
        let is_first_name = self.names.insert(format!("name {}", keys::fold(name)));
        let is_first_email = email.is_none_or(|email| self.names.insert(format!("email {}", keys::fold(email))));
        if !is_first_name || !is_first_email {
            return Ok(refused("an earlier user of the list has this userName or email address".into()));
        }
        let is_active = document.get("active").and_then(Value::as_bool).unwrap_or(true);
        let Some(id) = id else {
            let address = email.unwrap_or(name);
            if self.own_domains.is_some_and(|organization| !organization.owns(address)) {
                return Ok(refused(format!("'{address}' is not of a verified domain")));
            }
            self.seats += i64::from(is_active);
            let reason = "matches nobody".to_owned();
            return Ok(PreviewedUser { user_name, outcome: Outcome::Creates, member: None, reason });
        };
        let stored = self.store.member(&id)?;
        let record = stored.as_ref().map(|stored| &stored.record);
        let reason = format!("matches by {reason}");
        let is_manual = record.is_some_and(|record| record.origin == Origin::Manual);
        if is_manual && self.matched.insert(id.clone()) {
            let was_active = record.is_some_and(MemberRecord::is_active);
            self.seats += i64::from(is_active) - i64::from(was_active);
            return Ok(PreviewedUser { user_name, outcome: Outcome::Adopts, member: Some(id), reason });
        }
        Ok(PreviewedUser { user_name, outcome: Outcome::Exists, member: Some(id), reason })
    }

    fn document(&self, user: Value) -> Result<document::Document, ScimError> {
        let mode = if self.strict { Mode::STRICT } else { Mode::COMPAT };
        let schema = SchemaTable::builtin().resource("User");
        let schema = schema.ok_or_else(|| ScimError::status(500, "There is no resource type 'User'"))?;
        document::from_client(&schema, user, mode)
    }
}
