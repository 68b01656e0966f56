//! Members: their documents, and the indexes and counters that are updated with every change.

use std::collections::BTreeMap;

use insomnia_scim_contract::is_address;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::keys::{self, Kind};
use super::{Batch, Origin, Role, Store, StoreError, delta, encode, number};
use crate::capability::{Item, Key};
use crate::protocol::document::Document;
use crate::protocol::schema::ENTERPRISE_USER;

/// A member. Stored as JSON under `user/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberRecord {
    /// Whether people or SCIM manage the member.
    pub origin: Origin,
    /// The member's role, which decides what the member may do.
    pub role: Role,
    /// When the member was created, in milliseconds since the Unix epoch.
    pub created: u64,
    /// When the member was last changed, in milliseconds since the Unix epoch.
    pub modified: u64,
    /// The SCIM User without the computed parts: `meta`, `groups`, and the Insomnia extension.
    pub document: Document,
}

impl MemberRecord {
    /// The SCIM `id`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.text("id").unwrap_or_default()
    }

    /// The SCIM `userName`.
    #[must_use]
    pub fn user_name(&self) -> &str {
        self.text("userName").unwrap_or_default()
    }

    /// Whether the member has access and therefore takes a seat.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.document.get("active").and_then(Value::as_bool).unwrap_or(true)
    }

    /// The email address that is unique in the organization: the primary one, else the work address, else the first
    /// one, else the userName if it is an address.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        primary_email(&self.document)
    }

    /// The email address if mail can be sent to it: identity providers may set any text.
    #[must_use]
    pub fn mail_address(&self) -> Option<&str> {
        self.email().filter(|email| is_address(email))
    }

    /// The name that people see: [`MemberRecord::own_name`], else the userName.
    #[must_use]
    pub fn display_name(&self) -> String {
        self.own_name().unwrap_or_else(|| self.user_name().to_owned())
    }

    /// The name that the identity provider gave: `displayName`, else `name.formatted`, else the given and family name.
    #[must_use]
    pub fn own_name(&self) -> Option<String> {
        own_name(&self.document)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.document.get(name).and_then(Value::as_str)
    }

    /// The index keys of the member, each with its value and whether it must be unique.
    fn indexes(&self) -> BTreeMap<Key, Index> {
        let id = self.id();
        let unique = || Index { value: id.as_bytes().to_vec(), unique: true };
        let shared = || Index { value: Vec::new(), unique: false };
        let mut indexes = BTreeMap::from([(Kind::User.name(self.user_name()), unique())]);
        if let Some(email) = self.email() {
            indexes.insert(keys::member_by_email(email), unique());
        }
        for address in self.document.get("emails").and_then(Value::as_array).into_iter().flatten() {
            if let Some(address) = address.get("value").and_then(Value::as_str) {
                indexes.insert(keys::member_by_any_email(address, id), shared());
            }
        }
        if let Some(external_id) = self.text("externalId") {
            indexes.insert(Kind::User.external_id(external_id, id), shared());
        }
        if let Some(name) = self.text("displayName") {
            indexes.insert(keys::display(name, id), shared());
        }
        let manager = self.document.get(ENTERPRISE_USER).and_then(|extension| extension.get("manager")?.get("value"));
        if let Some(manager) = manager.and_then(Value::as_str) {
            indexes.insert(keys::manager(manager, id), shared());
        }
        if self.origin == Origin::Scim {
            indexes.insert(Kind::User.listed(id), shared());
        }
        indexes
    }
}

/// The own name in a SCIM User; see [`MemberRecord::own_name`].
#[must_use]
pub fn own_name(document: &Document) -> Option<String> {
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    let part = |name: &str| document.get("name").and_then(|value| value.get(name)).and_then(Value::as_str);
    if let Some(name) = text("displayName").or_else(|| part("formatted")) {
        return Some(name.to_owned());
    }
    match (part("givenName"), part("familyName")) {
        (Some(given), Some(family)) => Some(format!("{given} {family}")),
        (given, family) => given.or(family).map(str::to_owned),
    }
}

struct Index {
    value: Vec<u8>,
    unique: bool,
}

/// The email address of a SCIM User that is unique in the organization; see [`MemberRecord::email`]. An element without
/// an address is ignored, even if it says that it is the primary one.
#[must_use]
pub fn primary_email(document: &Document) -> Option<&str> {
    let emails = || {
        let emails = document.get("emails").and_then(Value::as_array).into_iter().flatten();
        emails.filter_map(|email| {
            let address = email.get("value")?.as_str()?;
            (!address.is_empty()).then_some((email, address))
        })
    };
    let primary = emails().find(|(email, _)| email.get("primary").and_then(Value::as_bool) == Some(true));
    let work = || emails().find(|(email, _)| email.get("type").and_then(Value::as_str) == Some("work"));
    let found = primary.or_else(work).or_else(|| emails().next()).map(|(_, address)| address);
    found.or_else(|| document.get("userName").and_then(Value::as_str).filter(|name| name.contains('@')))
}

/// The common properties of members, teams and resources of declared types.
pub trait Record {
    /// The SCIM `id`.
    fn id(&self) -> &str;

    /// The name that people see, or the id if there is no name.
    fn name(&self) -> String;
}

impl Record for MemberRecord {
    fn id(&self) -> &str {
        self.id()
    }

    fn name(&self) -> String {
        self.display_name()
    }
}

/// A document with the two versions that make up the resource's version: that of the document, and that of its touch
/// key.
#[derive(Clone, Debug)]
pub struct Stored<T> {
    /// The document.
    pub record: T,
    /// The version of the document alone.
    pub version: u64,
    /// The version and the time (in milliseconds) of the touch key; `None` if no membership ever changed.
    pub touch: Option<(u64, u64)>,
}

impl<T> Stored<T> {
    /// The version of the resource: the newer one of the versions of its document and its touch key.
    #[must_use]
    pub fn resource_version(&self) -> u64 {
        self.version.max(self.touch.map_or(0, |(version, _)| version))
    }
}

pub(super) fn touch_of(item: Option<Item>) -> Option<(u64, u64)> {
    item.map(|item| (item.version, number(&item.value).unwrap_or(0)))
}

impl Store<'_> {
    /// The member with this id.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn member(&self, id: &str) -> Result<Option<Stored<MemberRecord>>, StoreError> {
        Ok(self.resources(Kind::User, &[id.to_owned()])?.pop().flatten())
    }

    /// The members with these ids, in the order of the ids given.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn members(&self, ids: &[String]) -> Result<Vec<Option<Stored<MemberRecord>>>, StoreError> {
        self.resources(Kind::User, ids)
    }

    /// The id of the member with this userName.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn id_by_user_name(&self, user_name: &str) -> Result<Option<String>, StoreError> {
        self.id_at(Kind::User.name(user_name))
    }

    /// The id of the member with this email address.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn id_by_email(&self, address: &str) -> Result<Option<String>, StoreError> {
        self.id_at(keys::member_by_email(address))
    }

    /// Reads ahead which members have this userName and this email address.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn read_names_ahead(&self, user_name: &str, address: Option<&str>) -> Result<(), StoreError> {
        let address = address.map(keys::member_by_email);
        self.prefetch([Kind::User.name(user_name)].into_iter().chain(address).collect())
    }

    /// The ids of the members with these email addresses, in the order of the addresses.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn ids_by_email(&self, addresses: &[&str]) -> Result<Vec<Option<String>>, StoreError> {
        let keys: Vec<Key> = addresses.iter().map(|address| keys::member_by_email(address)).collect();
        let id = |item: Option<Item>| item.and_then(|item| String::from_utf8(item.value).ok());
        Ok(self.items(&keys)?.into_iter().map(id).collect())
    }

    /// The member with this id, userName or email address.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn find_member(&self, name: &str) -> Result<Option<Stored<MemberRecord>>, StoreError> {
        if keys::is_id(name)
            && let Some(member) = self.member(name)?
        {
            return Ok(Some(member));
        }
        let id = match self.id_by_user_name(name)? {
            Some(id) => Some(id),
            None => self.id_by_email(name)?,
        };
        id.map_or(Ok(None), |id| self.member(&id))
    }

    /// The id that a unique index key holds.
    pub(crate) fn id_at(&self, key: Key) -> Result<Option<String>, StoreError> {
        Ok(self.item(key)?.and_then(|item| String::from_utf8(item.value).ok()))
    }

    /// Adds to `batch` that the member is created, changed or deleted: the document, its indexes, and the counters of
    /// members. The caller adds the memberships and the consequences of the change.
    ///
    /// # Errors
    /// If the document can't be encoded.
    pub fn change_member(
        &self,
        batch: &mut Batch,
        old: Option<&Stored<MemberRecord>>,
        new: Option<&MemberRecord>,
    ) -> Result<(), StoreError> {
        let Some(id) = new.or(old.map(|old| &old.record)).map(MemberRecord::id) else { return Ok(()) };
        batch.require_unchanged(Kind::User.document(id), old.map(|old| old.version));
        match new {
            Some(new) => batch.put(Kind::User.document(id), encode(new)?),
            None => batch.delete(Kind::User.document(id)),
        }

        let before = old.map(|old| old.record.indexes()).unwrap_or_default();
        let after = new.map(MemberRecord::indexes).unwrap_or_default();
        for key in before.keys().filter(|key| !after.contains_key(*key)) {
            batch.delete(key.clone());
        }
        for (key, index) in after.into_iter().filter(|(key, _)| !before.contains_key(key)) {
            if index.unique {
                batch.require_absent(key.clone());
            }
            batch.put(key, index.value);
        }

        let display = |record: &MemberRecord| record.own_name().unwrap_or_default();
        let (old_display, new_display) = (old.map(|old| display(&old.record)), new.map(display));
        if old_display != new_display {
            match &new_display {
                Some(name) => batch.put(keys::card(id), encode(name)?),
                None => batch.delete(keys::card(id)),
            }
        }

        let old = old.map(|old| &old.record);
        batch.add(Kind::User.count(), delta(old, new, |_| true), None, None);
        batch.add(Kind::User.count_listed(), delta(old, new, |member| member.origin == Origin::Scim), None, None);
        Ok(())
    }

    /// How many active members take a seat.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn seats_counted(&self) -> Result<u64, StoreError> {
        self.counter(keys::SEATS.to_vec())
    }

    /// How many active members take a seat, and how many of those SCIM manages.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn seats_taken(&self) -> Result<(u64, u64), StoreError> {
        let all = self.counter(keys::SEATS.to_vec())?;
        let scim = self.counter(keys::SEATS_SCIM.to_vec())?;
        Ok((all, scim))
    }
}
