//! An organization with SCIM enabled, over a host in memory, and what every one of its answers must be.

use insomnia_scim_guest::capability::Clock;
use insomnia_scim_guest::connector::{self, Window};
use insomnia_scim_guest::directory::{self, NewMember};
use insomnia_scim_guest::endpoint::handle;
use insomnia_scim_guest::protocol::message::{Request, Response};
use insomnia_scim_guest::store::{Domain, Options, OrganizationRecord, Plan, Role};
use insomnia_scim_guest::testing::{self, MemoryHost};
use serde_json::Value;

const BASE_URL: &str = "https://scim.example/scim/v2/org";

/// A connector and what it stores.
pub struct Connector {
    /// The host.
    pub host: MemoryHost,
    token: String,
}

/// What came back: the response, and its body as JSON, null if it is empty.
#[derive(Debug)]
pub struct Answer {
    /// The response.
    pub response: Response,
    /// Its body.
    pub body: Value,
}

impl Answer {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.response.status
    }

    /// The resource's id.
    pub fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id: {}", self.body)).to_owned()
    }
}

impl Connector {
    /// A new one. New members get no email, which would cost more than the rest of a request.
    pub fn new(seats: u32, options: Options) -> Self {
        let host = MemoryHost::at(1_760_000_000_000);
        let organization = OrganizationRecord {
            name: "Example".into(),
            plan: Plan::Enterprise,
            seats,
            domains: vec![Domain { name: "example.com".into(), verified: true }],
            single_sign_on: Some("okta".into()),
            options: Options { passphrase_emails: false, ..options },
        };
        let store = host.host().store();
        directory::put_organization(&store, &organization).expect("an organization");
        let owner = NewMember {
            email: "owner@example.com".into(),
            display_name: "Olga Owner".into(),
            role: Role::Owner,
            passphrase: None,
        };
        testing::add_member(&store, &owner).expect("an owner");
        let token = connector::enable(&store, "owner@example.com", "okta", Window::Year1).expect("a token").token;
        Self { host, token }
    }

    /// What lets a client in.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Declares further schemas and resource types.
    pub fn declare(&self, declaration: &str) {
        directory::put_schemas(&self.host.host().store(), declaration).expect("a declaration");
    }

    /// Sends a request and holds the answer against [`Connector::expect_scim`].
    pub fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query.to_owned())));
        let mut sent: Vec<(String, String)> =
            headers.iter().map(|(name, value)| (name.to_lowercase(), (*value).to_owned())).collect();
        if !sent.iter().any(|(name, _)| name == "authorization") {
            sent.push(("authorization".into(), format!("Bearer {}", self.token)));
        }
        let request = Request {
            method: method.into(),
            path: path.into(),
            query,
            headers: sent,
            body: body.to_vec(),
            base_url: BASE_URL.into(),
            request_id: "r1".into(),
            sender_address: None,
        };
        // Time passes, so that the order of creation is known.
        self.host.pause(1);
        let response = handle(self.host.host(), &request);
        self.expect_scim(&request, response)
    }

    /// As [`Connector::send`], with a JSON body.
    pub fn json(&self, method: &str, target: &str, body: &Value) -> Answer {
        self.send(method, target, &[], body.to_string().as_bytes())
    }

    /// As [`Connector::send`], without a body.
    pub fn get(&self, target: &str) -> Answer {
        self.send("GET", target, &[], b"")
    }

    /// Every answer is under 500 but for the 501 of `/Me`, is a SCIM document or empty, and shows no secret.
    fn expect_scim(&self, request: &Request, response: Response) -> Answer {
        let said = || {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            format!("{} {} {:?} {body}\n", request.method, request.path, request.query)
                + &format!("{} {}", response.status, String::from_utf8_lossy(&response.body))
        };
        assert!((200..500).contains(&response.status) || response.status == 501, "{}", said());
        if response.body.is_empty() {
            assert!(matches!(response.status, 204 | 304) || request.method == "HEAD", "an empty body: {}", said());
            return Answer { response, body: Value::Null };
        }
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_else(|error| panic!("{error}: {}", said()));
        assert!(body["schemas"].as_array().is_some_and(|schemas| !schemas.is_empty()), "no schemas: {}", said());
        if response.status >= 400 {
            assert_eq!(body["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error", "{}", said());
            assert_eq!(body["status"], response.status.to_string(), "{}", said());
            assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "no detail: {}", said());
        }
        let text = String::from_utf8_lossy(&response.body);
        assert!(!text.contains(&self.token), "the token is shown: {}", said());
        for resource in body["Resources"].as_array().into_iter().flatten().chain([&body]) {
            let has_password = |resource: &Value| {
                resource
                    .as_object()
                    .is_some_and(|fields| fields.keys().any(|name| name.eq_ignore_ascii_case("password")))
            };
            assert!(!has_password(resource), "a password is shown: {}", said());
        }
        Answer { response, body }
    }

    /// What is stored agrees with itself: lists hold every resource once, and memberships have both ends.
    pub fn expect_consistent(&self) {
        for endpoint in ["/Users", "/Groups"] {
            let (mut ids, mut start) = (Vec::new(), 1);
            let total = loop {
                let page = self.get(&format!("{endpoint}?startIndex={start}&count=50")).body;
                let resources = page["Resources"].as_array().cloned().unwrap_or_default();
                ids.extend(resources.iter().map(|resource| resource["id"].as_str().unwrap_or_default().to_owned()));
                start = ids.len() + 1;
                if resources.is_empty() {
                    break page["totalResults"].as_u64();
                }
            };
            assert_eq!(total, Some(ids.len() as u64), "{endpoint}");
            for id in &ids {
                assert_eq!(self.get(&format!("{endpoint}/{id}")).status(), 200, "{endpoint}/{id}");
            }
            ids.sort();
            ids.dedup();
            assert_eq!(total, Some(ids.len() as u64), "{endpoint} lists one twice");
        }
        let dump = self.host.dump();
        let ends = |prefix: &str| {
            let mut ends: Vec<(&str, &str)> =
                dump.lines().filter_map(|line| line.strip_prefix(prefix)?.split_once(' ')?.0.split_once('/')).collect();
            ends.sort_unstable();
            ends
        };
        let members = ends("team-member/");
        let mut teams: Vec<(&str, &str)> =
            ends("member-team/").into_iter().map(|(member, team)| (team, member)).collect();
        teams.sort_unstable();
        assert_eq!(members, teams, "a membership has one end");
    }
}
