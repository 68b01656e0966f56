//! Keys of OAuth clients and of their grants. Codes and tokens are stored under their SHA-256 in hexadecimal digits.

use crate::capability::{Key, KeyRange};

/// When expired OAuth tokens were last deleted, as text.
pub const OAUTH_SWEPT: &[u8] = b"oauth-swept";
/// When a request was last authenticated by an access token, as text.
pub const OAUTH_USED: &[u8] = b"oauth-used";

keys! {
    /// A registered client: [`crate::store::ClientRecord`].
    pub fn oauth_client(id: &str) -> Key = "oauth-client/{id}";
    /// All registered clients.
    pub fn oauth_clients() -> KeyRange = "oauth-client/";
    /// The key set with which a client signs: [`crate::store::KeySetRecord`].
    pub fn oauth_keys(client: &str) -> Key = "oauth-keys/{client}";
    /// The hashes of the access tokens that a client got for itself: [`crate::store::LiveRecord`].
    pub fn oauth_live(client: &str) -> Key = "oauth-live/{client}";
    /// A grant of an administrator to a client: [`crate::store::GrantRecord`].
    pub fn oauth_grant(client: &str, id: &str) -> Key = "oauth-grant/{client}/{id}";
    /// All grants to a client.
    pub fn oauth_grants(client: &str) -> KeyRange = "oauth-grant/{client}/";
    /// An authorization code: [`crate::store::CodeRecord`].
    pub fn oauth_code(sha256: &str) -> Key = "oauth-code/{sha256}";
    /// All authorization codes.
    pub fn oauth_codes() -> KeyRange = "oauth-code/";
    /// An access token: [`crate::store::AccessRecord`].
    pub fn oauth_access(sha256: &str) -> Key = "oauth-access/{sha256}";
}
