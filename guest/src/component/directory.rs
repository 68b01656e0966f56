//! The export `directory`.

use super::Component;
use super::bindings::exports::insomnia::scim::directory::{
    Decision, Domain, Error, Guard, GuardStatus, Guest, Licences, Listing, Member, MemberPage, NewMember, Options,
    Organization, Origin, Plan, Preview, Role, SignedIn, Team, TeamPage,
};
use super::imports::host;
use crate::provisioning::guard;
use crate::{directory, store};

impl Guest for Component {
    fn put_organization(organization: Organization) -> Result<(), Error> {
        Ok(directory::put_organization(&host().store(), &organization.into())?)
    }

    fn get_organization() -> Result<Option<Organization>, Error> {
        Ok(host().store().organization()?.map(|stored| stored.record.into()))
    }

    fn get_licences() -> Result<Licences, Error> {
        let licences = directory::get_licences(&host().store())?;
        Ok(Licences { seats: licences.seats, manual: licences.manual, scim: licences.scim })
    }

    fn add_member(member: NewMember) -> Result<Member, Error> {
        let NewMember { email, display_name, role, passphrase } = member;
        let new = directory::NewMember { email, display_name, role: role.into(), passphrase };
        Ok(directory::add_member(&host().store(), &new)?.into())
    }

    fn get_member(member: String) -> Result<Member, Error> {
        Ok(directory::get_member(&host().store(), &member)?.into())
    }

    fn list_members(listing: Listing) -> Result<MemberPage, Error> {
        let page = directory::list_members(&host().store(), &listing.into())?;
        Ok(MemberPage { members: page.members.into_iter().map(Into::into).collect(), next: page.next })
    }

    fn remove_member(member: String) -> Result<(), Error> {
        Ok(directory::remove_member(&host().store(), &member)?)
    }

    fn set_role(member: String, role: Role) -> Result<Member, Error> {
        Ok(directory::set_role(&host().store(), &member, role.into())?.into())
    }

    fn add_team(name: String, members: Vec<String>) -> Result<Team, Error> {
        Ok(directory::add_team(&host().store(), &name, &members)?.into())
    }

    fn list_teams(listing: Listing) -> Result<TeamPage, Error> {
        let page = directory::list_teams(&host().store(), &listing.into())?;
        Ok(TeamPage { teams: page.teams.into_iter().map(Into::into).collect(), next: page.next })
    }

    fn verify_passphrase(member: String, passphrase: String) -> Result<Member, Error> {
        Ok(directory::verify_passphrase(&host().store(), &member, &passphrase)?.into())
    }

    fn set_passphrase(member: String, passphrase: String) -> Result<(), Error> {
        Ok(directory::set_passphrase(&host().store(), &member, &passphrase)?)
    }

    fn sign_in(member: String, passphrase: String) -> Result<SignedIn, Error> {
        let signed_in = directory::sign_in(&host().store(), &member, &passphrase)?;
        Ok(SignedIn { member: signed_in.member.into(), must_change: signed_in.must_change })
    }

    fn change_passphrase(member: String, current: String, chosen: String) -> Result<(), Error> {
        Ok(directory::change_passphrase(&host().store(), &member, &current, &chosen)?)
    }

    fn request_passphrase_reset(member: String, page_url: String) -> Result<(), Error> {
        Ok(directory::request_passphrase_reset(&host().store(), &member, &page_url)?)
    }

    fn reset_passphrase(token: String, chosen: String) -> Result<Member, Error> {
        Ok(directory::reset_passphrase(&host().store(), &token, &chosen)?.into())
    }

    fn set_page_url(url: String) -> Result<(), Error> {
        Ok(directory::set_page_url(&host().store(), &url)?)
    }

    fn set_guard(guard: Option<Guard>) -> Result<(), Error> {
        Ok(directory::set_guard(&host().store(), guard)?)
    }

    fn set_retention(days: u32) -> Result<(), Error> {
        Ok(directory::set_retention(&host().store(), days)?)
    }

    fn get_retention() -> Result<u32, Error> {
        Ok(host().store().settings()?.retention_days())
    }

    fn get_guard(after: Option<String>, limit: u32) -> Result<GuardStatus, Error> {
        Ok(guard::status(&host().store(), after.as_deref(), limit)?)
    }

    fn decide_held(actor: String, decision: Decision, members: Vec<String>) -> Result<u32, Error> {
        Ok(directory::decide_held(&host().store(), &actor, decision, &members)?)
    }

    fn preview_users(users: Vec<u8>) -> Result<Preview, Error> {
        Ok(directory::preview(&host().store(), &users)?.into())
    }
}

impl From<Organization> for store::OrganizationRecord {
    fn from(organization: Organization) -> Self {
        let domain = |domain: Domain| store::Domain { name: domain.name, verified: domain.verified };
        let plan = match organization.plan {
            Plan::Free => store::Plan::Free,
            Plan::Team => store::Plan::Team,
            Plan::Enterprise => store::Plan::Enterprise,
        };
        Self {
            name: organization.name,
            plan,
            seats: organization.seats,
            domains: organization.domains.into_iter().map(domain).collect(),
            single_sign_on: organization.single_sign_on,
            options: organization.options.into(),
        }
    }
}

impl From<store::OrganizationRecord> for Organization {
    fn from(record: store::OrganizationRecord) -> Self {
        let domain = |domain: store::Domain| Domain { name: domain.name, verified: domain.verified };
        let plan = match record.plan {
            store::Plan::Free => Plan::Free,
            store::Plan::Team => Plan::Team,
            store::Plan::Enterprise => Plan::Enterprise,
        };
        Self {
            name: record.name,
            plan,
            seats: record.seats,
            domains: record.domains.into_iter().map(domain).collect(),
            single_sign_on: record.single_sign_on,
            options: record.options.into(),
        }
    }
}

impl From<Options> for store::Options {
    fn from(options: Options) -> Self {
        Self {
            list_manual: options.list_manual,
            verified_domains_only: options.verified_domains_only,
            allow_overage: options.allow_overage,
            passphrase_emails: options.passphrase_emails,
            strict: options.strict,
            skip_unknown_members: options.skip_unknown_members,
            reactivate_on_post: options.reactivate_on_post,
            bare_token: options.bare_token,
            basic_authentication: options.basic_authentication,
            discovery_aliases: options.discovery_aliases,
            group_patch_no_content: options.group_patch_no_content,
        }
    }
}

impl From<store::Options> for Options {
    fn from(options: store::Options) -> Self {
        Self {
            list_manual: options.list_manual,
            verified_domains_only: options.verified_domains_only,
            allow_overage: options.allow_overage,
            passphrase_emails: options.passphrase_emails,
            strict: options.strict,
            skip_unknown_members: options.skip_unknown_members,
            reactivate_on_post: options.reactivate_on_post,
            bare_token: options.bare_token,
            basic_authentication: options.basic_authentication,
            discovery_aliases: options.discovery_aliases,
            group_patch_no_content: options.group_patch_no_content,
        }
    }
}

impl From<directory::Member> for Member {
    fn from(member: directory::Member) -> Self {
        Self {
            id: member.id,
            email: member.email,
            user_name: member.user_name,
            display_name: member.display_name,
            role: member.role.into(),
            origin: member.origin.into(),
            active: member.active,
            created: member.created,
            last_modified: member.last_modified,
        }
    }
}

impl From<directory::Team> for Team {
    fn from(team: directory::Team) -> Self {
        Self {
            id: team.id,
            name: team.name,
            origin: team.origin.into(),
            members: team.members,
            created: team.created,
            last_modified: team.last_modified,
        }
    }
}

impl From<Listing> for directory::Listing {
    fn from(listing: Listing) -> Self {
        Self { prefix: listing.prefix, after: listing.after, limit: listing.limit }
    }
}

impl From<Role> for store::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::CoOwner => Self::CoOwner,
            Role::Member => Self::Member,
        }
    }
}

impl From<store::Role> for Role {
    fn from(role: store::Role) -> Self {
        match role {
            store::Role::Owner => Self::Owner,
            store::Role::CoOwner => Self::CoOwner,
            store::Role::Member => Self::Member,
        }
    }
}

impl From<store::Origin> for Origin {
    fn from(origin: store::Origin) -> Self {
        match origin {
            store::Origin::Manual => Self::Manual,
            store::Origin::Scim => Self::Scim,
        }
    }
}
