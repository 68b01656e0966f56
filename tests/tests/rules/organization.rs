//! The organization of the tests, as its identity provider and its administrators reach it on one host.

use std::sync::atomic::{AtomicU64, Ordering};

use insomnia_scim::connector::{ExpiryWindow, IdentityProvider};
use insomnia_scim::directory::{Domain, NewMember, Options, OrganizationRecord, Plan, Role};
use insomnia_scim::journal::LogQuery;
use insomnia_scim::{NewOrganization, Organization, OrganizationId, ScimRequest};
use serde_json::{Value, json};

use crate::rules::world::{BASE_URL, Host};

/// The email address of the owner.
pub(crate) const OWNER: &str = "owner@acme.example";
/// The email address of a co-owner.
pub(crate) const CO_OWNER: &str = "co-owner@acme.example";
/// The passphrase of both.
pub(crate) const PASSPHRASE: &str = "four words of theirs";
/// Its name in the connector URL.
pub(crate) const NAME: &str = "acme";

/// The SCIM schema of users.
pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// The organization on one host, with the token that its identity provider has.
pub(crate) struct Acme {
    pub(crate) organization: Organization,
    pub(crate) token: String,
}

/// A response.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Answer {
    /// The answer, which has this status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// The id of the resource.
    #[track_caller]
    pub(crate) fn id(&self) -> String {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id: {}", self.body)).to_owned()
    }

    /// The value of a header field.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The text of the error.
    pub(crate) fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_default()
    }
}

/// The name as the host knows it.
pub(crate) fn name() -> OrganizationId {
    OrganizationId::parse(NAME).unwrap()
}

/// What the backend tells about it, with so many seats: all requirements hold.
pub(crate) fn record(seats: u32) -> OrganizationRecord {
    OrganizationRecord {
        name: "Acme".into(),
        plan: Plan::Enterprise,
        seats,
        domains: vec![Domain { name: "acme.example".into(), verified: true }],
        single_sign_on: Some("okta".into()),
        options: Options::default(),
    }
}

/// Somebody to add by hand.
pub(crate) fn person(email: &str, role: Role, passphrase: Option<&str>) -> NewMember {
    NewMember {
        email: email.into(),
        display_name: email.split('@').next().unwrap_or_default().into(),
        role,
        passphrase: passphrase.map(str::to_owned),
    }
}

impl Acme {
    /// Registers it with an owner and a co-owner, who take two of the seats. SCIM is not enabled.
    pub(crate) async fn found(host: &Host, seats: u32) -> Self {
        let new = NewOrganization::new(name(), record(seats));
        let organization = host.provisioner.create_organization(new).await.unwrap().organization;
        organization.add_member(person(OWNER, Role::Owner, Some(PASSPHRASE))).await.unwrap();
        organization.add_member(person(CO_OWNER, Role::CoOwner, Some(PASSPHRASE))).await.unwrap();
        Self { organization, token: String::new() }
    }

    /// As [`Acme::found`], with SCIM enabled and a token of this window.
    pub(crate) async fn enabled(host: &Host, seats: u32, window: ExpiryWindow) -> Self {
        let mut acme = Self::found(host, seats).await;
        let issued = acme.organization.enable(OWNER, IdentityProvider::Okta, window).await.unwrap();
        acme.token = issued.token;
        acme
    }

    /// The same organization on another host.
    pub(crate) fn on(&self, host: &Host) -> Self {
        Self { organization: host.provisioner.organization(&name()), token: self.token.clone() }
    }

    /// Changes what the backend tells about it.
    pub(crate) async fn change(&self, change: impl FnOnce(&mut OrganizationRecord)) {
        let mut record = self.organization.get().await.unwrap().unwrap();
        change(&mut record);
        self.organization.put(record).await.unwrap();
    }

    /// Refreshes the token as the owner does, and gives the identity provider the new one.
    pub(crate) async fn refresh(&mut self) {
        self.token = self.organization.refresh(OWNER, PASSPHRASE, None, 0).await.unwrap().token;
    }

    /// The identity provider sends a request with its token.
    pub(crate) async fn scim(&self, method: &str, target: &str, body: Option<Value>) -> Answer {
        self.scim_with(&self.token, method, target, body).await
    }

    /// Somebody sends a request with this token.
    pub(crate) async fn scim_with(&self, token: &str, method: &str, target: &str, body: Option<Value>) -> Answer {
        let authorization = ("authorization".to_owned(), format!("Bearer {token}"));
        self.send(vec![authorization], method, target, body.map(|body| body.to_string())).await
    }

    /// Somebody sends a request with these header fields.
    pub(crate) async fn send(
        &self,
        mut headers: Vec<(String, String)>,
        method: &str,
        target: &str,
        body: Option<String>,
    ) -> Answer {
        static REQUESTS: AtomicU64 = AtomicU64::new(1);
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query.to_owned())));
        if body.is_some() {
            headers.push(("content-type".into(), "application/scim+json".into()));
        }
        let request = ScimRequest {
            method: method.into(),
            path: path.into(),
            query,
            headers,
            body: body.map(String::into_bytes).unwrap_or_default(),
            base_url: format!("{BASE_URL}/scim/v2/{NAME}"),
            request_id: format!("request-{}", REQUESTS.fetch_add(1, Ordering::Relaxed)),
            sender_address: None,
        };
        let response = self.organization.scim(request).await;
        let body = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        Answer { status: response.status, headers: response.headers, body }
    }

    /// The identity provider adds a user who has this userName as the email address too.
    pub(crate) async fn post_user(&self, user_name: &str) -> Answer {
        let body = json!({
            "schemas": [USER], "userName": user_name, "active": true,
            "emails": [{"value": user_name, "type": "work", "primary": true}],
        });
        self.scim("POST", "/Users", Some(body)).await
    }

    /// The identity provider changes attributes of a resource.
    pub(crate) async fn patch(&self, target: &str, value: Value) -> Answer {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "value": value}],
        });
        self.scim("PATCH", target, Some(body)).await
    }

    /// Whether the identity provider's token opens the door.
    pub(crate) async fn ping(&self, token: &str) -> u16 {
        self.scim_with(token, "GET", "/Users?count=1", None).await.status
    }

    /// All events of the last 90 days, oldest first.
    pub(crate) async fn events(&self) -> Vec<Value> {
        let (mut events, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = self.organization.events(after.as_deref(), 500).await.unwrap();
            events.extend(page.items.iter().map(|event| serde_json::from_str::<Value>(&event.document).unwrap()));
            match page.next {
                Some(next) => after = Some(next),
                None => return events,
            }
        }
    }

    /// The types of the events, oldest first.
    pub(crate) async fn event_types(&self) -> Vec<String> {
        self.events().await.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }

    /// The newest entries of the log.
    pub(crate) async fn log(&self, query: LogQuery) -> Vec<Value> {
        let page = self.organization.search_log(query).await.unwrap();
        page.entries.iter().map(|entry| serde_json::from_str(entry).unwrap()).collect()
    }
}
