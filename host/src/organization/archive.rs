//! An organization as JSON Lines, read part by part, for a customer who leaves.
//!
//! Each line is an object with a `kind` and a `value`. The lines come in this order: one `organization`; one `connector`; a
//! `member` for each member, with all attributes; a `team` for each team, followed by a `membership` for each of its members;
//! a `log` for each log entry, newest first; an `event` for each event, oldest first; a `request` for each asynchronous
//! request that is kept, oldest first; an `audit` for each entry of the audit trail, newest first; and one `end` with the
//! number of `lines` before it, so that a partial file is not taken for a complete one. Data that changes during the export
//! appears as it was before or after the change. The lines contain no secret.

use axum::response::Response;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::Organization;
use crate::directory::{DescribedMember, DescribedTeam, Found, Listing, MemberQuery, Team, TeamQuery};
use crate::download::{Parts, download};
use crate::error::ActionError;
use crate::journal::{AuditQuery, LogQuery};
use crate::timestamp::{date, iso};

/// Members or teams of one part.
const PART: u32 = 100;
/// Entries, events, or memberships of one part.
const ENTRIES: u32 = 500;
/// The media type of JSON Lines.
const JSON_LINES: &str = "application/jsonl; charset=utf-8";

/// The part that is read next, and where it begins.
enum Next {
    Organization,
    Members(Option<String>),
    /// The page of teams to read.
    Teams(Option<String>),
    /// The teams that were read, with the current one last; where its next members begin; and the next page of teams.
    Memberships(Vec<Team>, Option<String>, Option<String>),
    Log(Option<String>),
    Events(Option<String>),
    Requests(Option<String>),
    Audit(Option<String>),
    End,
}

/// A running export.
pub(crate) struct OrganizationExport {
    organization: Organization,
    /// `None` at the end.
    next: Option<Next>,
    /// How many lines were written.
    lines: u64,
}

impl OrganizationExport {
    /// Exports the organization.
    pub(crate) fn new(organization: Organization) -> Self {
        Self { organization, next: Some(Next::Organization), lines: 0 }
    }

    /// The export as a file to download, named after the organization and the day; see [`download`].
    ///
    /// # Errors
    /// Those of the organization's acts, for the first part.
    pub(crate) async fn into_response(
        self,
        now: u64,
        while_open: impl Send + 'static,
    ) -> Result<Response, ActionError> {
        let name = format!("insomnia-{}-{}.jsonl", self.organization.id(), date(now));
        download(self, &name, JSON_LINES, while_open).await
    }

    fn line(&mut self, part: &mut String, kind: &str, value: &impl Serialize) -> Result<(), ActionError> {
        let line = Line { kind, value };
        part.push_str(&serde_json::to_string(&line).map_err(|error| ActionError::Other(error.to_string()))?);
        part.push('\n');
        self.lines += 1;
        Ok(())
    }

    /// A line of a document that is JSON already.
    fn document(&mut self, part: &mut String, kind: &str, json: String) -> Result<(), ActionError> {
        let value = RawValue::from_string(json).map_err(|error| ActionError::Other(error.to_string()))?;
        self.line(part, kind, &value)
    }

    async fn first(&mut self, part: &mut String) -> Result<(), ActionError> {
        let organization = self.organization.clone();
        let value = json!({
            "id": organization.id().as_str(),
            "organization": organization.get().await?,
            "retention_days": organization.retention().await?,
            "guard": organization.guard(None, 1).await?.guard,
            "licences": organization.licences().await?,
            // The webhook's URL may contain a secret.
            "has_webhook": organization.webhook().await?.is_some(),
        });
        self.line(part, "organization", &value)?;
        let connector = json!({
            "connector_url": organization.connector_url(),
            "status": organization.status().await?,
            "oauth_clients": organization.oauth_clients().await?,
        });
        self.line(part, "connector", &connector)
    }

    async fn members(&mut self, part: &mut String, cursor: Option<String>) -> Result<Next, ActionError> {
        let query = MemberQuery { cursor, limit: PART, ..MemberQuery::default() };
        let Found { items, next, .. } = self.organization.find_members(query).await?;
        for member in items {
            // A member who is removed meanwhile is left out.
            match self.organization.describe_member(&member.id).await {
                Ok(DescribedMember { member, attributes }) => {
                    let attributes = RawValue::from_string(attributes).map_err(no_json)?;
                    self.line(part, "member", &Described { about: &member, attributes })?;
                }
                Err(ActionError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(next.map_or(Next::Teams(None), |next| Next::Members(Some(next))))
    }

    async fn memberships(
        &mut self,
        part: &mut String,
        mut teams: Vec<Team>,
        after: Option<String>,
        page: Option<String>,
    ) -> Result<Next, ActionError> {
        let Some(team) = teams.last().cloned() else {
            return Ok(page.map_or(Next::Log(None), |page| Next::Teams(Some(page))));
        };
        if after.is_none() {
            match self.organization.describe_team(&team.id).await {
                Ok(DescribedTeam { team, attributes }) => {
                    let attributes = RawValue::from_string(attributes).map_err(no_json)?;
                    self.line(part, "team", &Described { about: &team, attributes })?;
                }
                Err(ActionError::NotFound(_)) => {
                    teams.pop();
                    return Ok(Next::Memberships(teams, None, page));
                }
                Err(error) => return Err(error),
            }
        }
        let listing = Listing { prefix: None, after, limit: ENTRIES };
        let listed = match self.organization.team_members(&team.id, listing).await {
            Err(ActionError::NotFound(_)) => None,
            listed => Some(listed?),
        };
        let next = listed.as_ref().and_then(|listed| listed.next.clone());
        for member in listed.map(|listed| listed.items).unwrap_or_default() {
            self.line(part, "membership", &json!({"team": team.id, "member": member.id}))?;
        }
        if next.is_none() {
            teams.pop();
        }
        Ok(Next::Memberships(teams, next, page))
    }

    async fn step(&mut self, part: &mut String, next: Next) -> Result<Option<Next>, ActionError> {
        let organization = self.organization.clone();
        Ok(Some(match next {
            Next::Organization => {
                self.first(part).await?;
                Next::Members(None)
            }
            Next::Members(cursor) => self.members(part, cursor).await?,
            Next::Teams(cursor) => {
                let query = TeamQuery { cursor, limit: PART, ..TeamQuery::default() };
                let Found { mut items, next, .. } = organization.find_teams(query).await?;
                items.reverse();
                Next::Memberships(items, None, next)
            }
            Next::Memberships(teams, after, page) => self.memberships(part, teams, after, page).await?,
            Next::Log(after) => {
                let found = organization.search_log(LogQuery { after, limit: ENTRIES, ..LogQuery::default() }).await?;
                for entry in found.entries {
                    self.document(part, "log", entry)?;
                }
                found.next.map_or(Next::Events(None), |next| Next::Log(Some(next)))
            }
            Next::Events(after) => {
                let found = organization.events(after.as_deref(), ENTRIES).await?;
                for event in found.items {
                    self.document(part, "event", event.document)?;
                }
                found.next.map_or(Next::Requests(None), |next| Next::Events(Some(next)))
            }
            Next::Requests(after) => {
                let found = organization.requests(after.as_deref(), ENTRIES).await?;
                for request in found.items {
                    self.document(part, "request", request.document)?;
                }
                found.next.map_or(Next::Audit(None), |next| Next::Requests(Some(next)))
            }
            Next::Audit(after) => {
                let found = organization.audit(AuditQuery { after, limit: ENTRIES, ..AuditQuery::default() }).await?;
                for entry in found.entries {
                    self.document(part, "audit", entry)?;
                }
                found.next.map_or(Next::End, |next| Next::Audit(Some(next)))
            }
            Next::End => {
                let (lines, now) = (self.lines, self.organization.now());
                self.line(part, "end", &json!({"lines": lines, "time": iso(now)}))?;
                return Ok(None);
            }
        }))
    }
}

/// A line.
#[derive(Serialize)]
struct Line<'l, T> {
    kind: &'l str,
    value: &'l T,
}

/// A member or a team with all attributes.
#[derive(Serialize)]
struct Described<'d, T> {
    #[serde(flatten)]
    about: &'d T,
    attributes: Box<RawValue>,
}

fn no_json(error: serde_json::Error) -> ActionError {
    ActionError::Other(format!("a document of the component is no JSON: {error}"))
}

impl Parts for OrganizationExport {
    type Error = ActionError;

    async fn next(&mut self) -> Result<Option<Vec<u8>>, ActionError> {
        let Some(next) = self.next.take() else { return Ok(None) };
        let mut part = String::new();
        self.next = self.step(&mut part, next).await?;
        Ok(Some(part.into_bytes()))
    }
}
