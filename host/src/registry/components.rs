//! Stores the components beside the one with which the host was started: their code, which organizations are pinned to
//! one of them, and the canary. All of it is in the host's own space, so every server on the storage knows it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::record::{self, ATTEMPTS, OfOrganization};
use crate::capability::host_space::{HostSpace, unchanged};
use crate::capability::storage::{Change, Condition, Entry, Item, KeyRange, OrganizationId, Storage, StorageError};

/// The largest component, in bytes. The built-in one has less than a quarter of it.
pub(crate) const MAX_COMPONENT: usize = 16 << 20;
/// The most components that are stored at the same time.
const MOST: usize = 32;
/// Code is stored in pieces of this size, in bytes.
const PIECE: usize = 512 << 10;
/// The longest name, in bytes.
const LONGEST_NAME: usize = 64;

const INFOS: &str = "component/";
const CODE: &str = "code/";
const PINS: &str = "pin/";
const CANARY: &str = "canary";
/// The key of a record that is written with every pin and every canary. A removal requires that it has not changed, so
/// no component is removed while it is being assigned.
const ASSIGNED: &str = "assigned";

/// The id of a component: the SHA-256 of its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ComponentId([u8; 32]);

impl ComponentId {
    /// The id of the component with these bytes.
    pub fn of(wasm: &[u8]) -> Self {
        Self(Sha256::digest(wasm).into())
    }

    /// The first 12 hexadecimal digits of the id, for lines that people read.
    pub fn short(&self) -> String {
        hex::encode(self.0.get(..6).unwrap_or_default())
    }

    /// The first eight bytes of the id as a number, which is as good as random.
    fn number(&self) -> u64 {
        let first: [u8; 8] = self.0.first_chunk().copied().unwrap_or_default();
        u64::from_be_bytes(first)
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ComponentId({})", self.short())
    }
}

/// The error that a text is not a SHA-256 in hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a component is named by its SHA-256: 64 hexadecimal digits")]
pub struct InvalidComponentId;

impl FromStr for ComponentId {
    type Err = InvalidComponentId;

    fn from_str(text: &str) -> Result<Self, InvalidComponentId> {
        let mut id = [0; 32];
        hex::decode_to_slice(text, &mut id).map(|()| Self(id)).map_err(|_| InvalidComponentId)
    }
}

impl Serialize for ComponentId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ComponentId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A component that is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredComponent {
    /// The SHA-256 of its bytes.
    pub id: ComponentId,
    /// Its name when it was added: the file's name without its extension, with a hyphen for characters that do not suit
    /// a log line.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was added, in milliseconds since the Unix epoch.
    pub added: u64,
}

/// Which component an organization runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The component to which it is pinned; `None` if it runs the component with which the host was started, or the
    /// canary.
    pub component: Option<ComponentId>,
    /// What it was pinned to before, to which rolling back returns; `None` if it was never pinned.
    #[serde(default)]
    pub former: Option<Before>,
}

/// The former pin of an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Before {
    /// It was not pinned.
    Default,
    /// It was pinned to this component.
    Component(ComponentId),
}

impl Before {
    fn of(component: Option<ComponentId>) -> Self {
        component.map_or(Self::Default, Self::Component)
    }

    fn component(self) -> Option<ComponentId> {
        match self {
            Self::Default => None,
            Self::Component(id) => Some(id),
        }
    }
}

/// A canary: a component that some of the organizations that are not pinned run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// The component.
    pub component: ComponentId,
    /// How many of a hundred organizations run it.
    pub percent: u8,
    /// When it began, in milliseconds since the Unix epoch.
    pub began: u64,
    /// Why it was rolled back; `None` while it runs.
    #[serde(default)]
    pub rolled_back: Option<String>,
}

impl Canary {
    /// Whether the organization is one of those that run the canary. They are the same ones on every server. With a
    /// larger percentage, the same ones run it, and others in addition.
    pub(crate) fn takes(&self, organization: &OrganizationId) -> bool {
        let drawn = ComponentId::of(format!("{} {organization}", self.component).as_bytes()).number();
        self.rolled_back.is_none() && drawn % 100 < u64::from(self.percent)
    }
}

/// The records that decide which component an organization runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) pin: Pin,
    /// The canary, unless it was rolled back.
    pub(crate) canary: Option<Canary>,
}

/// The reason why a component was not stored, removed or assigned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentBookError {
    /// The component is larger than it may be.
    #[error("a component has at most {} MiB", MAX_COMPONENT >> 20)]
    TooLarge,
    /// As many components are stored as is allowed.
    #[error("{MOST} components are stored already; remove one that is not used any more")]
    TooMany,
    /// No component with this id is stored.
    #[error("no component {0} is stored")]
    Unknown(ComponentId),
    /// An organization is pinned to the component, or the canary runs it.
    #[error("the component is in use by {0}")]
    InUse(String),
    /// The organization was never pinned.
    #[error("the organization has run no other component before")]
    NoFormer,
    /// The percentage is not between 1 and 100.
    #[error("a canary runs in 1 to 100 percent of the organizations")]
    Percent,
    /// The storage refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The stored components, the pins and the canary.
#[derive(Clone)]
pub(crate) struct ComponentBook {
    storage: Arc<dyn Storage>,
}

impl ComponentBook {
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage }
    }

    /// Stores a component, unless it is stored already. `now` is in milliseconds since the Unix epoch.
    pub(crate) async fn add(&self, name: &str, wasm: &[u8], now: u64) -> Result<StoredComponent, ComponentBookError> {
        if wasm.len() > MAX_COMPONENT {
            return Err(ComponentBookError::TooLarge);
        }
        let id = ComponentId::of(wasm);
        let stored = self.list().await?;
        if let Some(stored) = stored.iter().find(|stored| stored.id == id) {
            return Ok(stored.clone());
        }
        if stored.len() >= MOST {
            return Err(ComponentBookError::TooMany);
        }
        let component = StoredComponent { id, name: plain(name), bytes: wasm.len() as u64, added: now };
        let mut changes: Vec<Change> = wasm
            .chunks(PIECE)
            .enumerate()
            .map(|(number, piece)| Change::put(code(&id, number), piece.to_vec()))
            .collect();
        changes.push(Change::put(info(&id), serde_json::to_vec(&component).map_err(corrupt)?));
        self.change(Vec::new(), changes).await?;
        Ok(component)
    }

    /// All stored components, in the order of their ids.
    pub(crate) async fn list(&self) -> Result<Vec<StoredComponent>, StorageError> {
        let items = self.space().all(KeyRange::beginning_with(INFOS)).await?;
        items.iter().map(|entry| serde_json::from_slice(&entry.value).map_err(corrupt)).collect()
    }

    /// A stored component and its bytes; `None` if it is not stored.
    pub(crate) async fn wasm(&self, id: &ComponentId) -> Result<Option<(StoredComponent, Vec<u8>)>, StorageError> {
        let Some(item) = self.space().get(info(id)).await? else { return Ok(None) };
        let stored: StoredComponent = serde_json::from_slice(&item.value).map_err(corrupt)?;
        let pieces = usize::try_from(stored.bytes).unwrap_or(MAX_COMPONENT).min(MAX_COMPONENT).div_ceil(PIECE);
        let found = self.space().get_all((0..pieces).map(|number| code(id, number)).collect()).await?;
        let wasm: Vec<u8> = found.into_iter().flatten().flat_map(|item| item.value).collect();
        if ComponentId::of(&wasm) != *id {
            return Err(StorageError::Other(format!("the code of component {} is damaged", id.short())));
        }
        Ok(Some((stored, wasm)))
    }

    /// Removes a component that neither an organization nor the canary runs.
    pub(crate) async fn remove(&self, id: &ComponentId) -> Result<(), ComponentBookError> {
        let found = self.space().get_all(vec![info(id), ASSIGNED.into()]).await?;
        let [Some(_), assigned] = found.as_slice() else { return Err(ComponentBookError::Unknown(*id)) };
        let condition = unchanged(ASSIGNED.into(), assigned.as_ref());
        if self.canary().await?.is_some_and(|canary| canary.rolled_back.is_none() && canary.component == *id) {
            return Err(ComponentBookError::InUse("the canary".into()));
        }
        for Entry { key, value, .. } in self.space().all(KeyRange::beginning_with(PINS)).await? {
            let record: OfOrganization<Pin> = serde_json::from_slice(&value).map_err(corrupt)?;
            if record.value.component == Some(*id) {
                let name = String::from_utf8_lossy(key.get(PINS.len()..).unwrap_or_default()).into_owned();
                return Err(ComponentBookError::InUse(format!("the organization {name}")));
            }
        }
        let range = KeyRange { start: format!("{CODE}{id}/").into(), end: format!("{CODE}{id}0").into() };
        let removed = self.change(vec![condition], vec![Change::Delete(info(id)), Change::DeleteRange(range)]).await;
        match removed {
            Err(StorageError::Conflict(_)) => Err(ComponentBookError::InUse("somebody who has just taken it".into())),
            removed => Ok(removed?),
        }
    }

    /// The records that decide which component the organization runs, read in one round trip.
    pub(crate) async fn assignment(&self, organization: &OrganizationId) -> Result<Assignment, StorageError> {
        let found = self.space().get_all(vec![pin(organization), CANARY.into()]).await?;
        let [of_organization, canary] = found.as_slice() else { return Ok(Assignment::default()) };
        let (record, _) = OfOrganization::read(organization, pin(organization), of_organization.as_ref(), corrupt)?;
        let (canary, _) = read_canary(canary.as_ref())?;
        Ok(Assignment { pin: record.value, canary: canary.filter(|canary| canary.rolled_back.is_none()) })
    }

    /// Pins the organization to a component; with `None`, the pin is removed. Returns the new pin.
    pub(crate) async fn pin(
        &self,
        organization: &OrganizationId,
        component: Option<ComponentId>,
    ) -> Result<Pin, ComponentBookError> {
        self.change_pin(organization, |before| {
            let changes = before.component != component;
            let former = if changes { Some(Before::of(before.component)) } else { before.former };
            Ok(Pin { component, former })
        })
        .await
    }

    /// Returns the organization to its former pin. A second call returns it to the present one.
    pub(crate) async fn roll_back(&self, organization: &OrganizationId) -> Result<Pin, ComponentBookError> {
        self.change_pin(organization, |before| {
            let former = before.former.ok_or(ComponentBookError::NoFormer)?;
            Ok(Pin { component: former.component(), former: Some(Before::of(before.component)) })
        })
        .await
    }

    async fn change_pin(
        &self,
        organization: &OrganizationId,
        change: impl Fn(Pin) -> Result<Pin, ComponentBookError>,
    ) -> Result<Pin, ComponentBookError> {
        let mut tried = 0;
        loop {
            let found = self.space().get(pin(organization)).await?;
            let (mut record, require) =
                OfOrganization::<Pin>::read(organization, pin(organization), found.as_ref(), corrupt)?;
            let after = change(record.value)?;
            record.value = after;
            let json = serde_json::to_vec(&record).map_err(corrupt)?;
            let mut required = vec![require];
            required.extend(after.component.map(|id| Condition::Exists(info(&id))));
            let changes = vec![Change::put(pin(organization), json), Change::put(ASSIGNED.into(), Vec::new())];
            match (self.change(required, changes).await, after.component) {
                (Err(StorageError::Conflict(key)), Some(id)) if key == info(&id) => {
                    return Err(ComponentBookError::Unknown(id));
                }
                (Err(StorageError::Conflict(_)), _) if tried < ATTEMPTS => tried += 1,
                (changed, _) => return Ok(changed.map(|()| after)?),
            }
        }
    }

    /// Forgets the pin of an organization that is being deleted.
    pub(crate) async fn forget(&self, organization: &OrganizationId) -> Result<(), StorageError> {
        self.change(Vec::new(), vec![Change::Delete(pin(organization))]).await
    }

    /// The canary, even if it was rolled back.
    pub(crate) async fn canary(&self) -> Result<Option<Canary>, StorageError> {
        Ok(read_canary(self.space().get(CANARY.into()).await?.as_ref())?.0)
    }

    /// Begins a canary, which replaces the present one.
    pub(crate) async fn begin_canary(
        &self,
        component: ComponentId,
        percent: u8,
        now: u64,
    ) -> Result<Canary, ComponentBookError> {
        if !(1..=100).contains(&percent) {
            return Err(ComponentBookError::Percent);
        }
        let canary = Canary { component, percent, began: now, rolled_back: None };
        let json = serde_json::to_vec(&canary).map_err(corrupt)?;
        let changes = vec![Change::put(CANARY.into(), json), Change::put(ASSIGNED.into(), Vec::new())];
        match self.change(vec![Condition::Exists(info(&component))], changes).await {
            Err(StorageError::Conflict(_)) => Err(ComponentBookError::Unknown(component)),
            changed => Ok(changed.map(|()| canary)?),
        }
    }

    /// Rolls this canary back. Returns `false` if it is not the canary that runs.
    pub(crate) async fn roll_canary_back(&self, canary: &Canary, reason: &str) -> Result<bool, StorageError> {
        let (runs, require) = read_canary(self.space().get(CANARY.into()).await?.as_ref())?;
        if runs.as_ref() != Some(canary) {
            return Ok(false);
        }
        let ended = Canary { rolled_back: Some(reason.to_owned()), ..canary.clone() };
        let json = serde_json::to_vec(&ended).map_err(corrupt)?;
        match self.change(vec![require], vec![Change::put(CANARY.into(), json)]).await {
            Err(StorageError::Conflict(_)) => Ok(false),
            changed => changed.map(|()| true),
        }
    }

    /// Ends the canary and forgets it.
    pub(crate) async fn end_canary(&self) -> Result<(), StorageError> {
        self.change(Vec::new(), vec![Change::Delete(CANARY.into())]).await
    }

    async fn change(&self, conditions: Vec<Condition>, changes: Vec<Change>) -> Result<(), StorageError> {
        self.space().commit(conditions, changes).await.map(drop)
    }

    fn space(&self) -> HostSpace<'_> {
        HostSpace(&*self.storage)
    }
}

fn read_canary(item: Option<&Item>) -> Result<(Option<Canary>, Condition), StorageError> {
    record::read(CANARY.into(), item, corrupt)
}

/// The name, with a hyphen for each character that does not suit a log line.
fn plain(name: &str) -> String {
    let fits =
        |character: char| if character.is_ascii_alphanumeric() || "-_.".contains(character) { character } else { '-' };
    let name: String = name.chars().map(fits).take(LONGEST_NAME).collect();
    if name.is_empty() { "component".to_owned() } else { name }
}

fn info(id: &ComponentId) -> Vec<u8> {
    format!("{INFOS}{id}").into()
}

fn code(id: &ComponentId, piece: usize) -> Vec<u8> {
    format!("{CODE}{id}/{piece:04}").into()
}

fn pin(organization: &OrganizationId) -> Vec<u8> {
    format!("{PINS}{organization}").into()
}

fn corrupt(error: serde_json::Error) -> StorageError {
    StorageError::Other(format!("a record about components is not what this host wrote: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::MemoryStorage;

    fn book() -> ComponentBook {
        ComponentBook::new(Arc::new(MemoryStorage::new()))
    }

    fn organization(name: &str) -> OrganizationId {
        OrganizationId::parse(name).unwrap()
    }

    #[tokio::test]
    async fn a_component_is_stored_once_whole_and_under_its_hash() {
        let book = book();
        let wasm: Vec<u8> = (0..PIECE * 2 + 7).map(|place| u8::try_from(place % 251).unwrap()).collect();
        let stored = book.add("rules of/acme", &wasm, 7).await.unwrap();
        assert_eq!((stored.name.as_str(), stored.bytes), ("rules-of-acme", wasm.len() as u64));
        assert_eq!(stored.id.to_string().parse(), Ok(stored.id));
        assert_eq!(book.add("again", &wasm, 8).await, Ok(stored.clone()));
        assert_eq!(book.wasm(&stored.id).await, Ok(Some((stored.clone(), wasm))));
        assert_eq!(book.list().await, Ok(vec![stored]));
        assert_eq!(book.wasm(&ComponentId::of(b"other")).await, Ok(None));
        assert_eq!(book.add("large", &vec![0; MAX_COMPONENT + 1], 7).await, Err(ComponentBookError::TooLarge));
    }

    #[test]
    fn an_id_is_64_hexadecimal_digits() {
        let id = ComponentId::of(b"x").to_string();
        assert_eq!(id.to_uppercase().parse::<ComponentId>().map(|id| id.to_string()), Ok(id.clone()));
        for text in ["", "12", &id[..63], &format!("{id}0"), &format!("{}g", &id[..63]), &format!("{}é", &id[..62])] {
            assert_eq!(text.parse::<ComponentId>(), Err(InvalidComponentId), "{text}");
        }
    }

    #[tokio::test]
    async fn a_pin_holds_for_one_organization_and_is_rolled_back_and_forth() {
        let book = book();
        let (acme, other) = (organization("acme"), organization("other"));
        assert_eq!(book.roll_back(&acme).await, Err(ComponentBookError::NoFormer));
        let [one, two] = [&b"one"[..], b"two"].map(ComponentId::of);
        assert_eq!(book.pin(&acme, Some(one)).await, Err(ComponentBookError::Unknown(one)));
        for wasm in [b"one", b"two"] {
            book.add("x", wasm, 7).await.unwrap();
        }
        book.pin(&acme, Some(one)).await.unwrap();
        book.pin(&acme, Some(two)).await.unwrap();
        book.pin(&acme, Some(two)).await.unwrap();
        assert_eq!(book.roll_back(&acme).await.unwrap().component, Some(one));
        assert_eq!(book.roll_back(&acme).await.unwrap().component, Some(two));
        assert_eq!(book.assignment(&acme).await.unwrap().pin.component, Some(two));
        assert_eq!(book.assignment(&other).await, Ok(Assignment::default()));
        assert_eq!(book.assignment(&acme.with_generation(1)).await, Ok(Assignment::default()), "the next of its name");
        book.pin(&acme, None).await.unwrap();
        assert_eq!(book.roll_back(&acme).await.unwrap().component, Some(two));
        book.forget(&acme).await.unwrap();
        assert_eq!(book.assignment(&acme).await, Ok(Assignment::default()));
    }

    #[tokio::test]
    async fn what_is_used_is_not_removed() {
        let book = book();
        let acme = organization("acme");
        let one = book.add("one", b"one", 7).await.unwrap().id;
        book.pin(&acme, Some(one)).await.unwrap();
        assert_eq!(book.remove(&one).await, Err(ComponentBookError::InUse("the organization acme".into())));
        book.pin(&acme, None).await.unwrap();
        let canary = book.begin_canary(one, 5, 7).await.unwrap();
        assert_eq!(book.remove(&one).await, Err(ComponentBookError::InUse("the canary".into())));
        assert_eq!(book.roll_canary_back(&canary, "it fails").await, Ok(true));
        book.remove(&one).await.unwrap();
        assert_eq!(book.remove(&one).await, Err(ComponentBookError::Unknown(one)));
        assert_eq!(book.wasm(&one).await, Ok(None));
        assert!(book.space().all(KeyRange::beginning_with(CODE)).await.unwrap().is_empty());
        assert_eq!(book.roll_back(&acme).await, Err(ComponentBookError::Unknown(one)));
    }

    #[tokio::test]
    async fn a_canary_takes_its_share_and_only_the_one_that_runs_is_rolled_back() {
        let book = book();
        let one = book.add("one", b"one", 7).await.unwrap().id;
        assert_eq!(book.begin_canary(one, 0, 7).await, Err(ComponentBookError::Percent));
        assert_eq!(book.begin_canary(one, 101, 7).await, Err(ComponentBookError::Percent));
        let few = book.begin_canary(one, 10, 7).await.unwrap();
        let many = Canary { percent: 40, ..few.clone() };
        let names: Vec<OrganizationId> = (0..1_000).map(|number| organization(&format!("o-{number}"))).collect();
        let taken = |canary: &Canary| names.iter().filter(|name| canary.takes(name)).count();
        assert!(
            (60..150).contains(&taken(&few)) && (330..470).contains(&taken(&many)),
            "{} {}",
            taken(&few),
            taken(&many)
        );
        assert!(
            names.iter().all(|name| many.takes(name) || !few.takes(name)),
            "a larger share has the same ones and more"
        );
        assert_eq!(taken(&Canary { percent: 100, ..few.clone() }), names.len());
        assert_eq!(book.roll_canary_back(&many, "another").await, Ok(false));
        assert_eq!(book.assignment(&names[0]).await.unwrap().canary, Some(few.clone()));
        assert_eq!(book.roll_canary_back(&few, "it fails").await, Ok(true));
        assert_eq!(book.roll_canary_back(&few, "it fails").await, Ok(false));
        assert_eq!(book.assignment(&names[0]).await.unwrap().canary, None);
        assert_eq!(book.canary().await.unwrap().unwrap().rolled_back.as_deref(), Some("it fails"));
        book.end_canary().await.unwrap();
        assert_eq!(book.canary().await, Ok(None));
    }
}
