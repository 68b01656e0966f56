//! Create, read, replace, modify and delete, once for all resource types (RFC 7644 §3.3–§3.6).

use super::answer::Answer;
use super::conditions::etag;
use super::representation::Shown;
use super::shared::Endpoint;
use crate::protocol::document::{self, Document};
use crate::protocol::error::ScimError;
use crate::protocol::patch::{self, MemberChange, Patched};
use crate::provisioning::{Precondition, Provisioned, Refusal};
use crate::store::keys::Kind;
use crate::store::{Record, StoreError, Stored};

/// A resource that a client sent, and apart from it the ids of a group's members.
pub(super) struct Received {
    pub(super) document: Document,
    pub(super) members: Vec<String>,
}

/// Makes the new document from the current one.
pub(super) type Change<'a> = &'a dyn Fn(&Document) -> Result<Patched, ScimError>;

/// The operations that differ from one resource type to the other.
pub(super) trait Resource<'c, 'h: 'c> {
    /// The stored form of a resource.
    type Record: Record;

    /// The endpoint of the type.
    fn endpoint(&self) -> &Endpoint<'c, 'h>;

    /// The kind by which store keys name the type; `None` for a declared type.
    fn kind(&self) -> Option<Kind>;

    /// Creates the resource that the client posted.
    fn create(&self, new: Received) -> Result<Provisioned<Self::Record>, Refusal>;

    /// The stored resource with this id.
    fn find(&self, id: &str) -> Result<Option<Stored<Self::Record>>, StoreError>;

    /// Changes the resource with this id.
    fn update(
        &self,
        id: &str,
        if_match: Precondition<'_>,
        change: Change<'_>,
    ) -> Result<Provisioned<Self::Record>, Refusal>;

    /// Deletes the resource with this id.
    fn remove(&self, id: &str, if_match: Precondition<'_>) -> Result<Provisioned<Self::Record>, Refusal>;

    /// The resource as the client asked for it.
    fn shown(&self, stored: &Stored<Self::Record>) -> Result<Shown, StoreError>;

    /// The resource with every attribute that clients can see. Strict mode compares read-only values of a request with
    /// it (T5).
    fn whole(&self, stored: &Stored<Self::Record>) -> Result<Document, StoreError>;

    /// The resource in the body of the request.
    fn received(&self) -> Result<Received, ScimError> {
        Ok(Received { document: self.endpoint().received()?, members: Vec::new() })
    }

    /// The readable name of the resource with this document, for the log.
    fn name_of(&self, document: &Document) -> Option<String> {
        Some(document.get("displayName")?.as_str()?.to_owned())
    }

    /// Examines a document that will replace a whole resource.
    fn replaces_with(&self, _incoming: &Document) {}

    /// Corrects a document after a PATCH was applied to it.
    fn settle(&self, _document: &mut Document) {}

    /// Whether the request's conditions allow a change of the resource with this id and version.
    fn allows(&self, _id: &str, version: u64) -> Result<bool, StoreError> {
        Ok(self.endpoint().allows(&[version]))
    }

    /// Notes for the log which tolerance rule the change has used.
    fn note_tolerance(&self, _done: &Provisioned<Self::Record>) {}

    /// Whether a PATCH is answered 200 with the whole resource, instead of 204.
    fn is_answered_whole(&self, _done: &Provisioned<Self::Record>) -> Result<bool, ScimError> {
        Ok(true)
    }
}

/// Serves a request to create a resource, or to do something to the one with this id.
pub(super) fn serve<'c, 'h: 'c>(resource: &impl Resource<'c, 'h>, id: Option<&str>) -> Result<Answer, ScimError> {
    let context = resource.endpoint().context;
    context.store.replaces_whole(context.request.method == "PUT");
    let served = match (id, context.request.method.as_str()) {
        (None, _) => create(resource),
        (Some(id), "PUT") => replace(resource, id),
        (Some(id), "PATCH") => modify(resource, id),
        (Some(id), "DELETE") => delete(resource, id),
        (Some(id), _) => read(resource, id),
    };
    if served.as_ref().is_err_and(|error| matches!(error.status, 400 | 403 | 409)) {
        resource.endpoint().note_whom(id);
    }
    served
}

fn create<'c, 'h: 'c>(resource: &impl Resource<'c, 'h>) -> Result<Answer, ScimError> {
    let new = resource.received()?;
    let name = resource.name_of(&new.document);
    let created = resource.create(new);
    if let (Err(_), Some(name)) = (&created, name) {
        // A resource that is refused has no id yet, so the log names it without one.
        resource.endpoint().note_subject("", &name);
    }
    let provisioned = resource.endpoint().refusal_of(created, None)?;
    changed(resource, 201, &provisioned)
}

fn read<'c, 'h: 'c>(resource: &impl Resource<'c, 'h>, id: &str) -> Result<Answer, ScimError> {
    let endpoint = resource.endpoint();
    if let Some(kind) = resource.kind()
        && let Some(answer) = endpoint.read_row(kind, id)?
    {
        return Ok(answer);
    }
    let stored = resource.find(id)?.ok_or_else(|| endpoint.not_found(id))?;
    endpoint.note_subject(id, &stored.record.name());
    match endpoint.unchanged(resource.kind(), id, &stored)? {
        Some(not_modified) => Ok(not_modified),
        None => answer(resource, 200, &stored),
    }
}

fn replace<'c, 'h: 'c>(resource: &impl Resource<'c, 'h>, id: &str) -> Result<Answer, ScimError> {
    let Received { document: incoming, members } = resource.received()?;
    resource.replaces_with(&incoming);
    let schema = &resource.endpoint().schema;
    let provisioned = update(resource, id, &|current| {
        let document = document::replace(schema, current, incoming.clone())?;
        Ok(Patched { document, members: vec![MemberChange::Replace(members.clone())] })
    })?;
    changed(resource, 200, &provisioned)
}

fn modify<'c, 'h: 'c>(resource: &impl Resource<'c, 'h>, id: &str) -> Result<Answer, ScimError> {
    let endpoint = resource.endpoint();
    let (schema, mode) = (&endpoint.schema, endpoint.context.mode);
    let body = endpoint.context.body()?;
    let operations = patch::parse(schema, &body, mode)?;
    let current = if mode.is_strict() { resource.find(id)? } else { None };
    let shown = current.map(|stored| resource.whole(&stored)).transpose()?;
    let provisioned = update(resource, id, &|current| {
        let mut patched = patch::apply(schema, current, shown.as_ref(), &operations, mode)?;
        document::required_after(schema, current, &patched.document)?;
        resource.settle(&mut patched.document);
        Ok(patched)
    })?;
    if resource.is_answered_whole(&provisioned)? {
        return changed(resource, 200, &provisioned);
    }
    note(resource, &provisioned);
    let etag = Some(etag(provisioned.stored.resource_version()));
    Ok(Answer { etag, ..Answer::no_content() })
}

fn delete<'c, 'h: 'c>(resource: &impl Resource<'c, 'h>, id: &str) -> Result<Answer, ScimError> {
    let removed = resource.remove(id, &|version| resource.allows(id, version));
    note(resource, &resource.endpoint().refusal_of(removed, Some(id))?);
    Ok(Answer::no_content())
}

fn update<'c, 'h: 'c, R: Resource<'c, 'h>>(
    resource: &R,
    id: &str,
    change: Change<'_>,
) -> Result<Provisioned<R::Record>, ScimError> {
    let updated = resource.update(id, &|version| resource.allows(id, version), change);
    resource.endpoint().refusal_of(updated, Some(id))
}

/// Notes for the log what was done, and answers the client with the changed resource.
fn changed<'c, 'h: 'c, R: Resource<'c, 'h>>(
    resource: &R,
    status: u16,
    provisioned: &Provisioned<R::Record>,
) -> Result<Answer, ScimError> {
    note(resource, provisioned);
    answer(resource, status, &provisioned.stored)
}

fn note<'c, 'h: 'c, R: Resource<'c, 'h>>(resource: &R, provisioned: &Provisioned<R::Record>) {
    resource.note_tolerance(provisioned);
    let record = &provisioned.stored.record;
    resource.endpoint().note(provisioned, record.id(), &record.name());
}

fn answer<'c, 'h: 'c, R: Resource<'c, 'h>>(
    resource: &R,
    status: u16,
    stored: &Stored<R::Record>,
) -> Result<Answer, ScimError> {
    let shown = resource.shown(stored)?;
    Ok(resource.endpoint().answer(status, stored.record.id(), shown))
}
