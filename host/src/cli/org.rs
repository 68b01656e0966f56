//! `org`: creates, shows, changes, exports and deletes organizations.

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use insomnia_scim_contract::{Act, Actor, Face, Source};
use serde_json::{Value, json};

use super::arguments::WrongArguments;
use super::arguments::one_of;
use super::component::Chosen;
use super::config::Settings;
use super::org_set::{Pinned, Wanted, set_many};
use super::{host, output, pages, passphrase};
use crate::capability::storage::OrganizationId;
use crate::connector::TokenStatus;
use crate::directory::{Domain, Options, OrganizationRecord, Plan};
use crate::fleet::{FleetCondition, FleetFilter};
use crate::organization::archive::OrganizationExport;
use crate::organization::{NewOrganization, OptionChanges, Organization, OrganizationChange, Owner};
use crate::quota::{InvalidQuota, Quota, Quotas};

/// Commands about organizations.
#[derive(Subcommand)]
pub(super) enum Org {
    /// Create an organization, and its owner if --owner is given. If anything is refused, nothing is created.
    Create {
        /// The name of the organization, for people.
        name: String,
        /// The id of the organization, which stands in URLs: a-z, 0-9 and hyphens. [default: made from the name]
        #[arg(long)]
        id: Option<String>,
        /// Email address of the owner. The command generates a passphrase and prints it once; the owner must change it
        /// at the first sign-in.
        #[arg(long, value_name = "EMAIL")]
        owner: Option<String>,
        #[command(flatten)]
        facts: Facts,
    },
    /// Show an organization, its licences and its connector.
    Show {
        /// The id of the organization.
        organization: String,
    },
    /// List all organizations.
    List {
        /// Show also the state of each organization: seats, token, last request, and problems that need a person.
        #[arg(long)]
        standing: bool,
        /// Only organizations whose token has this status. Implies --standing.
        #[arg(long, value_name = "STATUS", value_parser = one_of::<TokenStatus>(TokenStatus::NAMES))]
        token: Option<TokenStatus>,
        /// Only organizations with a problem that needs a person. Implies --standing.
        #[arg(long)]
        trouble: bool,
        /// Only organizations that meet this condition; `org set --help` lists the conditions. May be given more than
        /// once. Implies --standing.
        #[arg(long = "where", value_name = "CONDITION", id = "where")]
        conditions: Vec<FleetCondition>,
    },
    /// Change settings of an organization, or of all organizations that meet conditions. Settings that are not named
    /// stay as they are.
    Set {
        /// The id of the organization.
        #[arg(required_unless_present = "where", conflicts_with = "where")]
        organization: Option<String>,
        /// Change all organizations that meet this condition. May be given more than once; then all conditions must be
        /// met. Conditions: plan=PLAN, token=STATUS (valid, expiring-soon, expired, disabled), trouble=any,
        /// trouble=none, trouble=CAUSE (such as seats-full), id=PATTERN, where * stands for any text (`id=acme-*`;
        /// `id=*` is every organization). Without --apply the command only shows what it would change.
        #[arg(long = "where", value_name = "CONDITION", id = "where", conflicts_with_all = ["name", "domain"])]
        conditions: Vec<FleetCondition>,
        /// With --where: make the change, instead of showing it.
        #[arg(long, requires = "where")]
        apply: bool,
        /// The name of the organization, for people.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        facts: Facts,
        /// Turn an option on or off, as `list-manual=true`; may be given more than once. Options: list-manual (lists
        /// hold manual members and teams too), verified-domains-only (refuse users of other domains), email-required
        /// (refuse users without an address), allow-overage (seats may be exceeded), passphrase-emails (mail new
        /// members their passphrase), strict (the RFC to the letter), refuse-unknown-members (one unknown member
        /// refuses a change of a team), reactivate-on-post (a POST of a deactivated user activates it again),
        /// bare-token (a token without Bearer), basic-authentication (the token as a Basic password), discovery-aliases
        /// (/ServiceProviderConfigs and /serviceConfiguration are served too), group-patch-no-content (204 to a PATCH
        /// of a group unless a member was left out).
        #[arg(long = "option", value_name = "OPTION=BOOL", id = "option", value_parser = option_change)]
        options: Vec<(String, bool)>,
        /// For how many days the SCIM log, events and parked emails are kept: 1 to 3650. [default when created: 90]
        #[arg(long, value_name = "DAYS")]
        retention: Option<u32>,
        /// A quota of the organization, as `emails-per-day=1000` or `emails-per-day=default`. May be given more than
        /// once. Quotas: requests-per-second (at least 25), requests-at-once, computing-seconds-per-minute,
        /// written-bytes-per-day, storage-bytes, storage-keys, http-requests-per-hour, emails-per-day.
        #[arg(long = "quota", value_name = "QUOTA=NUMBER", id = "quota", value_parser = parse_quota)]
        quotas: Vec<(Quota, Option<u64>)>,
        /// Pin the organization to a build of the component: a file, `default` for the server's own build, or `former`
        /// for the build that the organization ran before. Running servers follow within two seconds; calls that have
        /// begun end with the component that they began with.
        #[arg(
            long = "component",
            value_name = "FILE",
            id = "pinned",
            value_parser = |text: &str| Chosen::parse(text).map_err(|error| error.to_string())
        )]
        pinned: Option<Chosen>,
    },
    /// Write an organization to standard output as JSON Lines: members with all attributes, teams, memberships, log,
    /// events, asynchronous requests and audit trail. Each line is an object with a `kind` and a `value`. The last line
    /// has the kind `end` and says how many came before it.
    Export {
        /// The id of the organization.
        organization: String,
    },
    /// Delete an organization with all its members, teams and logs. This can't be undone.
    Delete {
        /// The id of the organization.
        organization: String,
        /// The id of the organization once more, to confirm.
        #[arg(long, value_name = "ID")]
        yes_delete: String,
    },
}

/// What the backend knows about an organization.
#[derive(Args)]
pub(super) struct Facts {
    /// The plan that the organization pays for. [default when created: enterprise]
    #[arg(long, value_parser = one_of::<Plan>(Plan::NAMES))]
    plan: Option<Plan>,
    /// The number of active members that the plan allows. [default when created: 100]
    #[arg(long)]
    seats: Option<u32>,
    /// A verified domain. May be given more than once. The domains given replace the present ones.
    #[arg(long = "domain", value_name = "DOMAIN", id = "domain")]
    domains: Vec<String>,
    /// The organization's single sign-on provider; an empty name means none.
    #[arg(long, value_name = "PROVIDER")]
    sso: Option<String>,
}

impl Facts {
    /// The change of the organization's record that these flags ask for.
    fn change(self) -> OrganizationChange {
        let domains = self.domains.into_iter().map(|name| Domain { name, verified: true });
        OrganizationChange {
            plan: self.plan,
            seats: self.seats,
            domains: Some(domains.collect()).filter(|domains: &Vec<Domain>| !domains.is_empty()),
            single_sign_on: self.sso.map(|provider| Some(provider).filter(|provider| !provider.is_empty())),
            ..OrganizationChange::default()
        }
    }
}

impl Org {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let provisioner = match &self {
            Self::Create { .. } => host::open_or_begin(settings).await?,
            _ => host::open(settings).await?,
        };
        match self {
            Self::Create { name, id, owner, facts } => {
                let id = match id {
                    Some(id) => OrganizationId::parse(&id).context("--id can't be used")?,
                    None => {
                        OrganizationId::parse(&slug(&name)).context("no id can be made from this name; set --id ID")?
                    }
                };
                let facts = facts.change();
                let record = OrganizationRecord {
                    name,
                    plan: facts.plan.unwrap_or(Plan::Enterprise),
                    seats: facts.seats.unwrap_or(100),
                    domains: facts.domains.unwrap_or_default(),
                    single_sign_on: facts.single_sign_on.flatten(),
                    options: Options::default(),
                };
                let passphrase = owner.is_some().then(passphrase::generate).transpose()?;
                let owner = owner.map(|email| Owner { email, display_name: None, passphrase: passphrase.clone() });
                let by = Act { actor: Actor::Operator, source: Source::new(Face::CommandLine) };
                let new = NewOrganization { owner, by, ..NewOrganization::new(id, record) };
                let created = provisioner.create_organization(new).await?;
                let organization = created.organization;
                let mut made = json!({"id": organization.id().as_str(), "connector_url": organization.connector_url()});
                if let Some(owner) = created.owner {
                    made["owner"] = json!({"id": owner.id, "email": owner.email, "passphrase": passphrase});
                }
                output::object(settings.json, &made);
            }
            Self::Show { organization } => {
                let organization = host::organization(&provisioner, &organization).await?;
                let mut description = describe(&organization).await?;
                let asked = description.ask(&organization).await;
                // The description is printed even if the component does not answer: then the operator wants to know
                // which component it is.
                output::object(settings.json, &description.0);
                asked?;
            }
            Self::List { standing, token, trouble, conditions }
                if standing || trouble || token.is_some() || !conditions.is_empty() =>
            {
                let filter = FleetFilter { token, in_trouble: trouble.then_some(true), conditions };
                let mut listed = Vec::new();
                let mut after: Option<OrganizationId> = None;
                loop {
                    let page = provisioner.fleet(after.as_ref(), 100).await?;
                    let Some(last) = page.last() else { break };
                    after = Some(OrganizationId::parse(&last.id)?);
                    let through = page.iter().filter(|standing| filter.lets_through(standing));
                    listed.extend(through.map(serde_json::to_value).collect::<Result<Vec<_>, _>>()?);
                }
                let columns = ["id", "plan", "seats", "taken", "token", "token_expires", "last_request", "troubles"];
                output::table(settings.json, &listed, &columns);
            }
            Self::List { .. } => {
                let mut listed = Vec::new();
                let mut after: Option<OrganizationId> = None;
                loop {
                    let page = provisioner.organizations(after.as_ref(), 500).await?;
                    let Some(last) = page.last() else { break };
                    after = Some(last.id.clone());
                    for registered in page {
                        listed.push(serde_json::to_value(registered)?);
                    }
                }
                output::table(settings.json, &listed, &["id", "created"]);
            }
            Self::Set { organization, conditions, apply, name, facts, options, retention, quotas, pinned } => {
                let mut changes = OptionChanges::default();
                for (name, on) in &options {
                    changes.set(name, *on)?;
                }
                let change = OrganizationChange { name, options: changes, ..facts.change() };
                let seats = change.seats;
                let organization = match organization {
                    Some(organization) => Some(host::organization(&provisioner, &organization).await?),
                    None => None,
                };
                if organization.is_none() && matches!(pinned, Some(Chosen::Former)) {
                    // The former component is another one in each organization, and the same command given twice would
                    // lead back to the present one.
                    return Err(WrongArguments(anyhow::anyhow!(
                        "`--component former` is for one organization, not for --where"
                    ))
                    .into());
                }
                let component = match pinned {
                    Some(chosen) => Some(Pinned::of(&provisioner, chosen).await?),
                    None => None,
                };
                let wanted = Wanted { change, quotas, retention, component };
                match organization {
                    Some(organization) => {
                        wanted.set(&organization).await?;
                        let mut description = describe(&organization).await?;
                        if let Err(error) = description.ask(&organization).await {
                            // The setting was changed even if the component does not answer, so this is only a warning.
                            output::complain(&format!(
                                "warning: the change was made, but the component of {0} does not answer: {error:#}; if \
                                 it was just pinned, `org set {0} --component former` returns to the one before\n",
                                organization.id()
                            ));
                        }
                        output::object(settings.json, &description.0);
                        if let Some(seats) = seats {
                            warn_of_seats(&organization, seats).await?;
                        }
                    }
                    None => {
                        let filter = FleetFilter { conditions, ..FleetFilter::default() };
                        set_many(&provisioner, settings, filter, &wanted, apply).await?;
                    }
                }
            }
            Self::Export { organization } => {
                let organization = host::organization(&provisioner, &organization).await?;
                pages::write(OrganizationExport::new(organization)).await?;
            }
            Self::Delete { organization, yes_delete } => {
                if organization != yes_delete {
                    let error = anyhow!("--yes-delete names {yes_delete:?}, not {organization:?}; nothing was deleted");
                    return Err(WrongArguments(error).into());
                }
                // The organization is not looked up, so that a deletion that was broken off is continued.
                let id = OrganizationId::parse(&organization)?;
                provisioner.delete_organization_from(&id, Source::new(Face::CommandLine)).await?;
                output::object(settings.json, &json!({"deleted": id.as_str()}));
            }
        }
        provisioner.flush().await?;
        Ok(())
    }
}

/// What is printed about an organization.
struct Description(Value);

/// The part of the description that needs no call of the organization's component.
async fn describe(organization: &Organization) -> anyhow::Result<Description> {
    Ok(Description(json!({
        "id": organization.id().as_str(),
        "connector_url": organization.connector_url(),
        "quotas": quotas(organization).await?,
        "component": organization.component().await?,
        "pinned": organization.pin().await?.component,
    })))
}

impl Description {
    /// Adds the part that the component answers.
    async fn ask(&mut self, organization: &Organization) -> anyhow::Result<()> {
        self.0["organization"] = json!(organization.get().await?);
        self.0["retention_days"] = json!(organization.retention().await?);
        self.0["licences"] = json!(organization.licences().await?);
        self.0["marked_members"] = json!(organization.marked_members().await?);
        self.0["connector"] = json!(organization.status().await?);
        Ok(())
    }
}

async fn quotas(organization: &Organization) -> anyhow::Result<Value> {
    let limits = organization.quotas().await?;
    Ok(Quota::ALL.into_iter().map(|quota| (quota.name().to_owned(), Value::from(limits.limit(quota)))).collect())
}

/// Prints a warning if there are fewer seats than members who take one.
async fn warn_of_seats(organization: &Organization, seats: u32) -> anyhow::Result<()> {
    let licences = organization.licences().await?;
    let taken = licences.manual.saturating_add(licences.scim);
    if taken > u64::from(seats) {
        output::complain(&format!(
            "warning: {taken} seats are taken, and there are {seats} now; nobody loses access, but no member is added \
             or activated until enough are free\n"
        ));
    }
    Ok(())
}

/// A quota and its limit; `None` for the default one.
///
/// # Errors
/// The error says in words what is expected.
fn parse_quota(text: &str) -> Result<(Quota, Option<u64>), String> {
    let (name, limit) = text.split_once('=').ok_or("a quota is set as QUOTA=NUMBER or QUOTA=default")?;
    let quota: Quota = name.parse().map_err(|error: InvalidQuota| error.to_string())?;
    if limit == "default" {
        return Ok((quota, None));
    }
    let limit = limit.parse().map_err(|_| format!("{name} can be a whole number or `default`, not {limit:?}"))?;
    // A limit that is too low would be refused when it is set. It is refused here already.
    Quotas::default().with(quota, limit).map_err(|error| error.to_string())?;
    Ok((quota, Some(limit)))
}

/// An id that is made from a name: the name in lower case, with a hyphen for characters that can't stand in an id.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars().flat_map(char::to_lowercase) {
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// An option as it is given: `list-manual=true`.
///
/// # Errors
/// The error says in words what is expected.
fn option_change(text: &str) -> Result<(String, bool), String> {
    let (name, on) = text.split_once('=').ok_or("an option is set as OPTION=true or OPTION=false")?;
    let on = on.parse().map_err(|_| format!("{name} can be true or false, not {on:?}"))?;
    OptionChanges::default().set(name, on).map_err(|error| error.to_string())?;
    Ok((name.to_owned(), on))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_an_organization_id_wherever_the_name_allows_one() {
        for (name, expected) in
            [("Acme, Inc.", "acme-inc"), ("  Ünïcode  42", "n-code-42"), ("a--b", "a-b"), ("日本", "")]
        {
            assert_eq!(slug(name), expected);
        }
    }

    #[test]
    fn a_quota_is_set_by_name_and_what_is_none_is_refused() {
        assert_eq!(parse_quota("emails-per-day=7").unwrap(), (Quota::EmailsPerDay, Some(7)));
        assert_eq!(parse_quota("emails-per-day=default").unwrap(), (Quota::EmailsPerDay, None));
        for text in ["emails-per-day", "emails-per-day=", "emails-per-day=x", "emails=7", "requests-per-second=24"] {
            assert!(parse_quota(text).is_err(), "{text}");
        }
    }

    #[test]
    fn options_are_given_by_name_and_as_true_or_false() {
        assert_eq!(option_change("passphrase-emails=false"), Ok(("passphrase-emails".to_owned(), false)));
        for change in ["stric=true", "strict", "strict=yes"] {
            assert!(option_change(change).is_err(), "{change}");
        }
        let said = option_change("foo=true").unwrap_err();
        assert!(said.starts_with("there is no option \"foo\"; there are ") && said.contains("list-manual"), "{said}");
    }
}
