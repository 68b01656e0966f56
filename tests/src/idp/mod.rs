//! Identity providers as they behave on the wire: one simulator a file.
//!
//! Each keeps the state that the real one keeps (the anchors it got from 201s), sends the real one's headers and
//! bodies, and expects back what the real one needs and no more: where an identity provider takes 200 and 204, so
//! does its simulator. What this server decides between the two is asserted by the tests of the rules.

pub mod authentik;
pub mod entra;
pub mod google;
pub mod jumpcloud;
pub mod okta;
pub mod okta_aiw;
pub mod okta_oin;
pub mod onelogin;
pub mod ping;

use serde_json::Value;

use crate::client::Response;

/// The only resource of a list, or none; two are a failed test, since no identity provider can link then.
#[track_caller]
#[must_use]
pub fn match_in(response: &Response) -> Option<Value> {
    let page = response.list();
    if page.total > 1 {
        response.fail("the match is ambiguous");
    }
    page.resources.into_iter().next()
}

/// Expects 200 with a document or 204 without one.
#[track_caller]
pub fn updated(response: &Response) {
    if response.status == 204 {
        response.no_content();
    } else {
        response.document(200);
    }
}
