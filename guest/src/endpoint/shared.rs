//! The functions that the endpoints of all resource types share.

use super::answer::Answer;
use super::conditions::{allow, etag, names};
use super::context::{Body, Context};
use super::representation::{Representation, Shown};
use crate::journal::Note;
use crate::protocol::document::{self, Document};
use crate::protocol::error::ScimError;
use crate::protocol::query::Query;
use crate::protocol::schema::ResourceSchema;
use crate::provisioning::{Provisioned, Refusal};
use crate::store::Stored;
use crate::store::keys::Kind;

/// The endpoint of one resource type, for one request.
pub(super) struct Endpoint<'c, 'h> {
    pub(super) context: &'c Context<'c, 'h>,
    pub(super) schema: ResourceSchema<'c>,
    pub(super) query: Query,
}

impl<'c, 'h> Endpoint<'c, 'h> {
    pub(super) fn new(context: &'c Context<'c, 'h>, resource_type: &str) -> Result<Self, ScimError> {
        let query = Query::from_parameters(context.request.query.as_deref(), context.mode)?;
        Ok(Self { context, schema: context.schema(resource_type)?, query })
    }

    /// Whether the request has a condition at all.
    pub(super) fn is_conditional(&self) -> bool {
        ["if-match", "if-none-match"].into_iter().any(|name| self.context.request.header(name).is_some())
    }

    /// The value of a condition. A list may be sent in several fields of one name (RFC 9110 §5.3).
    fn condition(&self, name: &str) -> Option<String> {
        let fields = self.context.request.headers.iter().filter(|(candidate, _)| candidate == name);
        let values: Vec<&str> = fields.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(","))
    }

    /// Whether the request's conditions allow a change of a resource that clients have seen with these versions.
    pub(super) fn allows(&self, versions: &[u64]) -> bool {
        allow(self.condition("if-match").as_deref(), self.condition("if-none-match").as_deref(), versions)
    }

    /// The resource in the body of the request, in canonical form.
    pub(super) fn received(&self) -> Result<Document, ScimError> {
        document::from_client(&self.schema, self.context.body()?, self.context.mode)
    }

    pub(super) fn representation(&self) -> Representation<'_, 'h> {
        Representation::new(self.context, &self.schema, &self.query.projection)
    }

    /// Answers a GET by id with the stored bytes, if that is what the client asked for; otherwise `None`.
    pub(super) fn read_row(&self, kind: Kind, id: &str) -> Result<Option<Answer>, ScimError> {
        let representation = self.representation();
        if !representation.takes_rows() {
            return Ok(None);
        }
        let row = self.context.store.rows(kind, &[id.to_owned()])?.pop().flatten();
        let row = row.ok_or_else(|| self.not_found(id))?;
        self.note_subject(id, &row.record.display_name());
        if let Some(answer) = self.unchanged(Some(kind), id, &row)? {
            return Ok(Some(answer));
        }
        Ok(Some(self.answer(200, id, representation.row(kind, id, &row)?)))
    }

    /// 304 if the client already has the representation that it asks for; 412 if it asks for another version
    /// (RFC 9110 §13.1.1).
    pub(super) fn unchanged<T>(
        &self,
        kind: Option<Kind>,
        id: &str,
        stored: &Stored<T>,
    ) -> Result<Option<Answer>, ScimError> {
        if !self.is_conditional() {
            return Ok(None);
        }
        let version = match kind {
            Some(kind) => self.representation().version(kind, id, stored)?,
            None => stored.resource_version(),
        };
        let names_it = |name| self.condition(name).map(|header| names(&header, version));
        if names_it("if-match") == Some(false) {
            return Err(Refusal::PreconditionFailed.into());
        }
        let is_known = names_it("if-none-match") == Some(true);
        let location = || Some(self.context.location(&self.schema, id));
        Ok(is_known.then(|| Answer {
            status: 304,
            etag: Some(etag(version)),
            location: location(),
            ..Answer::default()
        }))
    }

    /// 404: there is no such resource.
    pub(super) fn not_found(&self, id: &str) -> ScimError {
        Refusal::NotFound { kind: self.schema.resource_type.name.clone(), id: id.to_owned() }.into()
    }

    pub(super) fn answer(&self, status: u16, id: &str, shown: Shown) -> Answer {
        Answer {
            etag: Some(etag(shown.version)),
            location: Some(self.context.location(&self.schema, id)),
            ..Answer::json(status, shown.json)
        }
    }

    /// Notes for the SCIM log which resource the request was about.
    pub(super) fn note_subject(&self, id: &str, name: &str) {
        self.context.note.borrow_mut().subject(&self.schema.resource_type.name, id, name);
    }

    /// Turns a refusal into a SCIM error. It notes for the SCIM log which rule has refused the change and which
    /// resource it was about: the one with this id, or the one that already has the unique value.
    pub(super) fn refusal_of<T>(&self, result: Result<T, Refusal>, id: Option<&str>) -> Result<T, ScimError> {
        let refusal = match result {
            Ok(done) => return Ok(done),
            Err(refusal) => refusal,
        };
        let holder = match &refusal {
            Refusal::Taken { id, .. } => Some(id.as_str()),
            _ => None,
        };
        if !matches!(refusal, Refusal::NotFound { .. } | Refusal::Store(_))
            && let Some(id) = id.or(holder)
            && let Some(name) = self.name_of(id)
        {
            self.note_subject(id, &name);
        }
        let mut rule = refusal.rule();
        if let (Some(rule), Some(name)) = (&mut rule, holder.and_then(|holder| self.name_of(holder))) {
            rule.push_str(&format!(" ({name})"));
        }
        self.context.note.borrow_mut().because.extend(rule);
        Err(refusal.into())
    }

    /// Notes for the SCIM log which resource a refused request was about, unless that is noted already: the one with
    /// this id, or the one that the body names although the body was refused.
    pub(super) fn note_whom(&self, id: Option<&str>) {
        if self.context.note.borrow().subject.is_some() {
            return;
        }
        let named = match id {
            Some(id) => self.name_of(id).map(|name| (id, name)),
            None => self.posted_name().map(|name| ("", name)),
        };
        if let Some((id, name)) = named {
            self.note_subject(id, &name);
        }
    }

    /// The userName or the displayName in the body of the request, even if the body is invalid.
    fn posted_name(&self) -> Option<String> {
        let Body::Bytes(bytes) = &self.context.body else { return None };
        let serde_json::Value::Object(body) = document::parse(bytes).ok()? else { return None };
        let named = |wanted: &str| body.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?.1.as_str();
        let name = named("userName").or_else(|| named("displayName"))?;
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// The resource's name for the log; `None` if the store can't answer.
    fn name_of(&self, id: &str) -> Option<String> {
        let store = self.context.store;
        match self.schema.resource_type.name.as_str() {
            "User" => store.member(id).ok()?.map(|member| member.record.display_name()),
            "Group" => store.team(id).ok()?.map(|team| team.record.display_name().to_owned()),
            _ => Some(id.to_owned()),
        }
    }

    /// Notes for the SCIM log what was done to which resource, and why.
    pub(super) fn note<T>(&self, provisioned: &Provisioned<T>, id: &str, name: &str) {
        self.note_subject(id, name);
        let mut note: std::cell::RefMut<'_, Note> = self.context.note.borrow_mut();
        note.action(provisioned.action, &provisioned.because);
    }
}
