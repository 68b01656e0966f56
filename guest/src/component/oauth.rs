//! The export `oauth`.

use insomnia_scim_contract::{
    Act, ActionError, AuthorizeRefusal, Consent, OAuthRequest, OAuthResponse, OperatorClient,
};

use super::Component;
use super::acts::acting;
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
        let store = acting(&by, "consent.give");
        let location = oauth::approve(&store, by.actor, &request, &operator_clients)?;
        store.note(EventSubject::only("oauth-client"), None, None);
        store.end_act()?;
        Ok(location)
    }

    fn deny(by: Act, request: String) -> Result<String, ActionError> {
        let store = acting(&by, "consent.refuse");
        let location = oauth::deny(&store, &request)?;
        store.note(EventSubject::only("oauth-client"), None, None);
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
