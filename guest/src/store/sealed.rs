//! What emails hold that must not be readable in the storage: passphrases and links.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{Store, StoreError};
use crate::capability::SecretsError;

/// Something that must not be readable in the storage: sealed by the host's key, where the host has one.
///
/// A host without a key keeps it as it is, until the email is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sealed {
    /// Sealed, in base64.
    Sealed(String),
    /// As it is: the host has no key.
    Plain(String),
}

impl Store<'_> {
    /// Seals a text for the outbox.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the host's key is out of reach.
    pub fn seal(&self, plain: &str) -> Result<Sealed, StoreError> {
        let Some(secrets) = self.secrets else { return Ok(Sealed::Plain(plain.to_owned())) };
        match secrets.seal(plain.as_bytes()) {
            Ok(sealed) => Ok(Sealed::Sealed(STANDARD.encode(sealed))),
            Err(SecretsError::NotConfigured) => Ok(Sealed::Plain(plain.to_owned())),
            Err(error) => Err(StoreError::Unavailable(error.to_string())),
        }
    }

    /// Undoes [`Store::seal`].
    ///
    /// # Errors
    /// Why it can't be opened, in words.
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
