//! The log names every tolerance rule that changed how a request was read. The bodies are those that identity providers
//! really send. For a request that follows the RFCs the log names no rule.

use serde_json::{Value, json};

use super::{because, logged, request, tolerances};
use crate::connector::Window;
use crate::testing::organization::TestOrganization;

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

struct World {
    organization: TestOrganization,
    user: String,
    group: String,
}

impl World {
    fn new() -> Self {
        let organization = TestOrganization::new(100, Window::Never).unwrap();
        let ada = json!({"schemas": [USER], "userName": "ada@example.com", "externalId": "x1",
            "emails": [{"type": "home", "value": "ada@home.example"}]});
        let (_, ada) = organization.scim("POST", "/Users", Some(ada));
        let id = ada["id"].as_str().unwrap();
        let crew = json!({"schemas": [GROUP], "displayName": "Crew", "members": [{"value": id}]});
        let (_, crew) = organization.scim("POST", "/Groups", Some(crew));
        let (user, group) = (format!("/Users/{id}"), format!("/Groups/{}", crew["id"].as_str().unwrap()));
        Self { organization, user, group }
    }

    /// The rules that the log names for a request. The request must be answered 2xx.
    fn rules(&self, method: &str, target: &str, body: Option<Value>) -> Vec<String> {
        let request = request(&self.organization, method, target, body);
        let (status, entry) = logged(&self.organization, &request);
        assert!((200..300).contains(&status), "{entry}");
        tolerances(&entry)
    }

    fn patch(&self, target: &str, operation: Value) -> Vec<String> {
        self.rules("PATCH", target, Some(json!({"schemas": [PATCH_OP], "Operations": [operation]})))
    }

    fn patch_user(&self, operation: Value) -> Vec<String> {
        self.patch(&self.user, operation)
    }

    fn patch_group(&self, operation: Value) -> Vec<String> {
        self.patch(&self.group, operation)
    }

    fn id(&self) -> &str {
        self.user.rsplit('/').next().unwrap()
    }
}

#[test]
fn p5_requests_to_the_letter_of_the_rfcs_name_no_rule() {
    let world = World::new();
    let none = Vec::<String>::new();
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let user = json!({"schemas": [USER, enterprise], "externalId": "701984", "userName": "bjensen@example.com",
        "name": {"formatted": "Ms. Barbara J Jensen III", "familyName": "Jensen", "givenName": "Barbara"},
        "emails": [{"value": "bjensen@example.com", "type": "work", "primary": true}], "active": true,
        "photos": [{"value": "https://photos.example.com/F", "type": "photo"}], "meta": {"resourceType": "User"},
        enterprise: {"employeeNumber": "701984", "manager": {"value": world.id(), "displayName": "John"}}});
    assert_eq!(world.rules("POST", "/Users", Some(user.clone())), none);
    let mut whole = user;
    whole["id"] = world.id().into();
    whole["userName"] = "ada@example.com".into();
    whole["emails"] = json!([{"value": "ada@example.com", "type": "work"}]);
    whole["groups"] = json!([]);
    assert_eq!(world.rules("PUT", &world.user, Some(whole)), none);
    let group = json!({"schemas": [GROUP], "displayName": "Guides",
        "members": [{"value": world.id(), "$ref": "https://scim.example/Users/1", "type": "User"}]});
    assert_eq!(world.rules("POST", "/Groups", Some(group)), none);
    for operation in [
        json!({"op": "add", "path": "nickName", "value": "Babs"}),
        json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "babs@example.com"}),
        json!({"op": "replace", "value": {"active": false}}),
        json!({"op": "replace", "value": {"active": true, "name": {"givenName": "B"}, enterprise: {"department": "x"}}}),
        json!({"op": "replace", "path": format!("{enterprise}:department"), "value": "Tours"}),
        json!({"op": "remove", "path": "nickName"}),
    ] {
        assert_eq!(world.patch_user(operation.clone()), none, "{operation}");
    }
    for operation in [
        json!({"op": "remove", "path": format!("members[value eq \"{}\"]", world.id())}),
        json!({"op": "add", "path": "members", "value": [{"value": world.id()}]}),
        json!({"op": "remove", "path": "members"}),
    ] {
        assert_eq!(world.patch_group(operation.clone()), none, "{operation}");
    }
    for target in [
        "/Users",
        "/Users?filter=userName%20eq%20%22bjensen%40example.com%22&startIndex=1&count=100",
        "/Users?filter=emails[type+eq+%22work%22+and+value+co+%22%40example.com%22]&attributes=userName",
        "/Users?filter=meta.lastModified+gt+%222011-05-13T04:42:34Z%22",
        "/Groups?excludedAttributes=members&filter=displayName+eq+%22Crew%22",
        "/ServiceProviderConfig",
    ] {
        assert_eq!(world.rules("GET", target, None), none, "{target}");
    }
}

#[test]
fn p5_each_rule_that_it_took_to_read_a_body_is_named() {
    let world = World::new();
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    for (rule, operation) in [
        ("T1", json!({"op": "Replace", "path": "name.familyName", "value": "updatedFamilyName"})),
        ("T1", json!({"op": "add", "path": "NickName", "value": "x"})),
        ("T2", json!({"op": "Replace", "path": "active", "value": "False"})),
        ("T2", json!({"op": "Add", "path": "roles[primary eq \"True\"].value", "value": "Admin"})),
        ("T3", json!({"op": "remove", "path": "emails", "value": [{"type": "home", "value": "ada@home.example"}]})),
        ("T5", json!({"op": "replace", "value": {"id": world.id(), "displayName": "Test"}})),
        ("T6", json!({"op": "replace", "path": "noSuchAttribute", "value": "x"})),
        ("T7", json!({"op": "replace", "value": {"displayName": "Bjfe", "name.givenName": "Kkom"}})),
        ("T7", json!({"op": "replace", "value": {format!("{enterprise}:employeeNumber"): "Aklq"}})),
        ("T8", json!({"op": "Add", "path": format!("{enterprise}.department"), "value": "x"})),
        (
            "T9",
            json!({"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "updatedEmail@microsoft.com"}),
        ),
        ("T10", json!({"op": "Add", "path": format!("{enterprise}:manager"), "value": "271"})),
        ("T10", json!({"op": "Add", "path": "manager", "value": [{"$ref": "http://x/Users/00aa", "value": "00aa"}]})),
        ("T11", json!({"op": "Add", "path": "department", "value": "x"})),
        ("T13", json!({"op": "Replace", "path": "displayName", "value": [{"$ref": null, "value": "x"}]})),
        ("T26", json!({"op": "replace", "value": {"password": "1mz050nq"}})),
        ("T27", json!({"op": "add", "path": "profileUrl", "value": "no reference at all"})),
    ] {
        let named = world.patch_user(operation.clone());
        assert!(named.iter().any(|named| named == rule), "{rule}: {named:?} of {operation}");
    }
    for (rule, operation) in [
        ("T3", json!({"op": "Remove", "path": "members", "value": [{"$ref": null, "value": world.id()}]})),
        ("T4", json!({"op": "Add", "path": "members", "value": [{"$ref": null, "value": world.id()}]})),
        ("T4", json!({"op": "add", "path": "members", "value": [{"value": world.id(), "display": "ada"}]})),
        ("T4", json!({"op": "add", "path": "members", "value": [world.id()]})),
        (
            "T5",
            json!({"op": "replace", "value": {"id": "abf4dd94-a4c0-4f67-89c9-76b03340cb9b", "displayName": "Test"}}),
        ),
    ] {
        let named = world.patch_group(operation.clone());
        assert!(named.iter().any(|named| named == rule), "{rule}: {named:?} of {operation}");
    }
    let empty = json!({"schemas": [PATCH_OP], "Operations": []});
    assert_eq!(world.rules("PATCH", &world.user, Some(empty)), ["T28"]);
}

#[test]
fn p5_each_rule_that_it_took_to_read_a_resource_is_named() {
    let world = World::new();
    let misspelt = "urn:ietf:params:scim:schemas:extension:enterprise:2.0User";
    for (number, (rules, body)) in [
        (vec!["T6"], json!({"schemas": ["urn:scim:schemas:core:1.0", USER], "active": true})),
        (vec!["T6"], json!({"schemas": [USER], "name": {"givenName": "Test", "middleName": ""}})),
        (vec!["T2", "T6"], json!({"schemas": [USER, misspelt], "active": "True"})),
        (vec!["T11"], json!({"schemas": [USER], "department": null, "manager": null})),
        (vec!["T10", "T11"], json!({"schemas": [USER], "manager": "123456"})),
        (vec!["T10", "T11"], json!({"schemas": [USER], "manager": {"managerId": "7"}})),
        (vec!["T1"], json!({"schemas": [USER], "DisplayName": "Ada"})),
        (vec!["T26"], json!({"schemas": [USER], "groups": [], "password": "1mz050nq"})),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = body;
        body["userName"] = format!("user{number}@example.com").into();
        assert_eq!(world.rules("POST", "/Users", Some(body.clone())), rules, "{body}");
    }
    let ad = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
    let group = json!({"schemas": [GROUP, ad], "externalId": "8aa1a0c0", "displayName": "displayName",
        "meta": {"resourceType": "Group"}});
    assert_eq!(world.rules("POST", "/Groups", Some(group)), ["T6"]);
    let group = json!({"schemas": [GROUP], "displayName": "Two", "members": [world.id(), {"value": world.id()}]});
    assert_eq!(world.rules("POST", "/Groups", Some(group)), ["T4"]);
    let put = json!({"schemas": [USER], "userName": "ada@example.com"});
    assert_eq!(world.rules("PUT", &world.user, Some(put)), ["T23"]);
}

#[test]
fn p5_each_rule_that_it_took_to_read_a_url_or_a_header_is_named() {
    let world = World::new();
    for (rule, target) in [
        ("T14", "/Users?filter=userName+eq+akadmin"),
        ("T14", "/Users?filter=externalId%20eq%20jyoung"),
        ("T14", "/Users?filter=emails[type%20eq%20%22work%22].value%20eq%20%22user@contoso.com%22"),
        ("T14", "/Users?filter=emails[type%20eq%20%22work%22]%20eq%20%22user@contoso.com%22"),
        ("T14", "/Users?filter=emails%20eq%20%22user@contoso.com%22"),
        ("T11", "/Users?filter=manager%20eq%20%2200aa%22&attributes=id"),
        ("T15", "/Users?filter=userName+eq+%22onelogin-test-user01%22&"),
        ("T15", "/Users?aadOptscim062020"),
        ("T15", "/Users/?filter="),
        ("T15", "/Users?"),
    ] {
        let named = world.rules("GET", target, None);
        assert!(named.iter().any(|named| named == rule), "{rule}: {named:?} of {target}");
    }
    world.organization.change(|record| record.options.discovery_aliases = true).unwrap();
    assert_eq!(world.rules("GET", "/ServiceProviderConfigs", None), ["T29"]);

    let mut bare = request(&world.organization, "GET", "/Users", None);
    bare.headers = vec![("authorization".into(), format!("bearer  {}", world.organization.token))];
    assert_eq!(tolerances(&logged(&world.organization, &bare).1), ["T16"]);
    let mut typeless =
        request(&world.organization, "POST", "/Users", Some(json!({"schemas": [USER], "userName": "z"})));
    typeless.headers.retain(|(name, _)| name != "content-type");
    assert_eq!(tolerances(&logged(&world.organization, &typeless).1), ["T17"]);
}

#[test]
fn t21_a_reactivation_by_post_is_named() {
    let world = World::new();
    world.organization.change(|record| record.options.reactivate_on_post = true).unwrap();
    world.patch_user(json!({"op": "replace", "path": "active", "value": false}));
    let body = json!({"schemas": [USER], "userName": "ada@example.com", "active": true});
    assert_eq!(world.rules("POST", "/Users", Some(body)), ["T21"]);
}

#[test]
fn p5_a_rule_is_named_once_for_a_request_however_often_it_is_applied() {
    let world = World::new();
    let operations: Vec<Value> =
        (0..500).map(|number| json!({"op": "Replace", "path": "title", "value": number})).collect();
    let body = json!({"schemas": [PATCH_OP], "Operations": operations});
    let request = request(&world.organization, "PATCH", &world.user, Some(body));
    let (_, entry) = logged(&world.organization, &request);
    assert_eq!(tolerances(&entry), ["T1", "T2"]);
    assert!(because(&entry).contains(&"tolerance T1: names or keywords were read without regard to case".to_owned()));
}

#[test]
fn p5_a_strict_organization_tolerates_nothing_and_names_nothing_that_it_refused() {
    let world = World::new();
    world.organization.change(|record| record.options.strict = true).unwrap();
    let body = json!({"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "active", "value": "False"}]});
    let (status, entry) = logged(&world.organization, &request(&world.organization, "PATCH", &world.user, Some(body)));
    assert_eq!((status, tolerances(&entry)), (400, Vec::new()));
}
