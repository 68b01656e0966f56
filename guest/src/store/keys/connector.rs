//! Keys of the connector: its tokens, its set-up links, and its automatic refresh.

/// The connector and the hashes of its tokens: [`crate::store::ConnectorRecord`].
pub const CONNECTOR: &[u8] = b"connector";
/// When a request was last authenticated, as text.
pub const CONNECTOR_USED: &[u8] = b"connector-used";
/// Links by which others set up the identity provider: [`crate::store::SetupLinksRecord`].
pub const SETUP_LINKS: &[u8] = b"setup-links";
/// The 32 random bytes of the key that encrypts cursors and consent requests.
pub const CURSOR_KEY: &[u8] = b"cursor-key";
/// The identity provider's API with its encrypted secret: [`crate::store::IdpApiRecord`].
pub const IDP_API: &[u8] = b"idp-api";
/// The progress of the automatic refresh: [`crate::store::RefreshRecord`].
pub const REFRESH: &[u8] = b"refresh";
