//! Encryption of the secrets in emails, which must not be readable in the storage: passphrases and links.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{Store, StoreError};
use crate::capability::SecretsError;

/// A secret that must not be readable in the storage. It is encrypted with the host's key if the host has one.
///
/// Without a key the secret is stored unencrypted until the email is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sealed {
    /// Encrypted, in base64.
    Sealed(String),
    /// Unencrypted: the host has no key.
    Plain(String),
}

impl Store<'_> {
    /// Encrypts a text for the outbox.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the host's key can't be reached.
    pub fn seal(&self, plain: &str) -> Result<Sealed, StoreError> {
        let Some(secrets) = self.secrets else { return Ok(Sealed::Plain(plain.to_owned())) };
        match secrets.seal(plain.as_bytes()) {
            Ok(sealed) => Ok(Sealed::Sealed(STANDARD.encode(sealed))),
            Err(SecretsError::NotConfigured) => Ok(Sealed::Plain(plain.to_owned())),
            Err(error) => Err(StoreError::Unavailable(error.to_string())),
        }
    }

    /// Decrypts what [`Store::seal`] has encrypted.
    ///
    /// # Errors
    /// A text that says why it can't be decrypted.
    pub fn open(&self, sealed: &Sealed) -> Result<String, String> {
        let sealed = match sealed {
            Sealed::Plain(plain) => return Ok(plain.clone()),
            Sealed::Sealed(sealed) => STANDARD.decode(sealed).map_err(|error| error.to_string())?,
        };
        let secrets = self.secrets.ok_or("the host has no key for secrets configured")?;
        let plain = secrets.open(&sealed).map_err(|error| error.to_string())?;
        String::from_utf8(plain).map_err(|error| error.to_string())
    }
}
