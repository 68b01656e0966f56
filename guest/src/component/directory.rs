//! The export `directory`.

use insomnia_scim_contract::{
    Act, ActionError, Census, Decision, DescribedMember, DescribedTeam, FoundMembers, FoundTeams, Guard, GuardStatus,
    HeldPage, Licences, Listing, Member, MemberPage, MemberQuery, NewMember, Options, Organization, OrganizationRecord,
    Preview, Role, SignedIn, Source, Team, TeamPage, TeamQuery, WithoutSeat,
};

use super::Component;
use super::bindings::exports::insomnia::scim::directory::Guest;
use super::imports::host;
use crate::directory;
use crate::provisioning::{guard, without_seat};

impl Guest for Component {
    fn put_organization(_by: Act, organization: Organization) -> Result<(), ActionError> {
        let options = Options::parse(&organization.options).map_err(ActionError::Invalid)?;
        Ok(directory::put_organization(&host().store(), &OrganizationRecord::new(organization, options))?)
    }

    fn get_organization() -> Result<Option<Organization>, ActionError> {
        Ok(host().store().organization()?.map(|stored| stored.record.into()))
    }

    fn get_licences() -> Result<Licences, ActionError> {
        Ok(directory::get_licences(&host().store())?)
    }

    fn add_member(_by: Act, member: NewMember) -> Result<Member, ActionError> {
        Ok(directory::add_member(&host().store(), &member)?)
    }

    fn get_member(member: String) -> Result<Member, ActionError> {
        Ok(directory::get_member(&host().store(), &member)?)
    }

    fn list_members(listing: Listing) -> Result<MemberPage, ActionError> {
        Ok(directory::list_members(&host().store(), &listing)?)
    }

    fn remove_member(_by: Act, member: String) -> Result<(), ActionError> {
        Ok(directory::remove_member(&host().store(), &member)?)
    }

    fn set_role(_by: Act, member: String, role: Role) -> Result<Member, ActionError> {
        Ok(directory::set_role(&host().store(), &member, role)?)
    }

    fn add_team(_by: Act, name: String, members: Vec<String>) -> Result<Team, ActionError> {
        Ok(directory::add_team(&host().store(), &name, &members)?)
    }

    fn list_teams(listing: Listing) -> Result<TeamPage, ActionError> {
        Ok(directory::list_teams(&host().store(), &listing)?)
    }

    fn get_team(team: String) -> Result<Team, ActionError> {
        Ok(directory::get_team(&host().store(), &team)?)
    }

    fn list_team_members(team: String, listing: Listing) -> Result<MemberPage, ActionError> {
        Ok(directory::list_team_members(&host().store(), &team, &listing)?)
    }

    fn change_team_members(_by: Act, team: String, add: Vec<String>, remove: Vec<String>) -> Result<Team, ActionError> {
        Ok(directory::change_team_members(&host().store(), &team, &add, &remove)?)
    }

    fn remove_team(_by: Act, team: String) -> Result<(), ActionError> {
        Ok(directory::remove_team(&host().store(), &team)?)
    }

    fn verify_passphrase(_source: Source, member: String, passphrase: String) -> Result<Member, ActionError> {
        Ok(directory::verify_passphrase(&host().store(), &member, &passphrase)?)
    }

    fn set_passphrase(_by: Act, member: String, passphrase: String) -> Result<(), ActionError> {
        Ok(directory::set_passphrase(&host().store(), &member, &passphrase)?)
    }

    fn sign_in(_source: Source, member: String, passphrase: String) -> Result<SignedIn, ActionError> {
        Ok(directory::sign_in(&host().store(), &member, &passphrase)?)
    }

    fn sign_in_where_known(_source: Source, member: String, passphrase: String) -> Result<SignedIn, ActionError> {
        Ok(directory::sign_in_where_known(&host().store(), &member, &passphrase)?)
    }

    fn change_passphrase(_source: Source, member: String, current: String, chosen: String) -> Result<(), ActionError> {
        Ok(directory::change_passphrase(&host().store(), &member, &current, &chosen)?)
    }

    fn request_passphrase_reset(_source: Source, member: String, page_url: String) -> Result<(), ActionError> {
        Ok(directory::request_passphrase_reset(&host().store(), &member, &page_url)?)
    }

    fn reset_passphrase(_source: Source, token: String, chosen: String) -> Result<Member, ActionError> {
        Ok(directory::reset_passphrase(&host().store(), &token, &chosen)?)
    }

    fn set_guard(_by: Act, guard: Option<Guard>) -> Result<(), ActionError> {
        Ok(directory::set_guard(&host().store(), guard)?)
    }

    fn get_guard(after: Option<String>, limit: u32) -> Result<GuardStatus, ActionError> {
        Ok(guard::status(&host().store(), after.as_deref(), limit)?)
    }

    fn decide_held(by: Act, decision: Decision, members: Vec<String>) -> Result<u32, ActionError> {
        Ok(directory::decide_held(&host().store(), by.actor, decision, &members)?)
    }

    fn set_retention(_by: Act, days: u32) -> Result<(), ActionError> {
        Ok(directory::set_retention(&host().store(), days)?)
    }

    fn get_retention() -> Result<u32, ActionError> {
        Ok(host().store().settings()?.retention_days())
    }

    fn preview_users(users: String) -> Result<Preview, ActionError> {
        Ok(directory::preview(&host().store(), &users)?)
    }

    fn find_members(query: MemberQuery) -> Result<FoundMembers, ActionError> {
        Ok(directory::find_members(&host().store(), &query)?)
    }

    fn find_teams(query: TeamQuery) -> Result<FoundTeams, ActionError> {
        Ok(directory::find_teams(&host().store(), &query)?)
    }

    fn describe_member(member: String) -> Result<DescribedMember, ActionError> {
        Ok(directory::describe_member(&host().store(), &member)?)
    }

    fn describe_team(team: String) -> Result<DescribedTeam, ActionError> {
        Ok(directory::describe_team(&host().store(), &team)?)
    }

    fn get_census() -> Result<Census, ActionError> {
        Ok(directory::census(&host().store())?)
    }

    fn list_without_seat() -> Result<WithoutSeat, ActionError> {
        Ok(without_seat::list(&host().store())?)
    }

    fn list_held(after: Option<String>, limit: u32) -> Result<HeldPage, ActionError> {
        Ok(guard::held(&host().store(), after.as_deref(), limit)?)
    }
}
