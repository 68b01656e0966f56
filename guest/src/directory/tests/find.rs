//! The search for members and teams: by parts of names and addresses, by filters, with counts, and page by page in both
//! directions.

use insomnia_scim_contract::{Census, FoundMembers, MemberQuery, Origin, TeamQuery};
use serde_json::{Value, json};

use crate::connector::Window;
use crate::directory::{add_team, census, describe_member, describe_team, find_members, find_teams, list_members};
use crate::testing::organization::TestOrganization;

/// A manual owner and co-owner, and people whom the identity provider sends. Every third one is deactivated.
fn organization(people: usize) -> (TestOrganization, Vec<String>) {
    let organization = TestOrganization::new(10_000, Window::Never).unwrap();
    let create = |number: usize| {
        let emails =
            json!([{"value": format!("u{number}@example.com")}, {"value": format!("Other.{number}@else.example")}]);
        let user = json!({
            "userName": format!("u{number}"), "displayName": format!("Zoë Nº{number}"), "emails": emails,
            "active": !number.is_multiple_of(3),
        });
        organization.scim("POST", "/Users", Some(user)).1["id"].as_str().unwrap().to_owned()
    };
    let ids = (0..people).map(create).collect();
    (organization, ids)
}

fn text(text: &str) -> MemberQuery {
    MemberQuery { text: Some(text.into()), ..MemberQuery::default() }
}

fn names(found: &FoundMembers) -> Vec<String> {
    found.items.iter().map(|member| member.user_name.clone()).collect()
}

#[test]
fn c24_members_are_found_by_what_is_inside_their_names_and_addresses_in_any_case() {
    let (organization, _) = organization(12);
    let store = organization.store();
    let find = |query: &MemberQuery| names(&find_members(&store, query).unwrap());
    assert_eq!(find(&text("ZOË nº11")), ["u11"], "inside the name");
    assert_eq!(find(&text("THER.7@ELSE")), ["u7"], "inside an address that is not the first");
    let mut owners = find(&text("wner@example"));
    owners.sort();
    assert_eq!(owners, ["co-owner@example.com", "owner@example.com"]);
    assert_eq!(find(&text("nobody")), Vec::<String>::new());
    let active = MemberQuery { active: Some(false), ..text("@example.com") };
    assert_eq!(find(&active), ["u0", "u3", "u6", "u9"]);
    let manual = MemberQuery { origin: Some(Origin::Manual), ..MemberQuery::default() };
    assert_eq!(find(&manual).len(), 2);
    let begins = MemberQuery { prefix: Some("U1".into()), active: Some(true), ..MemberQuery::default() };
    assert_eq!(find(&begins), ["u1", "u10", "u11"]);
}

#[test]
fn c24_pages_lead_both_ways_and_hold_the_same_in_either_direction() {
    let (organization, ids) = organization(11);
    let store = organization.store();
    for filtered in [None, Some(true)] {
        let query =
            |cursor: Option<String>| MemberQuery { active: filtered, cursor, limit: 3, ..MemberQuery::default() };
        let (mut pages, mut cursor) = (Vec::new(), None);
        let last = loop {
            let page = find_members(&store, &query(cursor)).unwrap();
            assert_eq!(page.previous.is_some(), !pages.is_empty());
            pages.push(names(&page));
            match page.next.clone() {
                Some(next) => cursor = Some(next),
                None => break page,
            }
        };
        let all = pages.concat();
        assert_eq!(
            all,
            names(&find_members(&store, &MemberQuery { active: filtered, ..MemberQuery::default() }).unwrap())
        );
        let (mut back, mut page) = (vec![names(&last)], last);
        while let Some(previous) = page.previous.clone() {
            let next = page;
            page = find_members(&store, &query(Some(previous))).unwrap();
            let again = find_members(&store, &query(page.next.clone())).unwrap();
            assert_eq!(names(&again), names(&next), "next of previous is where one was");
            back.push(names(&page));
        }
        back.reverse();
        assert_eq!(back, pages);
    }
    // A cursor stays valid when the member that it names is deleted.
    let after = find_members(&store, &MemberQuery { limit: 4, ..MemberQuery::default() }).unwrap().next;
    organization.scim("DELETE", &format!("/Users/{}", ids[1]), None);
    let rest = find_members(&store, &MemberQuery { cursor: after, ..MemberQuery::default() }).unwrap();
    assert_eq!(names(&rest)[0], "u2");
    // The cursor of a listing is accepted too.
    let listing = insomnia_scim_contract::Listing { limit: 2, ..Default::default() };
    let next = list_members(&store, &listing).unwrap().next;
    assert_eq!(names(&find_members(&store, &MemberQuery { cursor: next, ..MemberQuery::default() }).unwrap())[0], "u0");
    for nonsense in ["", "x", "a", "z0190a6f0-0000-7000-8000-000000000001", "é190a6f0-0000-7000-8000-00000000001"] {
        assert!(
            find_members(&store, &MemberQuery { cursor: Some(nonsense.into()), ..text("u") }).is_err(),
            "{nonsense}"
        );
    }
}

#[test]
fn c24_a_search_looks_at_a_bounded_part_and_its_cursor_leads_on() {
    let (organization, _) = organization(1);
    let store = organization.store();
    // More members than one call examines, in their stored form.
    let record = |number: u32| {
        let id = format!("ffffffff-0000-7000-8000-{number:012}");
        let document = json!({"id": id, "userName": format!("many{number}"), "active": false});
        (id, json!({"origin": "scim", "role": "member", "created": 1, "modified": 1, "document": document}))
    };
    for number in 0..10_500 {
        let (id, record) = record(number);
        store.append(crate::store::keys::Kind::User.document(&id), record.to_string().into_bytes()).unwrap();
    }
    let first = find_members(&store, &text("many10499")).unwrap();
    assert!(first.items.is_empty() && first.next.is_some() && first.previous.is_none());
    let second = find_members(&store, &MemberQuery { cursor: first.next, ..text("many10499") }).unwrap();
    assert_eq!(names(&second), ["many10499"]);
    assert!(second.next.is_none() && second.previous.is_some());
    let through_last = Some(format!("t{}", second.items[0].id));
    let back = find_members(&store, &MemberQuery { cursor: through_last, ..text("owner@") }).unwrap();
    assert!(back.items.is_empty() && back.previous.is_some(), "backwards too");
    let begin = find_members(&store, &MemberQuery { cursor: back.previous, ..text("owner@") }).unwrap();
    assert_eq!(begin.items.len(), 2);
}

#[test]
fn c24_teams_are_searched_and_those_of_a_member_and_the_members_of_one_are_listed_the_same_way() {
    let (organization, ids) = organization(5);
    let store = organization.store();
    let members: Vec<Value> = ids.iter().take(3).map(|id| json!({"value": id})).collect();
    let design = json!({"displayName": "Design & Research", "members": members});
    assert_eq!(organization.scim("POST", "/Groups", Some(design)).0, 201);
    add_team(&store, "Founders", &[TestOrganization::OWNER.into()]).unwrap();
    let teams = |query: TeamQuery| -> Vec<String> {
        find_teams(&store, &query)
            .unwrap()
            .items
            .into_iter()
            .map(|team| format!("{} {}", team.name, team.members))
            .collect()
    };
    assert_eq!(teams(TeamQuery { text: Some("& RES".into()), ..TeamQuery::default() }), ["Design & Research 3"]);
    assert_eq!(teams(TeamQuery { origin: Some(Origin::Manual), ..TeamQuery::default() }), ["Founders 1"]);
    assert_eq!(teams(TeamQuery { member: Some("u1".into()), ..TeamQuery::default() }), ["Design & Research 3"]);
    assert_eq!(teams(TeamQuery { member: Some("u4".into()), ..TeamQuery::default() }), Vec::<String>::new());
    let of_team = |query: MemberQuery| {
        names(&find_members(&store, &MemberQuery { team: Some("design & research".into()), ..query }).unwrap())
    };
    assert_eq!(of_team(MemberQuery::default()), ["u0", "u1", "u2"]);
    assert_eq!(of_team(MemberQuery { active: Some(true), ..text("zoë") }), ["u1", "u2"]);
    assert!(find_members(&store, &MemberQuery { team: Some("nowhere".into()), ..MemberQuery::default() }).is_err());
}

#[test]
fn c24_members_and_teams_are_counted_by_state_and_origin() {
    let (organization, ids) = organization(7);
    let store = organization.store();
    add_team(&store, "Founders", &[]).unwrap();
    organization.scim("POST", "/Groups", Some(json!({"displayName": "Design"})));
    let expected = Census {
        active_manual: 2,
        active_scim: 4,
        deactivated_manual: 0,
        deactivated_scim: 3,
        teams_manual: 1,
        teams_scim: 1,
    };
    assert_eq!(census(&store).unwrap(), expected);
    assert_eq!((expected.members(None, None), expected.members(Some(true), Some(Origin::Scim))), (9, 4));
    assert_eq!((expected.members(Some(false), None), expected.members(None, Some(Origin::Manual))), (3, 2));
    assert_eq!((expected.teams(None), expected.teams(Some(Origin::Scim))), (2, 1));
    organization.scim("DELETE", &format!("/Users/{}", ids[0]), None);
    assert_eq!(census(&store).unwrap(), Census { deactivated_scim: 2, ..expected });
}

#[test]
fn c24_a_member_and_a_team_are_described_with_what_is_stored_and_nothing_secret() {
    let (organization, ids) = organization(1);
    let store = organization.store();
    let title =
        json!({"Operations": [{"op": "add", "value": {"title": "Engineer", "password": "a secret of theirs"}}]});
    assert_eq!(organization.scim("PATCH", &format!("/Users/{}", ids[0]), Some(title)).0, 200);
    let described = describe_member(&store, "u0@example.com").unwrap();
    assert_eq!(described.member.id, ids[0]);
    let attributes: Value = serde_json::from_str(&described.attributes).unwrap();
    assert_eq!(
        (&attributes["title"], &attributes["emails"][1]["value"]),
        (&json!("Engineer"), &json!("Other.0@else.example"))
    );
    assert!(!described.attributes.contains("a secret of theirs"));
    add_team(&store, "Founders", &[TestOrganization::OWNER.into()]).unwrap();
    let team = describe_team(&store, "founders").unwrap();
    assert_eq!((team.team.members, team.attributes.contains("Founders")), (1, true));
    assert!(describe_member(&store, "nobody").is_err() && describe_team(&store, "nowhere").is_err());
}
