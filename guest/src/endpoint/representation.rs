//! The representation of members and teams: the stored document, and the attributes that are computed (RFC 7643 §3.1,
//! rule P3).
//!
//! A stored document is canonical. If the client asked for no projection, its bytes are sent as they are stored,
//! without parsing them, and `groups` or `members` and `meta` are appended.
//!
//! A user's `groups` have the names of teams. Renaming a team of 100,000 members must not write 100,000 members. For
//! this reason the version of a user whose `groups` are shown is the newest version among the user and the user's
//! teams: it changes whenever the representation changes. In `members`, a member's name is stored with each membership:
//! renaming a member writes one entry for each of the member's few teams.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::conditions::etag;
use super::context::Context;
use crate::protocol::document::Document;
use crate::protocol::projection::{Plan, Projection};
use crate::protocol::schema::{INSOMNIA_USER, ResourceSchema};
use crate::protocol::timestamp;
use crate::store::keys::Kind;
use crate::store::{self, Edge, MemberRecord, ResourceRecord, Row, StoreError, Stored, TeamRecord};

/// Renders resources of one type for one request.
pub(super) struct Representation<'c, 'h> {
    context: &'c Context<'c, 'h>,
    schema: &'c ResourceSchema<'c>,
    /// The attributes that the client asked for; `None` for all of them, if every stored attribute is returned by
    /// default.
    projection: Option<Plan<'c>>,
    /// Whether the answer contains the attribute that is computed from stored memberships: a user's `groups`, a group's
    /// `members`.
    wants_edges: bool,
    /// The type's name and the beginning of its resources' locations, as JSON.
    meta_texts: OnceCell<(Vec<u8>, Vec<u8>)>,
    /// The memberships that were read already: the members of one list are often in the same few teams.
    memberships: RefCell<Memberships>,
}

/// The approximate size of `meta` as text, in bytes.
const META: usize = 320;
/// The most teams that are cached; each takes some hundred bytes.
const MOST_TEAMS: usize = 10_000;

/// A cache of teams as `groups` shows them.
#[derive(Default)]
struct Memberships {
    /// Teams by their id; `None` for a team that was deleted.
    teams: HashMap<String, Option<Rc<ShownTeam>>>,
    /// The ids of the teams of the members that are rendered next.
    of: HashMap<String, Vec<String>>,
}

/// A value of a user's `groups`.
struct ShownTeam {
    value: Value,
    /// The version of the team's document.
    version: u64,
}

/// A resource as the client gets it.
pub(super) struct Shown {
    /// The encoded JSON.
    pub(super) json: Vec<u8>,
    /// The version in `meta`.
    pub(super) version: u64,
}

/// The values from which `meta` is made.
struct Meta<'m> {
    id: &'m str,
    created: u64,
    modified: u64,
    version: u64,
}

impl<'m> Meta<'m> {
    fn of<T>(stored: &Stored<T>, id: &'m str, created: u64, modified: u64) -> Self {
        let touched = stored.touch.map_or(0, |(_, time)| time);
        Self { id, created, modified: modified.max(touched), version: stored.resource_version() }
    }
}

impl<'c, 'h> Representation<'c, 'h> {
    pub(super) fn new(
        context: &'c Context<'c, 'h>,
        schema: &'c ResourceSchema<'c>,
        projection: &'c Projection,
    ) -> Self {
        let edges = if schema.resource_type.name == "Group" { "members" } else { "groups" };
        let sees_all = projection.is_default() && context.table.is_built_in();
        let projection = (!sees_all).then(|| projection.plan(schema));
        let wants_edges = projection.as_ref().is_none_or(|plan| plan.wants(edges));
        Self { context, schema, projection, wants_edges, meta_texts: OnceCell::new(), memberships: RefCell::default() }
    }

    /// A member as the client asked to see it.
    pub(super) fn user(&self, stored: &Stored<MemberRecord>) -> Result<Shown, StoreError> {
        let record = &stored.record;
        let Some(projection) = &self.projection else {
            let meta = Meta::of(stored, record.id(), record.created, record.modified);
            return self.complete(Kind::User, encode(&record.document), stored.touch.is_some(), meta);
        };
        let mut document = self.whole_user(stored);
        let mut version = stored.resource_version();
        if self.wants_edges {
            version = self.add_groups(stored, &mut document)?;
        }
        Ok(Shown { json: encode(&projection.apply(document)), version })
    }

    /// A team as the client asked to see it.
    pub(super) fn group(&self, stored: &Stored<TeamRecord>) -> Result<Shown, StoreError> {
        let record = &stored.record;
        let Some(projection) = &self.projection else {
            let meta = Meta::of(stored, record.id(), record.created, record.modified);
            return self.complete(Kind::Team, encode(&record.document), stored.touch.is_some(), meta);
        };
        let mut document = self.whole_group(stored);
        if self.wants_edges {
            self.add_members(stored, &mut document)?;
        }
        Ok(Shown { json: encode(&projection.apply(document)), version: stored.resource_version() })
    }

    /// Whether [`Representation::row`] can render what the client asked for.
    pub(super) fn takes_rows(&self) -> bool {
        self.projection.is_none()
    }

    /// The version of a member or a team, given the attributes that the client asked for.
    pub(super) fn version<T>(&self, kind: Kind, id: &str, stored: &Stored<T>) -> Result<u64, StoreError> {
        let own = stored.resource_version();
        if kind == Kind::User && self.wants_edges && stored.touch.is_some() {
            return Ok(own.max(self.context.store.newest_team_of(id)?));
        }
        Ok(own)
    }

    /// A member or a team whose stored bytes are sent unchanged.
    pub(super) fn row(&self, kind: Kind, id: &str, stored: &Stored<Row>) -> Result<Shown, StoreError> {
        let record = &stored.record;
        let meta = Meta::of(stored, id, record.created, record.modified);
        let mut json = Vec::with_capacity(record.document.len() + META);
        json.extend_from_slice(&record.document);
        self.complete(kind, json, stored.touch.is_some(), meta)
    }

    /// A resource of a declared type as the client asked to see it, encoded.
    pub(super) fn resource(&self, stored: &Stored<ResourceRecord>) -> Vec<u8> {
        let document = self.whole_resource(stored);
        match &self.projection {
            Some(projection) => encode(&projection.apply(document)),
            None => encode(&document),
        }
    }

    /// A resource of a declared type with all attributes, as filters and sorting see it.
    pub(super) fn whole_resource(&self, stored: &Stored<ResourceRecord>) -> Document {
        let record = &stored.record;
        let mut document = record.document.clone();
        self.add_meta(&mut document, &Meta::of(stored, record.id(), record.created, record.modified));
        document
    }

    /// A member with all attributes but `groups`, as filters and sorting see it.
    pub(super) fn whole_user(&self, stored: &Stored<MemberRecord>) -> Document {
        let record = &stored.record;
        let mut document = record.document.clone();
        if let Some(Value::Array(schemas)) = document.get_mut("schemas")
            && !schemas.iter().any(|urn| urn == INSOMNIA_USER)
        {
            schemas.push(INSOMNIA_USER.into());
        }
        let told = [
            ("origin", record.origin.name().into()),
            ("role", record.role.name().into()),
            ("licensed", record.is_active().into()),
        ];
        let insomnia = document.entry(INSOMNIA_USER).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(insomnia) = insomnia {
            insomnia.extend(told.map(|(name, value): (&str, Value)| (name.to_owned(), value)));
        }
        self.add_meta(&mut document, &Meta::of(stored, record.id(), record.created, record.modified));
        document
    }

    /// A team with all attributes but `members`, as filters and sorting see it.
    pub(super) fn whole_group(&self, stored: &Stored<TeamRecord>) -> Document {
        let record = &stored.record;
        let mut document = record.document.clone();
        self.add_meta(&mut document, &Meta::of(stored, record.id(), record.created, record.modified));
        document
    }

    /// Adds a member's `groups`. They are direct memberships only, for teams hold no teams. Returns the version that
    /// includes them, which `meta` then has.
    pub(super) fn add_groups(&self, stored: &Stored<MemberRecord>, document: &mut Document) -> Result<u64, StoreError> {
        let own = stored.resource_version();
        if stored.touch.is_none() {
            return Ok(own);
        }
        let (groups, newest) = self.groups_of(stored.record.id())?;
        insert_before_meta(document, "groups", groups.iter().map(|team| team.value.clone()).collect());
        let version = own.max(newest);
        if let Some(Value::Object(meta)) = document.get_mut("meta") {
            meta.insert("version".into(), etag(version).into());
        }
        Ok(version)
    }

    /// Adds all `members` of a team, since clients would take a truncated list for the whole list. A member whose only
    /// name is the userName has no `display`: it would say nothing new, and conformance tests compare what they sent
    /// with what they get.
    pub(super) fn add_members(&self, stored: &Stored<TeamRecord>, document: &mut Document) -> Result<(), StoreError> {
        if stored.touch.is_some() {
            let mut members = Vec::new();
            self.context.store.edges(stored.record.id(), |edge| {
                let mut member = Map::new();
                member.insert("value".into(), edge.member.as_str().into());
                member.insert("$ref".into(), self.user_location(&edge.member).into());
                if let Some(name) = edge.own_name() {
                    member.insert("display".into(), name.into());
                }
                member.insert("type".into(), "User".into());
                members.push(member.into());
                Ok(true)
            })?;
            insert_before_meta(document, "members", members);
        }
        Ok(())
    }

    /// The encoded document, followed by its memberships and `meta`.
    fn complete(
        &self,
        kind: Kind,
        mut json: Vec<u8>,
        is_touched: bool,
        mut meta: Meta<'_>,
    ) -> Result<Shown, StoreError> {
        json.pop();
        match kind {
            Kind::User if is_touched && self.wants_edges => {
                let (groups, newest) = self.groups_of(meta.id)?;
                meta.version = meta.version.max(newest);
                if !groups.is_empty() {
                    let groups: Vec<&Value> = groups.iter().map(|team| &team.value).collect();
                    json.extend_from_slice(b",\"groups\":");
                    json.extend(serde_json::to_vec(&groups).unwrap_or_default());
                }
            }
            Kind::Team if is_touched && self.wants_edges => self.write_members(meta.id, &mut json)?,
            _ => {}
        }
        self.write_meta(&meta, &mut json);
        json.push(b'}');
        Ok(Shown { json, version: meta.version })
    }

    /// Writes `meta` as text, with the same result as encoding [`Representation::meta`]. Ids, times and versions need
    /// no escaping, and the rest is the same for all resources of a type.
    fn write_meta(&self, meta: &Meta<'_>, json: &mut Vec<u8>) {
        let (resource_type, location) = self.meta_texts.get_or_init(|| {
            let name = self.schema.resource_type.name.as_str();
            [encode_text(name), encode_text(&self.context.location(self.schema, ""))].into()
        });
        let location = location.strip_suffix(b"\"").unwrap_or(location);
        let (created, version) = (timestamp::format(meta.created), format!("{:x}", meta.version));
        let modified = if meta.modified == meta.created { created.clone() } else { timestamp::format(meta.modified) };
        let parts: [&[u8]; 12] = [
            b",\"meta\":{\"resourceType\":",
            resource_type,
            b",\"created\":\"",
            created.as_bytes(),
            b"\",\"lastModified\":\"",
            modified.as_bytes(),
            b"\",\"location\":",
            location,
            meta.id.as_bytes(),
            b"\",\"version\":\"W/\\\"",
            version.as_bytes(),
            b"\\\"\"}",
        ];
        parts.into_iter().for_each(|part| json.extend_from_slice(part));
    }

    /// Writes `members` as text. The stored membership holds the display name as JSON, and ids need no escaping.
    fn write_members(&self, team: &str, json: &mut Vec<u8>) -> Result<(), StoreError> {
        let users = encode_text(&self.user_location(""));
        let users = users.strip_suffix(b"\"").unwrap_or(&users);
        let before = json.len();
        let write = |member: &str, display: &[u8], json: &mut Vec<u8>| {
            json.extend_from_slice(if json.len() == before { b",\"members\":[" } else { b"," });
            json.extend_from_slice(b"{\"value\":\"");
            json.extend_from_slice(member.as_bytes());
            json.extend_from_slice(b"\",\"$ref\":");
            json.extend_from_slice(users);
            json.extend_from_slice(member.as_bytes());
            json.push(b'"');
            if Edge::is_name(display) {
                json.extend_from_slice(b",\"display\":");
                json.extend_from_slice(display);
            }
            json.extend_from_slice(b",\"type\":\"User\"}");
        };
        self.context.store.edges_as_stored(team, |member, display| write(member, display, json))?;
        if json.len() > before {
            json.push(b']');
        }
        Ok(())
    }

    /// Reads the teams of the members that are rendered next, if `groups` are shown: two calls to the host for all
    /// members.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub(super) fn look_ahead(&self, members: &[&str]) -> Result<(), StoreError> {
        if !self.wants_edges || members.len() < 2 {
            return Ok(());
        }
        let teams = self.context.store.team_ids_of_each(members)?;
        let mut ids: Vec<String> = teams.iter().flatten().cloned().collect();
        self.memberships.borrow_mut().of = members.iter().map(|member| (*member).to_owned()).zip(teams).collect();
        ids.sort_unstable();
        ids.dedup();
        self.read_teams(&ids)
    }

    /// The member's teams, and the highest version among them.
    fn groups_of(&self, member: &str) -> Result<(Vec<Rc<ShownTeam>>, u64), StoreError> {
        let known = self.memberships.borrow_mut().of.remove(member);
        let ids = known.map_or_else(|| self.context.store.team_ids_of(member), Ok)?;
        self.read_teams(&ids)?;
        let teams = &self.memberships.borrow().teams;
        let groups: Vec<Rc<ShownTeam>> = ids.iter().filter_map(|id| teams.get(id).cloned().flatten()).collect();
        let newest = groups.iter().map(|team| team.version).max().unwrap_or(0);
        Ok((groups, newest))
    }

    /// Reads those of the teams that are not cached.
    fn read_teams(&self, ids: &[String]) -> Result<(), StoreError> {
        let mut memberships = self.memberships.borrow_mut();
        if memberships.teams.len() > MOST_TEAMS {
            memberships.teams.clear();
        }
        let new: Vec<String> = ids.iter().filter(|id| !memberships.teams.contains_key(*id)).cloned().collect();
        let read = self.context.store.teams(&new)?;
        let shown = |team: Stored<TeamRecord>| {
            let (id, display) = (team.record.id(), team.record.display_name());
            let location = format!("{}/Groups/{id}", self.context.request.base_url);
            let value = json!({"value": id, "$ref": location, "display": display, "type": "direct"});
            Rc::new(ShownTeam { value, version: team.version })
        };
        memberships.teams.extend(new.into_iter().zip(read.into_iter().map(|team| team.map(shown))));
        Ok(())
    }

    fn user_location(&self, id: &str) -> String {
        format!("{}/Users/{id}", self.context.request.base_url)
    }

    fn add_meta(&self, document: &mut Document, meta: &Meta<'_>) {
        document.insert("meta".into(), Value::Object(self.meta(meta)));
    }

    fn meta(&self, meta: &Meta<'_>) -> Document {
        let mut document = Map::new();
        document.insert("resourceType".into(), self.schema.resource_type.name.as_str().into());
        document.insert("created".into(), timestamp::format(meta.created).into());
        document.insert("lastModified".into(), timestamp::format(meta.modified).into());
        document.insert("location".into(), self.context.location(self.schema, meta.id).into());
        document.insert("version".into(), etag(meta.version).into());
        document
    }
}

/// Inserts an array unless it is empty, so that `meta` stays last.
fn insert_before_meta(document: &mut Document, name: &str, values: Vec<Value>) {
    if values.is_empty() {
        return;
    }
    let meta = document.shift_remove("meta");
    document.insert(name.into(), Value::Array(values));
    if let Some(meta) = meta {
        document.insert("meta".into(), meta);
    }
}

/// Encodes a document. This can't fail, because all keys are strings.
fn encode(document: &Document) -> Vec<u8> {
    store::encode(document).unwrap_or_default()
}

fn encode_text(text: &str) -> Vec<u8> {
    serde_json::to_vec(text).unwrap_or_default()
}
