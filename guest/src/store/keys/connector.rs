//! Keys of the connector: its tokens, how others set it up, and its automatic refresh.

/// The connector and the hashes of its tokens: [`crate::store::ConnectorRecord`].
pub const CONNECTOR: &[u8] = b"connector";
/// When a request was last authenticated, as text.
pub const CONNECTOR_USED: &[u8] = b"connector-used";
/// Links by which others set up the identity provider: [`crate::store::SetupLinksRecord`].
pub const SETUP_LINKS: &[u8] = b"setup-links";
/// The 32 random bytes that seal cursors and requests for consent.
pub const CURSOR_KEY: &[u8] = b"cursor-key";
/// The identity provider's API, its secret sealed: [`crate::store::IdpApiRecord`].
pub const IDP_API: &[u8] = b"idp-api";
/// How far the automatic refresh has come: [`crate::store::RefreshRecord`].
pub const REFRESH: &[u8] = b"refresh";
