//! The export `oauth`.

use insomnia_scim_contract::{
    Act, ActionError, AuthorizeRefusal, Consent, OAuthRequest, OAuthResponse, OperatorClient,
};

use super::Component;
use super::acts::acting_on;
use super::bindings::exports::insomnia::scim::oauth::Guest;
use super::imports::host;
use crate::connector::oauth;
use crate::protocol::message::fold_names;
use crate::store::EventSubject;

impl Guest for Component {
    fn authorize_request(query: String, operator_clients: Vec<OperatorClient>) -> Result<Consent, AuthorizeRefusal> {
        oauth::authorize_request(&host().store(), &query, &operator_clients)
    }

    fn approve(by: Act, request: String, operator_clients: Vec<OperatorClient>) -> Result<String, ActionError> {
        let store = acting_on(&by, "consent.give", EventSubject::only("oauth-client"), None, None);
        Ok(oauth::approve(&store, by.actor, &request, &operator_clients)?)
    }

    fn deny(by: Act, request: String) -> Result<String, ActionError> {
        let store = acting_on(&by, "consent.refuse", EventSubject::only("oauth-client"), None, None);
        let location = oauth::deny(&store, &request)?;
        store.end_act()?;
        Ok(location)
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
