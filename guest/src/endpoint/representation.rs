//! What clients see of members and teams: the stored document with what is computed (RFC 7643 §3.1, rule P3).

use serde_json::{Map, Value, json};

use super::conditions::etag;
use super::context::Context;
use crate::protocol::document::Document;
use crate::protocol::projection::Projection;
use crate::protocol::schema::{INSOMNIA_USER, ResourceSchema};
use crate::protocol::timestamp;
use crate::store::{MemberRecord, ResourceRecord, StoreError, Stored, TeamRecord};

/// Renders resources of one type for one request.
pub(super) struct Representation<'c, 'h> {
    context: &'c Context<'c, 'h>,
    schema: &'c ResourceSchema<'c>,
    projection: &'c Projection,
    /// Whether the client sees the part that is kept as edges: a user's `groups`, a group's `members`.
    wants_edges: bool,
}

impl<'c, 'h> Representation<'c, 'h> {
    pub(super) fn new(
        context: &'c Context<'c, 'h>,
        schema: &'c ResourceSchema<'c>,
        projection: &'c Projection,
    ) -> Self {
        let edges = if schema.resource_type.name == "Group" { "members" } else { "groups" };
        let wants_edges = projection.is_default() || projection.wants(schema, edges);
        Self { context, schema, projection, wants_edges }
    }

    /// A member as the client asked to see it.
    pub(super) fn user(&self, stored: &Stored<MemberRecord>) -> Result<Document, StoreError> {
        let mut document = self.whole_user(stored);
        if self.wants_edges {
            self.add_groups(stored, &mut document)?;
        }
        Ok(self.projection.apply(self.schema, document))
    }

    /// A team as the client asked to see it.
    pub(super) fn group(&self, stored: &Stored<TeamRecord>) -> Result<Document, StoreError> {
        let mut document = self.whole_group(stored);
        if self.wants_edges {
            self.add_members(stored, &mut document)?;
        }
        Ok(self.projection.apply(self.schema, document))
    }

    /// A resource of a declared type as the client asked to see it.
    pub(super) fn resource(&self, stored: &Stored<ResourceRecord>) -> Document {
        self.projection.apply(self.schema, self.whole_resource(stored))
    }

    /// All of a resource of a declared type: what filters and sorting look at.
    pub(super) fn whole_resource(&self, stored: &Stored<ResourceRecord>) -> Document {
        let record = &stored.record;
        let mut document = record.document.clone();
        self.add_meta(&mut document, record.id(), record.created, record.modified, None, stored.resource_version());
        document
    }

    /// All of a member but `groups`: what filters and sorting look at.
    pub(super) fn whole_user(&self, stored: &Stored<MemberRecord>) -> Document {
        let record = &stored.record;
        let mut document = record.document.clone();
        if let Some(Value::Array(schemas)) = document.get_mut("schemas") {
            schemas.push(INSOMNIA_USER.into());
        }
        document.entry("active").or_insert(Value::Bool(true));
        let insomnia = json!({
            "origin": record.origin.as_str(),
            "role": record.role.as_str(),
            "licensed": record.is_active(),
        });
        document.insert(INSOMNIA_USER.into(), insomnia);
        self.add_meta(
            &mut document,
            record.id(),
            record.created,
            record.modified,
            stored.touch,
            stored.resource_version(),
        );
        document
    }

    /// All of a team but `members`: what filters and sorting look at.
    pub(super) fn whole_group(&self, stored: &Stored<TeamRecord>) -> Document {
        let record = &stored.record;
        let mut document = record.document.clone();
        self.add_meta(
            &mut document,
            record.id(),
            record.created,
            record.modified,
            stored.touch,
            stored.resource_version(),
        );
        document
    }

    /// `groups` of a member: direct memberships only, for teams hold no teams.
    pub(super) fn add_groups(&self, stored: &Stored<MemberRecord>, document: &mut Document) -> Result<(), StoreError> {
        if stored.touch.is_none() {
            return Ok(());
        }
        let ids = self.context.store.team_ids_of(stored.record.id())?;
        let teams = self.context.store.teams(&ids)?;
        let groups: Vec<Value> = teams
            .into_iter()
            .flatten()
            .map(|team| {
                json!({
                    "value": team.record.id(),
                    "$ref": format!("{}/Groups/{}", self.context.request.base_url, team.record.id()),
                    "display": team.record.display_name(),
                    "type": "direct",
                })
            })
            .collect();
        insert_before_meta(document, "groups", groups);
        Ok(())
    }

    /// `members` of a team, all of them: a truncated list would be read as the whole.
    pub(super) fn add_members(&self, stored: &Stored<TeamRecord>, document: &mut Document) -> Result<(), StoreError> {
        if stored.touch.is_none() {
            return Ok(());
        }
        let mut members = Vec::new();
        self.context.store.edges(stored.record.id(), |edge| {
            let mut member = Map::new();
            let location = format!("{}/Users/{}", self.context.request.base_url, edge.member);
            let display = edge.display_name();
            member.insert("value".into(), edge.member.into());
            member.insert("$ref".into(), location.into());
            member.insert("display".into(), display.into());
            member.insert("type".into(), "User".into());
            members.push(Value::Object(member));
            Ok(true)
        })?;
        insert_before_meta(document, "members", members);
        Ok(())
    }

    fn add_meta(
        &self,
        document: &mut Document,
        id: &str,
        created: u64,
        modified: u64,
        touch: Option<(u64, u64)>,
        version: u64,
    ) {
        let modified = modified.max(touch.map_or(0, |(_, time)| time));
        let mut meta = Map::new();
        meta.insert("resourceType".into(), self.schema.resource_type.name.as_str().into());
        meta.insert("created".into(), timestamp::format(created).into());
        meta.insert("lastModified".into(), timestamp::format(modified).into());
        meta.insert("location".into(), self.context.location(self.schema, id).into());
        meta.insert("version".into(), etag(version).into());
        document.insert("meta".into(), Value::Object(meta));
    }
}

/// Inserts an array where it is not empty, keeping `meta` last.
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
