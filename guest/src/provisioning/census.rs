//! Counts the active members that are marked (see [`super::domains`]) in two counters. Each change of a member updates
//! them in its own commit.
//!
//! The counters do not know the members that are older than they are, and they become wrong for all members when the
//! verified domains change. A walk then counts the members in parts. A change of a member whom the walk has not reached
//! yet does not touch the counters, since the walk will count the changed member. The walk and the changes require each
//! other's state to be unchanged, so that nobody is counted twice or left out.

use insomnia_scim_contract::{Mark, MarkedMembers, OrganizationRecord};

use super::domains;
use crate::capability::{Page, key_after};
use crate::store::keys::{self, Kind};
use crate::store::{Batch, Census, MemberRecord, Store, StoreError, decode_entry};

/// How many members are counted in one commit at the most.
const AT_ONCE: u32 = 500;
/// How many commits one call makes at the most.
const COMMITS: usize = 4;

/// Adds a change of a member to the counters. The commit requires that the verified domains and the walk have not
/// changed since they were read.
///
/// # Errors
/// If the storage can't answer.
pub(super) fn count(
    store: &Store,
    batch: &mut Batch,
    old: Option<&MemberRecord>,
    new: Option<&MemberRecord>,
) -> Result<(), StoreError> {
    let stored = store.counted_organization()?;
    batch.require_unchanged(keys::ORGANIZATION.to_vec(), stored.as_ref().map(|stored| stored.version));
    let Some(stored) = stored else { return Ok(()) };
    let id = new.or(old).map_or("", MemberRecord::id);
    if stored.census.is_some_and(|census| census.counts(id)) {
        let mut tally = Tally::default();
        new.into_iter().for_each(|new| tally.add(&stored.record, new, 1));
        old.into_iter().for_each(|old| tally.add(&stored.record, old, -1));
        tally.note(batch);
    }
    Ok(())
}

/// How many members the counters gain or lose.
#[derive(Default)]
struct Tally {
    no_address: i64,
    foreign: i64,
}

impl Tally {
    fn add(&mut self, organization: &OrganizationRecord, member: &MemberRecord, one: i64) {
        // A deactivated member has no access and needs no mark.
        match domains::mark(organization, member).filter(|_| member.is_active()) {
            Some(Mark::NoAddress) => self.no_address += one,
            Some(Mark::ForeignDomain(_)) => self.foreign += one,
            None => {}
        }
    }

    fn note(&self, batch: &mut Batch) {
        batch.add(keys::NO_ADDRESS.to_vec(), self.no_address, None, None);
        batch.add(keys::FOREIGN.to_vec(), self.foreign, None, None);
    }
}

/// Stores the organization's record, which the backend sends. If it verifies other domains than before, all members are
/// counted again.
///
/// # Errors
/// If the storage can't answer.
pub fn put_organization(store: &Store, record: &OrganizationRecord) -> Result<(), StoreError> {
    store.transact(|| {
        let mut batch = Batch::new();
        batch.wake_at(store.now());
        let seen = store.counted_organization()?;
        let is_same = seen.as_ref().is_some_and(|seen| verified(&seen.record) == verified(record));
        let census = match &seen {
            Some(seen) if is_same => seen.census.clone(),
            _ => Some(begin(store, &mut batch)?),
        };
        store.put_organization(&mut batch, seen.map(|seen| seen.version), record.clone(), census)?;
        store.commit(batch).map(drop)
    })?;
    // The background jobs do the rest of the walk.
    if let Err(error) = run(store) {
        eprintln!("the count of marked members has not begun: {error}");
    }
    Ok(())
}

/// The verified domains in the form in which they are compared.
fn verified(organization: &OrganizationRecord) -> Vec<String> {
    let verified = organization.domains.iter().filter(|domain| domain.verified);
    let mut names: Vec<String> = verified.map(|domain| domain.name.to_ascii_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Adds to the batch that the counters start again from zero. If there are no members, the count is complete.
fn begin(store: &Store, batch: &mut Batch) -> Result<Census, StoreError> {
    batch.delete(keys::NO_ADDRESS.to_vec());
    batch.delete(keys::FOREIGN.to_vec());
    let members = store.item(Kind::User.count())?;
    batch.require_unchanged(Kind::User.count(), members.as_ref().map(|members| members.version));
    let is_empty = members.is_none_or(|members| members.value == b"0");
    Ok(if is_empty { Census::default() } else { Census::begun() })
}

/// Continues the walk for some commits; returns whether there is more to do.
///
/// # Errors
/// If the storage can't answer.
pub fn run(store: &Store) -> Result<bool, StoreError> {
    for _ in 0..COMMITS {
        if !store.transact(|| step(store))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// One commit of the walk; returns whether there is more to do.
fn step(store: &Store) -> Result<bool, StoreError> {
    let Some(stored) = store.counted_organization()? else { return Ok(false) };
    let mut batch = Batch::new();
    let seen = Some(stored.version);
    let counted_to = match stored.census {
        None => {
            // An earlier version, which did not count, has stored the organization.
            let census = begin(store, &mut batch)?;
            let more = census.counted_to.is_some();
            store.put_organization(&mut batch, seen, stored.record, Some(census))?;
            store.commit(batch)?;
            return Ok(more);
        }
        Some(Census { counted_to: None }) => return Ok(false),
        Some(Census { counted_to: Some(id) }) => id,
    };
    let mut range = Kind::User.documents();
    if !counted_to.is_empty() {
        range.start = key_after(Kind::User.document(&counted_to));
    }
    // A member who is created or deleted meanwhile changes this counter, and one who is changed has a new document
    // version: then this step is repeated.
    let members = store.item(Kind::User.count())?;
    batch.require_unchanged(Kind::User.count(), members.map(|members| members.version));
    let scanned = store.scan_page(Page::first(range, AT_ONCE))?;
    let (mut tally, mut last) = (Tally::default(), None);
    for entry in scanned.entries {
        let member = decode_entry::<MemberRecord>(&entry)?.record;
        tally.add(&stored.record, &member, 1);
        last = keys::id_of(&entry.key);
        batch.require_unchanged(entry.key, Some(entry.version));
    }
    tally.note(&mut batch);
    let counted_to = last.filter(|_| scanned.more);
    let more = counted_to.is_some();
    if more {
        // If this is the last commit of the call, the jobs continue.
        batch.wake_at(store.now());
    }
    store.put_organization(&mut batch, seen, stored.record, Some(Census { counted_to }))?;
    store.commit(batch)?;
    Ok(more)
}

/// The counters. If the walk is not complete, this call continues it a little first.
///
/// # Errors
/// If the storage can't answer.
pub fn counted(store: &Store) -> Result<MarkedMembers, StoreError> {
    // If the disk is full, the walk waits, and the count so far is returned.
    if let Err(error) = run(store) {
        eprintln!("the count of marked members does not continue: {error}");
    }
    let complete = match store.counted_organization()? {
        None => true,
        Some(stored) => stored.census.is_some_and(|census| census.counted_to.is_none()),
    };
    let no_address = store.counter(keys::NO_ADDRESS.to_vec())?;
    Ok(MarkedMembers { no_address, foreign_domain: store.counter(keys::FOREIGN.to_vec())?, complete })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::capability::Storage as _;
    use crate::connector::Window;
    use crate::store::{Domain, encode};
    use crate::testing::organization::TestOrganization;

    fn counts(organization: &TestOrganization) -> (u64, u64, bool) {
        let marked = counted(&organization.store()).unwrap();
        (marked.no_address, marked.foreign_domain, marked.complete)
    }

    fn add(organization: &TestOrganization, user_name: &str) -> String {
        let (status, body) = organization.scim("POST", "/Users", Some(json!({"userName": user_name})));
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    #[test]
    fn p4_active_members_who_can_not_sign_in_or_are_of_another_domain_are_counted_in_the_commit_of_each_change() {
        let organization = TestOrganization::new(100, Window::Never).unwrap();
        assert_eq!(counts(&organization), (0, 0, true));
        let (ada, bob) = (add(&organization, "ada"), add(&organization, "bob@elsewhere.example"));
        add(&organization, "eve@example.com");
        assert_eq!(counts(&organization), (1, 1, true));
        let change = |id: &str, operation| {
            let body = json!({"Operations": [operation]});
            assert!(organization.scim("PATCH", &format!("/Users/{id}"), Some(body)).0 < 300);
        };
        change(&ada, json!({"op": "replace", "path": "userName", "value": "ada@example.com"}));
        change(&bob, json!({"op": "replace", "path": "active", "value": false}));
        assert_eq!(counts(&organization), (0, 0, true));
        change(&bob, json!({"op": "replace", "path": "active", "value": true}));
        assert_eq!(counts(&organization), (0, 1, true));
        assert_eq!(organization.scim("DELETE", &format!("/Users/{bob}"), None).0, 204);
        assert_eq!(counts(&organization), (0, 0, true));
    }

    #[test]
    fn p4_when_other_domains_are_verified_members_are_counted_again() {
        let organization = TestOrganization::new(100, Window::Never).unwrap();
        add(&organization, "bob@elsewhere.example");
        let verified = |name: &str| Domain { name: name.into(), verified: true };
        organization.change(|record| record.domains = vec![verified("Elsewhere.example")]).unwrap();
        assert_eq!(counts(&organization), (0, 2, true), "owner and co-owner are of example.com");
        organization.change(|record| record.domains.push(verified("example.com"))).unwrap();
        assert_eq!(counts(&organization), (0, 0, true));
    }

    #[test]
    fn p4_members_from_before_the_counters_are_counted_a_part_at_a_time_while_others_change() {
        let organization = TestOrganization::new(10_000, Window::Never).unwrap();
        organization.change(|record| record.options.passphrase_emails = false).unwrap();
        let ids: Vec<String> = (0..2_600).map(|number| add(&organization, &format!("u{number}"))).collect();
        // The state that an earlier version has left.
        let store = organization.store();
        let stored = store.counted_organization().unwrap().unwrap();
        let mut batch = Batch::new();
        store.put_organization(&mut batch, Some(stored.version), stored.record, None).unwrap();
        batch.put(keys::NO_ADDRESS.to_vec(), b"7".to_vec());
        store.commit(batch).unwrap();
        let (counted, _, complete) = counts(&organization);
        assert!(!complete && counted == 1_500 - 2, "one commit begins, three count 500 members each: {counted}");
        // One member that was counted, one that is still to be counted, and a new one.
        for (id, name) in [(&ids[0], "first@example.com"), (&ids[2_599], "last@example.com")] {
            let body = json!({"Operations": [{"op": "replace", "path": "userName", "value": name}]});
            assert!(organization.scim("PATCH", &format!("/Users/{id}"), Some(body)).0 < 300);
        }
        add(&organization, "new");
        organization.live_for(1_000).unwrap();
        assert_eq!(counts(&organization), (2_600 - 2 + 1, 0, true));
        let key = [keys::NO_ADDRESS.to_vec()];
        assert_eq!(organization.host.get(&key).unwrap()[0].as_ref().unwrap().value, encode(&2_599).unwrap());
    }
}
