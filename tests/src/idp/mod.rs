//! Simulators of identity providers as they behave on the wire, one in each file.
//!
//! Each simulator keeps the state that the real provider keeps (the anchors from 201s), and sends the real one's headers and
//! bodies. It expects only what the real provider needs: if that accepts 200 and 204, so does the simulator. The tests of the
//! rules check which of the two this server answers.

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

/// The only resource of a list, or none. The test fails if there are two, because no identity provider can link then.
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
