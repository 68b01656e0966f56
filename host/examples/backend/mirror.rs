//! Accounts and teams as the identity provider wants them.
//!
//! Events come in the order of their commits and at least once. Each is applied in one transaction with its position, so that
//! one that comes again after a crash is known and passed over: all in all, each takes effect exactly once. Who was there before
//! the backend took its first event is read once, before that event: what changes meanwhile comes as an event behind it.

use std::sync::OnceLock;

use async_trait::async_trait;
use insomnia_scim::directory::{Listing, Member};
use insomnia_scim::event::{Event, EventRecord, EventSubscriber};
use insomnia_scim::{OrganizationId, Provisioner};
use rusqlite::{OptionalExtension as _, Transaction, params};
use serde_json::Value;

use crate::database::Database;

pub(crate) struct Mirror {
    database: Database,
    /// Is asked about changes that are too large for an event. It is there once the provisioner is built.
    provisioner: OnceLock<Provisioner>,
}

/// What an event does to the tables.
enum Effect {
    /// An account has these properties from now on; what is `None` stays as it is.
    Account {
        id: String,
        email: Option<String>,
        name: Option<String>,
        role: Option<String>,
        active: Option<bool>,
    },
    AccountGone {
        id: String,
    },
    Team {
        id: String,
        name: String,
    },
    TeamGone {
        id: String,
    },
    Members {
        team: String,
        added: Vec<String>,
        removed: Vec<String>,
    },
    /// The members of a team, all of them.
    AllMembers {
        team: String,
        members: Vec<String>,
    },
    /// Nothing that the tables know of.
    None,
}

impl Effect {
    fn of(member: Member) -> Self {
        Self::Account {
            id: member.id,
            email: Some(member.email),
            name: Some(member.display_name),
            role: Some(member.role.name().into()),
            active: Some(member.active),
        }
    }
}

impl Mirror {
    pub(crate) fn new(database: Database) -> Self {
        Self { database, provisioner: OnceLock::new() }
    }

    /// Asks this provisioner from now on.
    pub(crate) fn asks(&self, provisioner: Provisioner) {
        let _ = self.provisioner.set(provisioner);
    }

    /// Reads who is there, once: events are kept for a subscriber from the organization's first jobs with it on, and what was
    /// before has none.
    async fn catch_up(&self, organization: &OrganizationId) -> Result<(), String> {
        let name = organization.as_str();
        if self.database.is_caught_up(name).map_err(|error| error.to_string())? {
            return Ok(());
        }
        let of = self.provisioner()?.organization(organization);
        let mut effects = Vec::new();
        let mut listing = Listing::default();
        loop {
            let page = of.members(listing.clone()).await.map_err(|error| error.to_string())?;
            effects.extend(page.items.into_iter().map(Effect::of));
            match page.next {
                Some(next) => listing.after = Some(next),
                None => break,
            }
        }
        let mut listing = Listing::default();
        loop {
            let page = of.teams(listing.clone()).await.map_err(|error| error.to_string())?;
            for team in page.items {
                let members = self.members(organization, &team.id).await?;
                effects.push(Effect::Team { id: team.id.clone(), name: team.name });
                effects.push(Effect::AllMembers { team: team.id, members });
            }
            match page.next {
                Some(next) => listing.after = Some(next),
                None => break,
            }
        }
        self.database
            .transaction(|tables| {
                tables.execute("INSERT INTO caught_up (organization) VALUES (?1)", [name])?;
                effects.into_iter().try_for_each(|effect| apply(tables, name, effect))
            })
            .map_err(|error| error.to_string())
    }

    /// What the event does. A large one only names what has changed: then it is asked what is so now, which later events
    /// bring up to date again.
    async fn effect(&self, organization: &OrganizationId, event: EventRecord) -> Result<Effect, String> {
        let data = event.data;
        let (id, name) = (event.subject.id.unwrap_or_default(), event.subject.name);
        let is_short = data.get("changed").is_none();
        Ok(match event.kind.as_str() {
            "member.deleted" => Effect::AccountGone { id },
            kind if kind.starts_with("member.") && is_short => Effect::Account {
                id,
                email: email(&data["after"]),
                name,
                role: data["after"]["role"].as_str().map(str::to_owned),
                active: data["after"]["active"].as_bool(),
            },
            kind if kind.starts_with("member.") => match self.member(organization, &id).await? {
                Some(member) => Effect::of(member),
                // It was deleted since: its event comes.
                None => Effect::None,
            },
            "team.deleted" => Effect::TeamGone { id },
            "team.created" | "team.updated" => Effect::Team { id, name: name.unwrap_or_default() },
            "team.membership-changed" => {
                let (added, removed) = (ids(&data["added"]), ids(&data["removed"]));
                let named = (added.len() + removed.len()) as u64;
                let count = |name: &str| data[name].as_u64().unwrap_or_default();
                if named == count("addedCount") + count("removedCount") {
                    Effect::Members { team: id, added, removed }
                } else {
                    Effect::AllMembers { members: self.members(organization, &id).await?, team: id }
                }
            }
            _ => Effect::None,
        })
    }

    async fn member(&self, organization: &OrganizationId, id: &str) -> Result<Option<Member>, String> {
        match self.provisioner()?.organization(organization).member(id).await {
            Ok(member) => Ok(Some(member)),
            Err(insomnia_scim::ActionError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn members(&self, organization: &OrganizationId, team: &str) -> Result<Vec<String>, String> {
        let organization = self.provisioner()?.organization(organization);
        let (mut members, mut listing) = (Vec::new(), Listing::default());
        loop {
            let page = match organization.team_members(team, listing.clone()).await {
                Ok(page) => page,
                Err(insomnia_scim::ActionError::NotFound(_)) => return Ok(Vec::new()),
                Err(error) => return Err(error.to_string()),
            };
            members.extend(page.items.into_iter().map(|member| member.id));
            match page.next {
                Some(next) => listing.after = Some(next),
                None => return Ok(members),
            }
        }
    }

    fn provisioner(&self) -> Result<&Provisioner, String> {
        self.provisioner.get().ok_or_else(|| "the provisioner is not built yet".into())
    }
}

#[async_trait]
impl EventSubscriber for Mirror {
    async fn take(&self, organization: &OrganizationId, events: &[Event]) -> Result<(), String> {
        self.catch_up(organization).await?;
        for event in events {
            let record = EventRecord::read(event).map_err(|error| error.to_string())?;
            let effect = self.effect(organization, record).await?;
            let name = organization.as_str();
            self.database
                .transaction(
                    |tables| {
                        if is_new(tables, name, &event.position)? { apply(tables, name, effect) } else { Ok(()) }
                    },
                )
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

/// Whether the event was not applied yet; from now on it was. Positions grow from event to event of an organization.
fn is_new(tables: &Transaction<'_>, organization: &str, position: &str) -> rusqlite::Result<bool> {
    let last: Option<String> = tables
        .query_row("SELECT position FROM mirrored WHERE organization = ?1", [organization], |row| row.get(0))
        .optional()?;
    if last.is_some_and(|last| position <= last.as_str()) {
        return Ok(false);
    }
    let note = "INSERT INTO mirrored (organization, position, events) VALUES (?1, ?2, 1)
                ON CONFLICT (organization) DO UPDATE SET position = excluded.position, events = events + 1";
    tables.execute(note, [organization, position])?;
    Ok(true)
}

fn apply(tables: &Transaction<'_>, organization: &str, effect: Effect) -> rusqlite::Result<()> {
    match effect {
        Effect::Account { id, email, name, role, active } => {
            let put = "INSERT INTO accounts (organization, id, email, name, role, active)
                       VALUES (?1, ?2, coalesce(?3, ''), coalesce(?4, ''), coalesce(?5, 'member'), coalesce(?6, 0))
                       ON CONFLICT (organization, id) DO UPDATE SET email = coalesce(?3, email),
                       name = coalesce(?4, name), role = coalesce(?5, role), active = coalesce(?6, active)";
            tables.execute(put, params![organization, id, email, name, role, active])?;
        }
        Effect::AccountGone { id } => {
            tables.execute("DELETE FROM memberships WHERE organization = ?1 AND account = ?2", [organization, &id])?;
            tables.execute("DELETE FROM accounts WHERE organization = ?1 AND id = ?2", [organization, &id])?;
        }
        Effect::Team { id, name } => {
            let put = "INSERT INTO teams (organization, id, name) VALUES (?1, ?2, ?3)
                       ON CONFLICT (organization, id) DO UPDATE SET name = excluded.name";
            tables.execute(put, [organization, &id, &name])?;
        }
        Effect::TeamGone { id } => {
            tables.execute("DELETE FROM memberships WHERE organization = ?1 AND team = ?2", [organization, &id])?;
            tables.execute("DELETE FROM teams WHERE organization = ?1 AND id = ?2", [organization, &id])?;
        }
        Effect::Members { team, added, removed } => {
            for account in removed {
                let delete = "DELETE FROM memberships WHERE organization = ?1 AND team = ?2 AND account = ?3";
                tables.execute(delete, [organization, &team, &account])?;
            }
            add(tables, organization, &team, &added)?;
        }
        Effect::AllMembers { team, members } => {
            tables.execute("DELETE FROM memberships WHERE organization = ?1 AND team = ?2", [organization, &team])?;
            add(tables, organization, &team, &members)?;
        }
        Effect::None => {}
    }
    Ok(())
}

fn add(tables: &Transaction<'_>, organization: &str, team: &str, members: &[String]) -> rusqlite::Result<()> {
    let insert = "INSERT INTO memberships (organization, team, account) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    let mut insert = tables.prepare(insert)?;
    members.iter().try_for_each(|account| insert.execute([organization, team, account]).map(drop))
}

/// The primary email address of a user, or its first one; a member without any is known by its userName.
fn email(user: &Value) -> Option<String> {
    let emails = user["emails"].as_array().map_or(&[][..], Vec::as_slice);
    let primary = emails.iter().find(|email| email["primary"] == true).or(emails.first());
    let address = primary.and_then(|email| email["value"].as_str()).or_else(|| user["userName"].as_str());
    address.map(str::to_owned)
}

fn ids(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
