//! The export `scim`.

use insomnia_scim_contract::{ScimRequest, ScimResponse};

use super::Component;
use super::bindings::exports::insomnia::scim::scim::Guest;
use super::imports::host;
use crate::endpoint;
use crate::protocol::message;

impl Guest for Component {
    fn handle(mut request: ScimRequest) -> ScimResponse {
        let host = host();
        message::make_fit(&mut request, |bytes| host.random.fill(bytes));
        endpoint::handle(host, &request)
    }

    fn admits(authorization: Option<String>) -> bool {
        endpoint::admits(host(), authorization.as_deref())
    }
}
