//! Encryption at rest: the trait that an embedder implements, a key in a file, and the interface of `wit/secrets.wit`.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use sha2::{Digest as _, Sha256};
use wasmtime::component::{HasData, Linker};

use super::Capabilities;
use super::storage::OrganizationId;
use crate::component::InstanceState;
use crate::component::bindings::insomnia::scim::secrets as wit;
use crate::private_files;

/// The reason why encryption or decryption was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// The host has no key.
    #[error("no key is configured")]
    NotConfigured,
    /// The text was not encrypted with this key for this organization, or was altered.
    #[error("the sealed text is not authentic")]
    NotAuthentic,
    /// Any other error; the text is for the host's log.
    #[error("the key can't be used: {0}")]
    Other(String),
}

/// Encrypts secrets that the component must later send to others, such as an identity provider's API credentials.
#[async_trait]
pub trait Secrets: Send + Sync + 'static {
    /// Encrypts and authenticates. A text that was encrypted for one organization can't be decrypted for another.
    ///
    /// # Errors
    /// Those of [`SecretsError`].
    async fn seal(&self, organization: &OrganizationId, plain: Vec<u8>) -> Result<Vec<u8>, SecretsError>;

    /// Decrypts what [`Secrets::seal`] has encrypted.
    ///
    /// # Errors
    /// Those of [`SecretsError`].
    async fn open(&self, organization: &OrganizationId, sealed: Vec<u8>) -> Result<Vec<u8>, SecretsError>;
}

/// The default: every call is answered [`SecretsError::NotConfigured`].
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSecrets;

#[async_trait]
impl Secrets for NoSecrets {
    async fn seal(&self, _: &OrganizationId, _: Vec<u8>) -> Result<Vec<u8>, SecretsError> {
        Err(SecretsError::NotConfigured)
    }

    async fn open(&self, _: &OrganizationId, _: Vec<u8>) -> Result<Vec<u8>, SecretsError> {
        Err(SecretsError::NotConfigured)
    }
}

/// The first byte of an encrypted text: the version of its format.
const VERSION: u8 = 1;
/// The nonce of XChaCha20 is so long that a random one can be used for every text.
const NONCE: usize = 24;
/// The length of a key, in bytes.
const KEY: usize = 32;
/// The most keys in a file: the newest one, and those with which stored texts are still encrypted.
const MOST: usize = 4;
/// Prefix of the hash that names the key, so that the hash differs from every other use of the key.
const FINGERPRINT: &str = "insomnia-scim/secrets/fingerprint/1/";
/// Binds an encrypted text to its purpose. The organization's name follows it.
const CONTEXT: &str = "insomnia-scim/secrets/1/";

/// XChaCha20-Poly1305 with a key of 256 bits. The organization's name is authenticated with the text.
pub struct SecretKey {
    cipher: XChaCha20Poly1305,
    fingerprint: String,
}

impl SecretKey {
    /// A key of these 32 random bytes.
    pub fn new(key: &[u8; KEY]) -> Self {
        let digest = Sha256::new().chain_update(FINGERPRINT).chain_update(key).finalize();
        let fingerprint = hex::encode(&digest[..16]);
        Self { cipher: XChaCha20Poly1305::new(Key::from_slice(key)), fingerprint }
    }

    /// A name for the key that does not reveal it: the first half of a SHA-256, in hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    /// Reads the key in this file: 32 bytes that only its owner may read. If the file is absent, it is created with a
    /// random key.
    ///
    /// # Errors
    /// The file can't be read or written, has another length, or others may read it.
    pub fn in_file(path: &Path) -> Result<Self, KeyFileError> {
        let failed = |source| KeyFileError::Io { path: path.to_path_buf(), source };
        match read_key(path) {
            Err(KeyFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            read => return read.map(|key| Self::new(&key)),
        }
        let mut key = [0; KEY];
        getrandom::fill(&mut key).map_err(|error| failed(io::Error::other(error.to_string())))?;
        // The file is written beside its place and linked into it: another process that starts at the same time sees
        // the whole key or none.
        let directory = path.parent().unwrap_or(Path::new("."));
        let beside = directory.join(format!(".key-{}", std::process::id()));
        let written = write_new(&beside, &key).and_then(|()| fs::hard_link(&beside, path));
        let _ = fs::remove_file(&beside);
        match written {
            Ok(()) => Ok(Self::new(&key)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read_key(path).map(|key| Self::new(&key)),
            Err(error) => Err(failed(error)),
        }
    }
}

/// Why a key file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It can't be read or written.
    #[error("the key file {} can't be used", .path.display())]
    Io {
        /// The key file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// It does not hold 32 bytes.
    #[error("the key file {} does not hold {KEY} bytes; restore it from a backup", .0.display())]
    Length(PathBuf),
    /// The file is empty.
    #[error(
        "the key file {} is empty: a full disk or a copy that was broken off may have left it so. Restore it from a backup, or \
         copy the one of another server on this database. If it is lost, delete the empty file, and start the server with \
         --go-on-without key",
        .0.display()
    )]
    Empty(PathBuf),
    /// Other users may read it.
    #[error("others may read the key file {}; run: chmod 600 '{}'", .0.display(), .0.display())]
    Permissions(PathBuf),
}

fn read_key(path: &Path) -> Result<[u8; KEY], KeyFileError> {
    match *read_keys(path)? {
        [key] => Ok(key),
        _ => Err(KeyFileError::Length(path.to_path_buf())),
    }
}

/// The keys in a file, one after the other, newest first; at least one.
pub(crate) fn read_keys(path: &Path) -> Result<Vec<[u8; KEY]>, KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_path_buf(), source };
    let file = File::open(path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if file.metadata().map_err(failed)?.mode() & 0o077 != 0 {
            return Err(KeyFileError::Permissions(path.to_path_buf()));
        }
    }
    let mut bytes = Vec::new();
    file.take((MOST * KEY) as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    match bytes.as_chunks() {
        ([], []) => Err(KeyFileError::Empty(path.to_path_buf())),
        (keys, []) if (1..=MOST).contains(&keys.len()) => Ok(keys.to_vec()),
        _ => Err(KeyFileError::Length(path.to_path_buf())),
    }
}

/// Replaces the keys in a file. A reader sees either all new keys or the old ones, even after a power failure.
#[cfg(feature = "cli")]
pub(crate) fn write_keys(path: &Path, keys: &[[u8; KEY]]) -> Result<(), KeyFileError> {
    if keys.is_empty() || keys.len() > MOST {
        return Err(KeyFileError::Length(path.to_path_buf()));
    }
    let directory = path.parent().unwrap_or(Path::new("."));
    let beside = directory.join(format!(".keys-{}", std::process::id()));
    let written = write_new(&beside, &keys.concat());
    // Commands may run as root even if the server runs as another user, who must be able to read the file.
    #[cfg(unix)]
    let written = written.and_then(|()| {
        use std::os::unix::fs::{MetadataExt as _, chown};
        let Ok(before) = fs::metadata(path) else { return Ok(()) };
        chown(&beside, Some(before.uid()), Some(before.gid()))
    });
    let written = written.and_then(|()| fs::rename(&beside, path));
    let written = written.and_then(|()| File::open(directory)?.sync_all());
    written.map_err(|source| {
        let _ = fs::remove_file(&beside);
        KeyFileError::Io { path: path.to_path_buf(), source }
    })
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    private_files::write(path, private_files::options().create_new(true), content)
}

#[async_trait]
impl Secrets for SecretKey {
    async fn seal(&self, organization: &OrganizationId, plain: Vec<u8>) -> Result<Vec<u8>, SecretsError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|error| SecretsError::Other(error.to_string()))?;
        let context = format!("{CONTEXT}{organization}");
        let sealed = self
            .cipher
            .encrypt(XNonce::from_slice(&nonce), Payload { msg: &plain, aad: context.as_bytes() })
            .map_err(|_| SecretsError::Other("the text is too long".into()))?;
        Ok([&[VERSION], nonce.as_slice(), &sealed].concat())
    }

    async fn open(&self, organization: &OrganizationId, sealed: Vec<u8>) -> Result<Vec<u8>, SecretsError> {
        let (&version, rest) = sealed.split_first().ok_or(SecretsError::NotAuthentic)?;
        let (nonce, text) = rest.split_at_checked(NONCE).ok_or(SecretsError::NotAuthentic)?;
        if version != VERSION {
            return Err(SecretsError::NotAuthentic);
        }
        let context = format!("{CONTEXT}{organization}");
        self.cipher
            .decrypt(XNonce::from_slice(nonce), Payload { msg: text, aad: context.as_bytes() })
            .map_err(|_| SecretsError::NotAuthentic)
    }
}

/// The parts of the host that a call of this interface needs.
pub(crate) struct SecretsView<'a> {
    organization: &'a OrganizationId,
    capabilities: &'a Capabilities,
}

struct HasSecrets;

impl HasData for HasSecrets {
    type Data<'a> = SecretsView<'a>;
}

pub(crate) fn add_to_linker(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasSecrets>(linker, |state| SecretsView {
        organization: state.organization(),
        capabilities: state.capabilities(),
    })
}

impl wit::Host for SecretsView<'_> {
    async fn seal(&mut self, plain: Vec<u8>) -> Result<Vec<u8>, wit::SecretsError> {
        let sealed = self.capabilities.secrets.seal(self.organization, plain);
        self.capabilities.measured("secrets", "seal", sealed).await.map_err(error)
    }

    async fn open(&mut self, sealed: Vec<u8>) -> Result<Vec<u8>, wit::SecretsError> {
        let opened = self.capabilities.secrets.open(self.organization, sealed);
        self.capabilities.measured("secrets", "open", opened).await.map_err(error)
    }
}

fn error(error: SecretsError) -> wit::SecretsError {
    match error {
        SecretsError::NotConfigured => wit::SecretsError::NotConfigured,
        SecretsError::NotAuthentic => wit::SecretsError::NotAuthentic,
        SecretsError::Other(why) => wit::SecretsError::Other(why),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write as _;

    use super::*;

    fn organization(name: &str) -> OrganizationId {
        OrganizationId::parse(name).unwrap()
    }

    #[tokio::test]
    async fn what_is_sealed_opens_again_for_its_organization_only() {
        let key = SecretKey::new(&[7; 32]);
        let sealed = key.seal(&organization("acme"), b"client secret".to_vec()).await.unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"client"));
        assert_eq!(key.open(&organization("acme"), sealed.clone()).await, Ok(b"client secret".to_vec()));
        assert_eq!(key.open(&organization("other"), sealed.clone()).await, Err(SecretsError::NotAuthentic));
        let another = SecretKey::new(&[8; 32]);
        assert_eq!(another.open(&organization("acme"), sealed).await, Err(SecretsError::NotAuthentic));
    }

    #[tokio::test]
    async fn an_altered_or_cut_text_is_not_authentic() {
        let key = SecretKey::new(&[7; 32]);
        let sealed = key.seal(&organization("acme"), b"x".to_vec()).await.unwrap();
        for place in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[place] ^= 1;
            assert_eq!(key.open(&organization("acme"), altered).await, Err(SecretsError::NotAuthentic), "{place}");
            let cut = sealed[..place].to_vec();
            assert_eq!(key.open(&organization("acme"), cut).await, Err(SecretsError::NotAuthentic), "{place}");
        }
    }

    #[tokio::test]
    async fn the_key_file_is_made_once_and_for_its_owner_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret.key");
        let sealed = SecretKey::in_file(&path).unwrap().seal(&organization("acme"), b"x".to_vec()).await.unwrap();
        let again = SecretKey::in_file(&path).unwrap();
        assert_eq!(again.open(&organization("acme"), sealed).await, Ok(b"x".to_vec()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            assert!(matches!(SecretKey::in_file(&path), Err(KeyFileError::Permissions(_))));
        }
    }

    #[test]
    fn a_key_file_of_another_length_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret.key");
        write_new(&path, &[0; 32]).unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"x").unwrap();
        assert!(matches!(SecretKey::in_file(&path), Err(KeyFileError::Length(_))));
        OpenOptions::new().write(true).truncate(true).open(&path).unwrap();
        let empty = SecretKey::in_file(&path).err().unwrap().to_string();
        assert!(empty.contains("is empty") && empty.contains("--go-on-without key"), "{empty}");
    }
}
