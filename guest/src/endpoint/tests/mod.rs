//! The endpoints, from a request to its response, with a host in memory.

mod bulk;
mod conditions;
mod head;
mod hidden;
mod lists;
mod matching;
mod members;
mod patches;

use serde_json::{Value, json};

use super::handle;
use crate::capability::Clock;
use crate::connector::{self, Window};
use crate::directory::{self, NewMember};
use crate::protocol::message::{Request, Response};
use crate::store::{Domain, Options, OrganizationRecord, Plan, Role};
use crate::testing::MemoryHost;

struct Connector {
    host: MemoryHost,
    token: String,
}

impl Connector {
    fn new(seats: u32) -> Self {
        Self::with(seats, Options::default())
    }

    fn strict() -> Self {
        Self::with(100, Options { strict: true, ..Options::default() })
    }

    fn with(seats: u32, options: Options) -> Self {
        let host = MemoryHost::at(1_760_000_000_000);
        let organization = OrganizationRecord {
            name: "Example".into(),
            plan: Plan::Enterprise,
            seats,
            domains: vec![Domain { name: "example.com".into(), verified: true }],
            single_sign_on: Some("okta".into()),
            options,
        };
        let store = host.host().store();
        directory::put_organization(&store, &organization).unwrap();
        let owner = NewMember {
            email: "owner@example.com".into(),
            display_name: "Olga Owner".into(),
            role: Role::Owner,
            passphrase: None,
        };
        crate::testing::add_member(&store, &owner).unwrap();
        let token = connector::enable(&store, "owner@example.com", "okta", Window::Year1).unwrap().token;
        Self { host, token }
    }

    fn send(&self, method: &str, target: &str, body: Option<Value>) -> (Response, Value) {
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        self.send_with(method, target, &[], body)
    }

    fn send_with(&self, method: &str, target: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (Response, Value) {
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query.to_owned())));
        let request = Request {
            method: method.into(),
            path: path.into(),
            query,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .chain([("authorization".into(), format!("Bearer {}", self.token))])
                .collect(),
            body,
            base_url: "https://scim.example/scim/v2/org".into(),
            request_id: "r1".into(),
            sender_address: None,
        };
        // Ids are in the order of creation only if they are made in different milliseconds.
        self.host.pause(1);
        let response = handle(self.host.host(), &request);
        let body = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        (response, body)
    }

    fn create(&self, user_name: &str) -> String {
        let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": user_name});
        let (response, body) = self.send("POST", "/Users", Some(user));
        assert_eq!(response.status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    /// A member whom people manage.
    fn add_manual(&self, email: &str) -> String {
        let member = NewMember {
            email: email.into(),
            display_name: "Manual Member".into(),
            role: Role::Member,
            passphrase: None,
        };
        crate::testing::add_member(&self.host.host().store(), &member).unwrap();
        let (_, found) = self.send("GET", &format!("/Users?filter=userName eq \"{email}\""), None);
        found["Resources"][0]["id"].as_str().unwrap().to_owned()
    }

    fn patch(&self, path: &str, operations: Value) -> (Response, Value) {
        self.send("PATCH", path, Some(json!({"schemas": [PATCH_OP], "Operations": operations})))
    }
}

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The ids on a page.
fn ids(page: &Value) -> Vec<String> {
    page["Resources"].as_array().unwrap().iter().map(|resource| resource["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_user_is_created_read_found_changed_and_deleted() {
    let connector = Connector::new(10);
    let id = connector.create("Ada@example.com");
    let (response, user) = connector.send("GET", &format!("/Users/{id}"), None);
    assert_eq!((response.status, user["userName"].as_str()), (200, Some("Ada@example.com")));
    let (_, list) = connector.send("GET", "/Users?filter=userName+eq+%22ada@EXAMPLE.com%22", None);
    assert_eq!(list["totalResults"], 1);
    assert_eq!(list["Resources"][0]["id"], id.as_str());
    let patch = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "Replace", "path": "active", "value": "False"}]});
    let (response, user) = connector.send("PATCH", &format!("/Users/{id}"), Some(patch));
    assert_eq!((response.status, &user["active"]), (200, &json!(false)));
    assert_eq!(connector.send("DELETE", &format!("/Users/{id}"), None).0.status, 204);
    assert_eq!(connector.send("GET", &format!("/Users/{id}"), None).0.status, 404);
    connector.create("ada@example.com");
}

#[test]
fn p4_no_free_seat_is_403_and_changes_nothing() {
    let connector = Connector::new(2);
    connector.create("ada@example.com");
    let (response, error) = connector.send("POST", "/Users", Some(json!({"userName": "bob@example.com"})));
    assert_eq!(response.status, 403);
    assert!(error["detail"].as_str().unwrap().contains("seats"));
    let (_, list) = connector.send("GET", "/Users", None);
    assert_eq!(list["totalResults"], 1);
}

#[test]
fn p3_a_manual_member_is_adopted_and_not_listed_before() {
    let connector = Connector::new(10);
    let (_, list) = connector.send("GET", "/Users", None);
    assert_eq!(list["totalResults"], 0);
    let (_, found) = connector.send("GET", "/Users?filter=emails.value eq \"OWNER@example.com\"", None);
    assert_eq!(found["totalResults"], 1);
    let body = json!({"userName": "owner@example.com", "externalId": "00u1"});
    let (response, adopted) = connector.send(
        "POST",
        "/Users?attributes=urn:insomnia:params:scim:schemas:extension:1.0:User",
        Some(body.clone()),
    );
    assert_eq!(response.status, 201);
    assert_eq!(adopted["id"], found["Resources"][0]["id"]);
    let extension = &adopted["urn:insomnia:params:scim:schemas:extension:1.0:User"];
    assert_eq!((extension["origin"].as_str(), extension["role"].as_str()), (Some("scim"), Some("owner")));
    let (response, error) = connector.send("POST", "/Users", Some(body));
    assert_eq!((response.status, error["scimType"].as_str()), (409, Some("uniqueness")));
}

#[test]
fn p4_the_last_active_owner_can_not_be_deactivated_or_deleted() {
    let connector = Connector::new(10);
    let (_, found) = connector.send("GET", "/Users?filter=userName eq \"owner@example.com\"", None);
    let path = format!("/Users/{}", found["Resources"][0]["id"].as_str().unwrap());
    let patch = json!({"Operations": [{"op": "replace", "value": {"active": false}}]});
    assert_eq!(connector.send("PATCH", &path, Some(patch)).0.status, 403);
    assert_eq!(connector.send("DELETE", &path, None).0.status, 403);
}

#[test]
fn memberships_have_two_ends() {
    let connector = Connector::new(10);
    let (ada, bob) = (connector.create("ada@example.com"), connector.create("bob@example.com"));
    let body = json!({"displayName": "Crew", "members": [{"value": ada}, {"value": bob}]});
    let (response, group) = connector.send("POST", "/Groups", Some(body));
    assert_eq!(response.status, 201);
    assert_eq!(group["members"].as_array().unwrap().len(), 2);
    let path = format!("/Groups/{}", group["id"].as_str().unwrap());
    let (_, user) = connector.send("GET", &format!("/Users/{ada}"), None);
    assert_eq!(user["groups"][0]["display"], "Crew");
    let remove = json!({"Operations": [{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": ada}]}]});
    let (response, group) = connector.send("PATCH", &path, Some(remove));
    assert_eq!((response.status, group["members"][0]["value"].as_str()), (200, Some(bob.as_str())));
    let (_, list) = connector.send("GET", &format!("/Groups?filter=members[value eq \"{bob}\"]"), None);
    assert_eq!(list["totalResults"], 1);
    assert_eq!(connector.send("DELETE", &format!("/Users/{bob}"), None).0.status, 204);
    let (_, group) = connector.send("GET", &path, None);
    assert_eq!(group.get("members"), None);
    assert_eq!(connector.send("DELETE", &path, None).0.status, 204);
    assert!(!connector.host.dump().contains("team-member/"));
    assert!(!connector.host.dump().contains("member-team/"));
}

#[test]
fn no_secret_is_stored() {
    let connector = Connector::new(10);
    let body = json!({"userName": "ada@example.com", "password": "1mz050nq-secret"});
    let (_, user) = connector.send("POST", "/Users", Some(body));
    assert_eq!(user.get("password"), None);
    let dump = connector.host.dump();
    assert!(!dump.contains("1mz050nq-secret"));
    assert!(!dump.contains(&connector.token));
}

#[test]
fn bulk_references_work_in_both_directions() {
    let connector = Connector::new(10);
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"displayName": "Crew", "members": [{"value": "bulkId:u"}]}},
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"userName": "ada@example.com"}},
        {"method": "PATCH", "path": "/Users/bulkId:u", "data": {"Operations": [{"op": "add", "path": "title", "value": "Dr"}]}},
    ]});
    let (response, body) = connector.send("POST", "/Bulk", Some(body));
    assert_eq!(response.status, 200);
    let statuses: Vec<_> =
        body["Operations"].as_array().unwrap().iter().map(|result| result["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["201", "201", "200"], "{body}");
}

#[test]
fn cursor_pages_hold_every_user_once() {
    let connector = Connector::new(100);
    let mut ids: Vec<String> = (0..7).map(|number| connector.create(&format!("u{number}@example.com"))).collect();
    for filter in ["", "&sortBy=userName&sortOrder=descending", "&filter=userName+sw+%22u%22"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let (response, page) = connector.send("GET", &format!("/Users?count=3&cursor={cursor}{filter}"), None);
            assert_eq!((response.status, &page["totalResults"]), (200, &json!(7)), "{page}");
            seen.extend(
                page["Resources"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned()),
            );
            match page["nextCursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        seen.sort();
        ids.sort();
        assert_eq!(seen, ids);
    }
}

#[test]
fn rfc_107_an_extension_can_be_removed_with_what_it_requires_unless_it_is_required_itself() {
    let required = json!({"name": "code", "type": "string", "multiValued": false, "required": true});
    let fixed = json!({"name": "fixed", "type": "string", "multiValued": false, "mutability": "immutable"});
    let declaration = |is_required: bool| {
        json!({
            "schemas": [{"id": "urn:example:Badge", "name": "Badge", "attributes": [required, fixed]}],
            "resourceTypes": [
                {"name": "User", "schemaExtensions": [{"schema": "urn:example:Badge", "required": is_required}]},
            ],
        })
    };
    for strict in [false, true] {
        let connector = Connector::with(10, Options { strict, ..Options::default() });
        let store = connector.host.host().store();
        directory::put_schemas(&store, &declaration(false).to_string()).unwrap();
        let create = |name: &str, badge: Value| {
            let schemas = ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:example:Badge"];
            let user = json!({"schemas": schemas, "userName": name, "urn:example:Badge": badge});
            let (response, user) = connector.send("POST", "/Users", Some(user));
            assert_eq!(response.status, 201, "{user}");
            format!("/Users/{}", user["id"].as_str().unwrap())
        };
        let refused = |path: &str, operation: &Value| {
            let (response, error) = connector.patch(path, json!([operation]));
            assert_eq!((response.status, error["scimType"].as_str()), (400, Some("mutability")), "{error}");
        };
        let whole = json!({"op": "remove", "path": "urn:example:Badge"});
        let path = create("ada@example.com", json!({"code": "1"}));
        refused(&path, &json!({"op": "remove", "path": "urn:example:Badge:code"}));
        let (response, user) = connector.patch(&path, json!([whole]));
        assert_eq!((response.status, user.get("urn:example:Badge")), (200, None), "{user}");
        assert_eq!(user["schemas"], json!(["urn:ietf:params:scim:schemas:core:2.0:User"]));
        refused(&create("bob@example.com", json!({"code": "1", "fixed": "for good"})), &whole);
        let path = create("cleo@example.com", json!({"code": "1"}));
        directory::put_schemas(&store, &declaration(true).to_string()).unwrap();
        refused(&path, &whole);
        directory::put_schemas(&store, &declaration(false).to_string()).unwrap();
    }
}

#[test]
fn declared_resource_types_and_extensions_are_stored_filtered_and_published() {
    let connector = Connector::new(10);
    let attribute = |name: &str| json!({"name": name, "type": "string", "multiValued": false});
    let declaration = json!({
        "schemas": [
            {"id": "urn:example:Device", "name": "Device", "attributes": [attribute("serial"), attribute("model")]},
            {"id": "urn:example:Badge", "name": "Badge", "attributes": [attribute("colour")]},
        ],
        "resourceTypes": [
            {"name": "Device", "endpoint": "/Devices", "schema": "urn:example:Device"},
            {"name": "User", "schemaExtensions": [{"schema": "urn:example:Badge", "required": false}]},
        ],
    });
    let store = connector.host.host().store();
    directory::put_schemas(&store, &declaration.to_string()).unwrap();

    let device = json!({"schemas": ["urn:example:Device"], "serial": "A1", "model": "x"});
    let (response, device) = connector.send("POST", "/Devices", Some(device));
    assert_eq!(response.status, 201, "{device}");
    connector.send("POST", "/Devices", Some(json!({"serial": "B2", "model": "x"})));
    let (_, list) = connector.send("GET", "/Devices?filter=serial eq \"a1\"", None);
    assert_eq!(list["totalResults"], 1, "{list}");
    let (_, list) = connector.send("GET", "/Devices?sortBy=serial&sortOrder=descending&count=1", None);
    assert_eq!((&list["totalResults"], &list["Resources"][0]["serial"]), (&json!(2), &json!("B2")));
    let path = format!("/Devices/{}", device["id"].as_str().unwrap());
    let patch = json!({"Operations": [{"op": "replace", "path": "model", "value": "y"}]});
    assert_eq!(connector.send("PATCH", &path, Some(patch)).1["model"], "y");
    assert_eq!(connector.send("DELETE", &path, None).0.status, 204);
    assert_eq!(connector.send("GET", &path, None).0.status, 404);

    let user = json!({"userName": "ada@example.com", "urn:example:Badge": {"colour": "red"}});
    let (_, user) = connector.send("POST", "/Users", Some(user));
    assert_eq!(user["urn:example:Badge"]["colour"], "red");
    let (_, list) = connector.send("GET", "/Users?filter=urn:example:Badge:colour eq \"red\"", None);
    assert_eq!(list["totalResults"], 1);
    assert_eq!(connector.send("GET", "/Schemas/urn:example:Device", None).0.status, 200);
    assert_eq!(connector.send("GET", "/ResourceTypes/Device", None).0.status, 200);
}
