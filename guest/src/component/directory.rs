//! The export `directory`.

use insomnia_scim_contract::{
    Act, ActionError, Census, Decision, DescribedMember, DescribedTeam, Erasure, FoundMembers, FoundTeams, Guard,
    GuardStatus, HeldPage, ImportOutcome, Licences, Listing, MarkedMembers, Member, MemberPage, MemberQuery, NewMember,
    Options, Organization, OrganizationRecord, Preview, Role, SignedIn, Source, Team, TeamPage, TeamQuery, WithoutSeat,
};

use serde_json::json;

use super::Component;
use super::acts::{self, acting, acting_on};
use super::bindings::exports::insomnia::scim::directory::Guest;
use super::imports::host;
use crate::provisioning::{guard, without_seat};
use crate::store::{EventSubject, Store};
use crate::{directory, jobs};

impl Guest for Component {
    fn put_organization(by: Act, organization: Organization) -> Result<(), ActionError> {
        let options = Options::parse(&organization.options).map_err(ActionError::Invalid)?;
        let before = host().store().organization()?.map(|stored| acts::organization(&stored.record.into()));
        let (subject, after) = (EventSubject::only("organization"), acts::organization(&organization));
        let store = acting_on(&by, "organization.change", subject, before, Some(after));
        Ok(directory::put_organization(&store, &OrganizationRecord::new(organization, options))?)
    }

    fn get_organization() -> Result<Option<Organization>, ActionError> {
        Ok(host().store().organization()?.map(|stored| stored.record.into()))
    }

    fn get_licences() -> Result<Licences, ActionError> {
        Ok(directory::get_licences(&host().store())?)
    }

    fn count_marked() -> Result<MarkedMembers, ActionError> {
        Ok(directory::count_marked(&host().store())?)
    }

    fn add_member(by: Act, member: NewMember) -> Result<Member, ActionError> {
        Ok(directory::add_member(&acting(&by, "member.add"), &by, &member)?)
    }

    fn import_members(by: Act, members: String) -> Result<Vec<ImportOutcome>, ActionError> {
        Ok(directory::import_members(&acting(&by, "member.import"), &members)?)
    }

    fn get_member(member: String) -> Result<Member, ActionError> {
        Ok(directory::get_member(&host().store(), &member)?)
    }

    fn list_members(listing: Listing) -> Result<MemberPage, ActionError> {
        Ok(directory::list_members(&host().store(), &listing)?)
    }

    fn remove_member(by: Act, member: String) -> Result<(), ActionError> {
        let found = directory::get_member(&host().store(), &member).ok();
        let before = found.as_ref().map(|found| json!({"role": found.role, "origin": found.origin}));
        let store = acting_on(&by, "member.remove", acts::member(&member, found.as_ref()), before, None);
        Ok(directory::remove_member(&store, &member)?)
    }

    fn set_role(by: Act, member: String, role: Role) -> Result<Member, ActionError> {
        let found = directory::get_member(&host().store(), &member).ok();
        let (subject, before) = (acts::member(&member, found.as_ref()), found.map(|found| json!({"role": found.role})));
        let store = acting_on(&by, "member.set-role", subject, before, Some(json!({"role": role})));
        Ok(directory::set_role(&store, &member, role)?)
    }

    fn add_team(by: Act, name: String, members: Vec<String>) -> Result<Team, ActionError> {
        let after = json!({"members": members.len()});
        let store = acting_on(&by, "team.add", acts::subject("team", "", &name), None, Some(after));
        Ok(directory::add_team(&store, &name, &members)?)
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

    fn change_team_members(by: Act, team: String, add: Vec<String>, remove: Vec<String>) -> Result<Team, ActionError> {
        let found = directory::get_team(&host().store(), &team).ok();
        let after = json!({"added": add, "removed": remove});
        let store = acting_on(&by, "team.change-members", acts::team(&team, found.as_ref()), None, Some(after));
        Ok(directory::change_team_members(&store, &team, &add, &remove)?)
    }

    fn remove_team(by: Act, team: String) -> Result<(), ActionError> {
        let found = directory::get_team(&host().store(), &team).ok();
        let store = acting_on(&by, "team.remove", acts::team(&team, found.as_ref()), None, None);
        Ok(directory::remove_team(&store, &team)?)
    }

    fn verify_passphrase(source: Source, member: String, passphrase: String) -> Result<Member, ActionError> {
        let store = host().store().for_member_from(&source, "passphrase.verify");
        Ok(directory::verify_passphrase(&store, &member, &passphrase)?)
    }

    fn set_passphrase(by: Act, member: String, passphrase: String) -> Result<(), ActionError> {
        let found = directory::get_member(&host().store(), &member).ok();
        let store = acting_on(&by, "passphrase.set", acts::member(&member, found.as_ref()), None, None);
        Ok(directory::set_passphrase(&store, &by, &member, &passphrase)?)
    }

    fn sign_in(source: Source, member: String, passphrase: String) -> Result<SignedIn, ActionError> {
        let store = host().store().for_member_from(&source, "sign-in");
        signed_in(&store, directory::sign_in(&store, &member, &passphrase)?)
    }

    fn sign_in_where_known(source: Source, member: String, passphrase: String) -> Result<SignedIn, ActionError> {
        let store = host().store().for_member_from(&source, "sign-in");
        signed_in(&store, directory::sign_in_where_known(&store, &member, &passphrase)?)
    }

    fn change_passphrase(source: Source, member: String, current: String, chosen: String) -> Result<(), ActionError> {
        let store = host().store().for_member_from(&source, "passphrase.change");
        directory::change_passphrase(&store, &member, &current, &chosen)?;
        Ok(store.end_act()?)
    }

    fn request_passphrase_reset(_source: Source, member: String, page_url: String) -> Result<(), ActionError> {
        Ok(directory::request_passphrase_reset(&host().store(), &member, &page_url)?)
    }

    fn reset_passphrase(source: Source, token: String, chosen: String) -> Result<Member, ActionError> {
        let store = host().store().for_member_from(&source, "passphrase.reset");
        let member = directory::reset_passphrase(&store, &token, &chosen)?;
        store.note_member(&member.id);
        store.end_act()?;
        Ok(member)
    }

    fn set_guard(by: Act, guard: Option<Guard>) -> Result<(), ActionError> {
        let (before, after) = (acts::guard(host().store().settings()?.guard.as_ref()), acts::guard(guard.as_ref()));
        let store = acting_on(&by, "guard.set", EventSubject::only("guard"), before, after);
        Ok(directory::set_guard(&store, guard)?)
    }

    fn get_guard(after: Option<String>, limit: u32) -> Result<GuardStatus, ActionError> {
        Ok(guard::status(&host().store(), after.as_deref(), limit)?)
    }

    fn decide_held(by: Act, decision: Decision, members: Vec<String>) -> Result<u32, ActionError> {
        let store = acting(&by, "guard.decide");
        let decided = directory::decide_held(&store, by.actor, decision, &members)?;
        // The number is only known at the end, after what may be several commits.
        let after = json!({"decision": decision.to_string(), "members": members, "decided": decided});
        store.note(EventSubject::only("guard"), None, Some(after));
        store.end_act()?;
        Ok(decided)
    }

    fn set_retention(by: Act, days: u32) -> Result<(), ActionError> {
        let before = json!({"days": host().store().settings()?.retention_days()});
        let subject = EventSubject::only("organization");
        let store = acting_on(&by, "retention.set", subject, Some(before), Some(json!({"days": days})));
        Ok(directory::set_retention(&store, days)?)
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

    fn erase_person(by: Act, person: String, known_as: Vec<String>) -> Result<Erasure, ActionError> {
        Ok(jobs::erase_person(&acting(&by, "member.erase"), &person, &known_as)?)
    }

    fn continue_erasure(id: String) -> Result<Erasure, ActionError> {
        Ok(jobs::continue_erasure(&host().store(), &id)?)
    }

    fn end_erasure(id: String) -> Result<(), ActionError> {
        Ok(jobs::end_erasure(&host().store(), &id)?)
    }
}

/// Ends the act of signing in. Members without an administrator's role leave no entry: they change nothing by signing
/// in, and could fill the audit trail by it.
fn signed_in(store: &Store, signed_in: SignedIn) -> Result<SignedIn, ActionError> {
    if signed_in.member.role != Role::Member {
        store.end_act()?;
    }
    Ok(signed_in)
}
