//! The export `scim`.

use super::Component;
use super::bindings::exports::insomnia::scim::scim::{Guest, Request, Response};
use super::imports::host;
use crate::endpoint;
use crate::protocol::message;

impl Guest for Component {
    fn handle(request: Request) -> Response {
        let request = message::Request {
            method: request.method,
            path: request.path,
            query: request.query,
            headers: request.headers,
            body: request.body,
            base_url: request.base_url,
            request_id: request.request_id,
        };
        let response = endpoint::handle(host(), &request);
        Response { status: response.status, headers: response.headers, body: response.body }
    }

    fn admits(authorization: Option<String>) -> bool {
        endpoint::admits(host(), authorization.as_deref())
    }
}
