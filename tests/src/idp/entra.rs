//! Microsoft Entra ID: matches by filter, creates, and from then on only PATCHes by the id it got.

use serde_json::{Value, json};

use super::{match_in, updated};
use crate::client::{Client, encode};
use crate::person::{Person, guid};
use crate::scim::{id, text};
use crate::server::Connector;

/// Which shape of PATCH the tenant URL asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Without a flag: capitalised operations, booleans as strings, `Remove` of members with a value.
    Default,
    /// `?aadOptscim062020`: path-less objects with dotted and URN keys, `members[value eq "…"]`.
    Flag2020,
}

/// One provisioning job.
pub struct Entra {
    client: Client,
    shape: Shape,
}

impl Entra {
    /// A job for this connector. Entra sends no `Accept`.
    #[must_use]
    pub fn new(connector: &Connector, shape: Shape) -> Self {
        let client = Client::bare(&connector.url)
            .header("Authorization", &format!("Bearer {}", connector.token))
            .content_type("application/scim+json; charset=utf-8");
        Self { client, shape }
    }

    /// *Test Connection*: a filter for a random GUID must be answered by 200 and an empty list.
    #[track_caller]
    pub fn test_connection(&self) {
        self.client.get(&self.query(&format!("/Users?filter=userName+eq+%22{}%22", guid()))).none();
        self.client.get(&self.query(&format!("/Users?filter=externalId+eq+%22{}%22", guid()))).none();
    }

    /// Looks the person up by one matching attribute after the other.
    #[track_caller]
    #[must_use]
    pub fn find(&self, person: &Person) -> Option<Value> {
        let by_name = format!("userName eq \"{}\"", person.user_name);
        let by_email = format!("emails[type eq \"work\"].value eq \"{}\"", person.email);
        [by_name, by_email].iter().find_map(|filter| self.find_by(filter))
    }

    /// Brings a person into scope: matches, creates if there is no match, and returns the anchor.
    #[track_caller]
    pub fn provision(&self, person: &Person) -> String {
        if let Some(found) = self.find(person) {
            return id(&found);
        }
        let response = self.client.post(&self.query("/Users"), create_request(person));
        if response.status == 409 {
            response.refusal(409, "uniqueness");
            return self.find(person).map_or_else(|| response.fail("409, but there is no match"), |found| id(&found));
        }
        let created = response.resource(201);
        assert_eq!(text(&created, "userName"), person.user_name, "userName must come back as it was sent");
        assert_eq!(created["externalId"], json!(person.external_id));
        assert_eq!(created["active"], json!(true));
        id(&created)
    }

    /// Changes the work address, the last name, the display name and the employee number, in the job's shape.
    #[track_caller]
    pub fn update(&self, anchor: &str, person: &Person, number: &str) {
        let (email, family, display) = (&person.email, &person.family, person.display_name());
        let body = match self.shape {
            Shape::Default => format!(
                r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
 {{"op":"Replace","path":"emails[type eq \"work\"].value","value":"{email}"}},
 {{"op":"Replace","path":"name.familyName","value":"{family}"}},
 {{"op":"Replace","path":"displayName","value":"{display}"}},
 {{"op":"Add","path":"nickName","value":"Nick"}},
 {{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber","value":"{number}"}}]}}"#
            ),
            Shape::Flag2020 => format!(
                r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
 {{"op":"replace","path":"emails[type eq \"work\"].value","value":"{email}"}},
 {{"op":"replace","value":{{"displayName":"{display}","name.givenName":"Kkom","name.familyName":"{family}","nickName":"Nick",
   "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber":"{number}"}}}}]}}"#
            ),
        };
        updated(&self.client.patch(&self.query(&format!("/Users/{anchor}")), body));
    }

    /// Soft delete: unassigned, out of scope or disabled. The user stays findable.
    #[track_caller]
    pub fn disable(&self, anchor: &str) {
        self.set_active(anchor, false);
    }

    /// Back in scope.
    #[track_caller]
    pub fn enable(&self, anchor: &str) {
        self.set_active(anchor, true);
    }

    /// Hard delete, 30 days after the soft one.
    #[track_caller]
    pub fn purge(&self, anchor: &str) {
        self.client.delete(&self.query(&format!("/Users/{anchor}"))).no_content();
    }

    /// Sets the manager as a bare id, and checks it as Entra does. Without a match Entra would repeat the PATCH for ever.
    #[track_caller]
    pub fn set_manager(&self, anchor: &str, manager: &str) {
        let body = format!(
            r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"{manager}"}}]}}"#
        );
        updated(&self.client.patch(&self.query(&format!("/Users/{anchor}")), body));
        let filter = encode(&format!("id eq \"{anchor}\" and manager eq \"{manager}\""));
        let found = self.client.get(&self.query(&format!("/Users?filter={filter}&attributes=id"))).only();
        assert_eq!(id(&found), anchor, "the manager can't be found by a filter");
    }

    /// The user as it is now.
    #[track_caller]
    #[must_use]
    pub fn read(&self, anchor: &str) -> Value {
        self.client.get(&self.query(&format!("/Users/{anchor}"))).resource(200)
    }

    /// Whether the anchor is gone.
    #[track_caller]
    pub fn is_gone(&self, anchor: &str) {
        self.client.get(&self.query(&format!("/Users/{anchor}"))).error(404);
    }

    /// Looks a group up by name, without its members.
    #[track_caller]
    #[must_use]
    pub fn find_group(&self, name: &str) -> Option<Value> {
        let filter = encode(&format!("displayName eq \"{name}\""));
        let response = self.client.get(&self.query(&format!("/Groups?excludedAttributes=members&filter={filter}")));
        let found = match_in(&response);
        if found.as_ref().is_some_and(|group| group.get("members").is_some()) {
            response.fail("members were excluded");
        }
        found
    }

    /// Matches a group and creates it, empty, if there is none; returns the anchor.
    #[track_caller]
    pub fn provision_group(&self, name: &str) -> String {
        if let Some(found) = self.find_group(name) {
            return id(&found);
        }
        let external = guid();
        let body = format!(
            r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
 "externalId":"{external}","displayName":"{name}","meta":{{"resourceType":"Group"}}}}"#
        );
        let created = self.client.post(&self.query("/Groups"), body).resource(201);
        assert_eq!(text(&created, "displayName"), name);
        id(&created)
    }

    /// Adds members, all in one operation.
    #[track_caller]
    pub fn add_members(&self, group: &str, ids: &[String]) {
        let value: Vec<Value> = ids.iter().map(|member| json!({ "$ref": null, "value": member })).collect();
        self.patch_group(group, &json!([{ "op": "Add", "path": "members", "value": value }]));
    }

    /// Removes these members and no others.
    #[track_caller]
    pub fn remove_members(&self, group: &str, ids: &[String]) {
        let operations = match self.shape {
            Shape::Default => {
                let value: Vec<Value> = ids.iter().map(|member| json!({ "$ref": null, "value": member })).collect();
                json!([{ "op": "Remove", "path": "members", "value": value }])
            }
            Shape::Flag2020 => ids
                .iter()
                .map(|member| json!({ "op": "remove", "path": format!("members[value eq \"{member}\"]") }))
                .collect(),
        };
        self.patch_group(group, &operations);
    }

    /// Renames a group.
    #[track_caller]
    pub fn rename_group(&self, group: &str, name: &str) {
        self.patch_group(group, &json!([{ "op": "Replace", "path": "displayName", "value": name }]));
        let read = self.client.get(&self.query(&format!("/Groups/{group}?excludedAttributes=members"))).resource(200);
        assert_eq!(text(&read, "displayName"), name);
        assert!(read.get("members").is_none(), "members were excluded: {read}");
    }

    /// Deletes a group.
    #[track_caller]
    pub fn delete_group(&self, group: &str) {
        self.client.delete(&self.query(&format!("/Groups/{group}"))).no_content();
    }

    /// *Account Discovery*: reads all users page by page and returns their ids.
    #[track_caller]
    #[must_use]
    pub fn discover(&self, page_size: usize) -> Vec<String> {
        let mut ids = Vec::new();
        loop {
            let start = ids.len() + 1;
            let page = self.client.get(&self.query(&format!("/Users?startIndex={start}&count={page_size}"))).list();
            ids.extend(page.ids());
            if page.resources.is_empty() || ids.len() as u64 >= page.total {
                return ids;
            }
        }
    }

    #[track_caller]
    fn find_by(&self, filter: &str) -> Option<Value> {
        match_in(&self.client.get(&self.query(&format!("/Users?filter={}", encode(filter)))))
    }

    #[track_caller]
    fn set_active(&self, anchor: &str, active: bool) {
        let (op, value) = match (self.shape, active) {
            (Shape::Default, true) => ("Replace", "\"True\""),
            (Shape::Default, false) => ("Replace", "\"False\""),
            (Shape::Flag2020, true) => ("replace", "true"),
            (Shape::Flag2020, false) => ("replace", "false"),
        };
        let body = format!(
            r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{{"op":"{op}","path":"active","value":{value}}}]}}"#
        );
        updated(&self.client.patch(&self.query(&format!("/Users/{anchor}")), body));
        assert_eq!(self.read(anchor)["active"], json!(active));
    }

    #[track_caller]
    fn patch_group(&self, group: &str, operations: &Value) {
        let body =
            format!(r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":{operations}}}"#);
        updated(&self.client.patch(&self.query(&format!("/Groups/{group}")), body));
    }

    /// The tenant URL's query is part of every request with the flag. Entra does not document whether it forwards the query,
    /// so the server must accept it.
    fn query(&self, path: &str) -> String {
        match self.shape {
            Shape::Default => path.to_owned(),
            Shape::Flag2020 if path.contains('?') => format!("{path}&aadOptscim062020"),
            Shape::Flag2020 => format!("{path}?aadOptscim062020"),
        }
    }
}

fn create_request(person: &Person) -> String {
    let Person { given, family, user_name, email, external_id } = person;
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
 "externalId":"{external_id}","userName":"{user_name}","active":true,
 "emails":[{{"primary":true,"type":"work","value":"{email}"}}],
 "meta":{{"resourceType":"User"}},
 "name":{{"formatted":"{given} {family}","familyName":"{family}","givenName":"{given}"}},"roles":[]}}"#
    )
}
