//! A test organization with SCIM enabled, and requests to it. The tests of this module use it.

use crate::capability::Host;
use crate::connector::{self, Window};
use crate::directory::{self, NewMember};
use crate::endpoint::handle;
use crate::protocol::message::{Request, Response};
use crate::store::{Domain, OrganizationRecord, Plan, Role};
use crate::testing::MemoryHost;

/// The time at which the tests begin.
pub(super) const BEGIN: u64 = 1_760_000_000_000;
pub(super) const OWNER: &str = "owner@example.com";
pub(super) const MEMBER: &str = "member@example.com";
pub(super) const CONNECTOR_URL: &str = "https://scim.example/scim/v2/org";

/// An organization with an owner, a member without rights, and a connector; and its bearer token.
pub(super) fn enabled(window: Window) -> (MemoryHost, String) {
    let memory = MemoryHost::at(BEGIN);
    let organization = OrganizationRecord {
        name: "Example".into(),
        plan: Plan::Enterprise,
        seats: 10,
        domains: vec![Domain { name: "example.com".into(), verified: true }],
        single_sign_on: Some("okta".into()),
        ..OrganizationRecord::default()
    };
    let store = memory.host().store();
    directory::put_organization(&store, &organization).unwrap();
    for (email, role) in [(OWNER, Role::Owner), (MEMBER, Role::Member)] {
        let new = NewMember { email: email.into(), display_name: "Somebody".into(), role, passphrase: None };
        crate::testing::add_member(&store, &new).unwrap();
    }
    let token = connector::enable(&store, OWNER, "okta", window).unwrap().token;
    (memory, token)
}

/// A SCIM request with this token.
pub(super) fn scim(host: Host<'_>, token: &str) -> Response {
    let request = Request {
        method: "GET".into(),
        path: "/Users".into(),
        query: None,
        headers: vec![("authorization".into(), format!("Bearer {token}"))],
        body: Vec::new(),
        base_url: CONNECTOR_URL.into(),
        request_id: "r1".into(),
        sender_address: None,
    };
    handle(host, &request)
}
