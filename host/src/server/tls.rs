//! The server's own TLS: its certificate, which may be renewed while it runs, and the certificates of clients.

use std::convert::Infallible;
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::hourly::{error_hourly, warn_hourly};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

/// How long a client may take to agree on the encryption.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How often the files are checked, so that a renewed certificate is used soon.
const RENEWAL: Duration = Duration::from_secs(2);
/// The memory of an encrypted connection in addition to that of every connection, in bytes: the messages of the
/// handshake, up to the library's limit, and afterwards its buffer for an answer.
pub(super) const OF_CONNECTION: usize = 64 << 10;
/// The library's buffer for an answer that the client does not read, in bytes.
const UNSENT: usize = 16 << 10;
/// The protocols that a client may choose from (RFC 7301), the preferred one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Marks a request whose client has shown no certificate, although the admin API asks for one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WithoutCertificate;

/// The files for TLS. All of them are PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, and after it the certificates of the authorities in between.
    pub certificate: PathBuf,
    /// The private key of the server's certificate: PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
    /// The certificates of the authorities whose clients may use the admin API; with `None`, clients need no
    /// certificate.
    pub api_clients: Option<PathBuf>,
}

/// The reason why a server can't use TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file can't be read.
    #[error("{} can't be read: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: std::io::Error,
    },
    /// A file does not have the required content.
    #[error("{} can't be used: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The error in it.
        reason: String,
    },
}

/// The server's TLS, versions 1.2 and 1.3, with the content of these files. While the server runs, the files are read
/// again when they change; a connection keeps the certificate with which it began.
#[derive(Clone)]
pub struct Tls {
    files: TlsFiles,
    current: Arc<Mutex<Current>>,
}

/// The files' content when it was last valid.
struct Current {
    contents: Contents,
    config: Arc<ServerConfig>,
}

/// The content of the files.
#[derive(Clone, PartialEq, Eq)]
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    api_clients: Option<Vec<u8>>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`] names the file that is missing or wrong.
    pub fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let contents = Contents::read(&files)?;
        let config = Arc::new(contents.config(&files)?);
        Ok(Self { files, current: Arc::new(Mutex::new(Current { contents, config })) })
    }

    /// Whether the admin API is open only to clients that show a certificate.
    #[must_use]
    pub fn asks_api_clients(&self) -> bool {
        self.files.api_clients.is_some()
    }

    /// Agrees with a client on the encryption.
    ///
    /// # Errors
    /// The client uses another protocol, shows a certificate that is not valid, or takes too long.
    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> Result<TlsStream<S>, String> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.lock().config));
        let accepted = timeout(HANDSHAKE, acceptor.accept(stream)).await;
        let accepted = accepted.map_err(|_| format!("the TLS handshake took longer than {HANDSHAKE:?}"))?;
        let mut stream = accepted.map_err(|error| format!("TLS: {error}"))?;
        stream.get_mut().1.set_buffer_limit(Some(UNSENT));
        Ok(stream)
    }

    /// Uses renewed files as soon as all of them are valid together; never ends. Until then the old ones are used, and
    /// the log says once what is wrong.
    pub(super) async fn renew(self) -> Infallible {
        let mut refused = None;
        loop {
            sleep(RENEWAL).await;
            let tls = self.clone();
            match spawn_blocking(move || tls.read_again()).await {
                Ok(Ok(renewed)) => {
                    refused = None;
                    if renewed {
                        tracing::info!("the renewed certificate {} is used", self.files.certificate.display());
                    }
                }
                Ok(Err(error)) => {
                    let error = error.to_string();
                    if refused.as_ref() != Some(&error) {
                        warn_hourly!(&format!("certificate {error}");
                            "the earlier certificate is still used: {error}");
                        refused = Some(error);
                    }
                }
                Err(error) => error_hourly!("certificate"; "the certificate could not be checked: {error}"),
            }
        }
    }

    /// Reads the files again, and returns whether they have changed.
    fn read_again(&self) -> Result<bool, TlsError> {
        let contents = Contents::read(&self.files)?;
        if contents == self.lock().contents {
            return Ok(false);
        }
        let config = Arc::new(contents.config(&self.files)?);
        *self.lock() = Current { contents, config };
        Ok(true)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let read = |path: &PathBuf| std::fs::read(path).map_err(|error| TlsError::Read { path: path.clone(), error });
        Ok(Self {
            certificate: read(&files.certificate)?,
            key: read(&files.key)?,
            api_clients: files.api_clients.as_ref().map(read).transpose()?,
        })
    }

    fn config(&self, files: &TlsFiles) -> Result<ServerConfig, TlsError> {
        let wrong =
            |path: &PathBuf, reason: &dyn Display| TlsError::Content { path: path.clone(), reason: reason.to_string() };
        let chain = certificates(&self.certificate).map_err(|reason| wrong(&files.certificate, &reason))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| wrong(&files.key, &error))?;
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(&files.certificate, &error))?;
        let builder = match self.api_clients.as_ref().zip(files.api_clients.as_ref()) {
            None => builder.with_no_client_auth(),
            Some((pem, path)) => {
                let mut roots = RootCertStore::empty();
                for authority in certificates(pem).map_err(|reason| wrong(path, &reason))? {
                    roots.add(authority).map_err(|error| wrong(path, &error))?;
                }
                // A client without a certificate is served as well: only the admin API requires one.
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    .allow_unauthenticated()
                    .build()
                    .map_err(|error| wrong(path, &error))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        // This fails if the key does not belong to the certificate.
        let mut config = builder.with_single_cert(chain, key).map_err(|error| wrong(&files.key, &error))?;
        if self.api_clients.is_some() {
            // A resumed session would contain a certificate that is not checked again.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(config)
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|error| error.to_string())?;
    if certificates.is_empty() { Err("there is no certificate in it".into()) } else { Ok(certificates) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn files(directory: &std::path::Path) -> TlsFiles {
        TlsFiles { certificate: directory.join("cert.pem"), key: directory.join("key.pem"), api_clients: None }
    }

    fn write(files: &TlsFiles) -> rcgen::CertifiedKey<rcgen::KeyPair> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(&files.certificate, made.cert.pem()).unwrap();
        fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        made
    }

    #[test]
    fn a_renewed_certificate_is_used_only_together_with_its_key() {
        let directory = tempfile::tempdir().unwrap();
        let files = files(directory.path());
        write(&files);
        let tls = Tls::open(files.clone()).unwrap();
        let first = Arc::clone(&tls.lock().config);
        assert!(!tls.read_again().unwrap());
        // The certificate is replaced first, and its key a moment later.
        let renewed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(&files.certificate, renewed.cert.pem()).unwrap();
        let error = tls.read_again().unwrap_err().to_string();
        assert!(error.contains("key.pem"), "{error}");
        assert!(Arc::ptr_eq(&first, &tls.lock().config));
        fs::write(&files.key, renewed.signing_key.serialize_pem()).unwrap();
        assert!(tls.read_again().unwrap());
        assert!(!Arc::ptr_eq(&first, &tls.lock().config));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let files = files(directory.path());
        let refused = |files: &TlsFiles| Tls::open(files.clone()).unwrap_err().to_string();
        assert!(refused(&files).contains("cert.pem"));
        write(&files);
        assert!(Tls::open(files.clone()).is_ok());
        let clients = TlsFiles { api_clients: Some(directory.path().join("clients.pem")), ..files.clone() };
        fs::write(directory.path().join("clients.pem"), "nothing").unwrap();
        assert!(refused(&clients).contains("clients.pem can't be used: there is no certificate in it"));
        fs::write(&files.key, "nothing").unwrap();
        assert!(refused(&files).contains("key.pem"));
        fs::write(&files.certificate, "").unwrap();
        assert!(refused(&files).contains("cert.pem can't be used: there is no certificate in it"));
    }
}
