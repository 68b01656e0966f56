//! Keeps accounts and teams as the identity provider wants them.
//!
//! Events come in the order of their commits and at least once. Each event is applied in one transaction together with its
//! position. If it comes again after a crash, its position is known and it is ignored, so each event takes effect exactly
//! once. The members from before the first event are read once, before that event is applied. Later changes come as events.

use std::sync::OnceLock;

use async_trait::async_trait;
use insomnia_scim::directory::{Listing, Member};
use insomnia_scim::event::{Event, EventRecord, EventSubscriber};
use insomnia_scim::{OrganizationId, Provisioner};
use rusqlite::{Transaction, params};
use serde_json::Value;

use crate::database::Database;

pub(crate) struct Mirror {
    database: Database,
    /// The provisioner, which is asked for the state of a member and for the members of a large team. It is set once the
    /// provisioner is built.
    provisioner: OnceLock<Provisioner>,
}

/// The effect of an event on the tables.
enum Effect {
    /// An account has these properties from now on.
    Account {
        id: String,
        email: String,
        name: String,
        role: String,
        active: bool,
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
    /// All members of a team.
    AllMembers {
        team: String,
        members: Vec<String>,
    },
    /// The tables do not change.
    None,
}

impl Effect {
    fn of(member: Member) -> Self {
        Self::Account {
            id: member.id,
            email: member.email,
            name: member.display_name,
            role: member.role.name().into(),
            active: member.active,
        }
    }
}

impl Mirror {
    pub(crate) fn new(database: Database) -> Self {
        Self { database, provisioner: OnceLock::new() }
    }

    /// Uses this provisioner from now on.
    pub(crate) fn asks(&self, provisioner: Provisioner) {
        let _ = self.provisioner.set(provisioner);
    }

    /// Reads all members once. Events are kept for a subscriber from the first time that the organization's jobs run with one;
    /// there are none for earlier changes.
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

    /// The effect of the event. The event of a member names the attributes that have changed, but only the provisioner knows
    /// which of several addresses is the member's. So the provisioner is asked for the present state of the member, which
    /// later events update again. It is also asked for the members of a team, because an event names only the first thousand.
    async fn effect(&self, organization: &OrganizationId, event: EventRecord) -> Result<Effect, String> {
        let data = event.data;
        let (id, name) = (event.subject.id.unwrap_or_default(), event.subject.name);
        Ok(match event.kind.as_str() {
            "member.deleted" => Effect::AccountGone { id },
            kind if kind.starts_with("member.") => match self.member(organization, &id).await? {
                Some(member) => Effect::of(member),
                // It has been deleted since; the event of the deletion will come.
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

/// Whether the event has not been applied yet; it counts as applied from now on. Each position is noted by itself, because
/// events come in the order of their commits, which is not always that of their positions. An event that comes again comes
/// soon, so a note can be removed after a week.
fn is_new(tables: &Transaction<'_>, organization: &str, position: &str) -> rusqlite::Result<bool> {
    const WEEK: &str = "DELETE FROM applied_events WHERE applied < unixepoch() - 7 * 86400";
    tables.execute(WEEK, [])?;
    let note = "INSERT INTO applied_events (organization, position, applied) VALUES (?1, ?2, unixepoch()) ON CONFLICT DO NOTHING";
    Ok(tables.execute(note, [organization, position])? == 1)
}

fn apply(tables: &Transaction<'_>, organization: &str, effect: Effect) -> rusqlite::Result<()> {
    match effect {
        Effect::Account { id, email, name, role, active } => {
            let put =
                "INSERT INTO accounts (organization, id, email, name, role, active) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                       ON CONFLICT (organization, id) DO UPDATE SET email = excluded.email, name = excluded.name,
                       role = excluded.role, active = excluded.active";
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

fn ids(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
