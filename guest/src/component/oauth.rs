//! The export `oauth`.

use insomnia_scim_contract::{
    Act, ActionError, AuthorizeRefusal, Consent, OAuthRequest, OAuthResponse, OperatorClient,
};

use super::Component;
use super::bindings::exports::insomnia::scim::oauth::Guest;
use super::imports::host;
use crate::connector::oauth;
use crate::protocol::message::fold_names;

impl Guest for Component {
    fn authorize_request(query: String, operator_clients: Vec<OperatorClient>) -> Result<Consent, AuthorizeRefusal> {
        oauth::authorize_request(&host().store(), &query, &operator_clients)
    }

    fn approve(by: Act, request: String, operator_clients: Vec<OperatorClient>) -> Result<String, ActionError> {
        Ok(oauth::approve(&host().store(), by.actor, &request, &operator_clients)?)
    }

    fn deny(_by: Act, request: String) -> Result<String, ActionError> {
        Ok(oauth::deny(&host().store(), &request)?)
    }

    fn token(mut request: OAuthRequest) -> OAuthResponse {
        fold_names(&mut request.headers);
        oauth::token(host(), &request)
    }

    fn revoke(mut request: OAuthRequest) -> OAuthResponse {
        fold_names(&mut request.headers);
        oauth::revoke(host(), &request)
    }

    fn metadata(issuer: String) -> String {
        oauth::metadata(&issuer)
    }
}
