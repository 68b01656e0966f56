//! The types of OAuth 2.0 for identity providers, and of the automatic refresh over an identity provider's API.

pub use insomnia_scim_contract::{
    AuthorizeRefusal, Consent, EntraApi, EntraApiStatus, IdpApi, IdpApiStatus, IssuedOAuthClient, NewOAuthClient,
    OAuthClient, OAuthRequest, OAuthResponse, OktaApi, OktaApiStatus, OktaApiToken, OktaCredentials, OktaPrivateKey,
    PageError, RefreshMethod, RefreshState, RefreshStatus,
};
