//! TLS of the server itself: its certificate and how it is renewed, the protocols, and the certificates of clients of
//! the API.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use insomnia_scim_tests::server::Server;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How long a renewed certificate may take to be used.
const RENEWED: Duration = Duration::from_secs(30);

/// An authority, and a folder with the files that it makes.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    directory: TempDir,
}

/// A certificate for a client, and its key.
type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer, directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Signs a certificate for this name.
    fn sign(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// Writes the server's certificate and key.
    fn write(&self, name: &str) {
        let (certificate, key) = self.sign(name);
        fs::write(self.path("key.pem"), key.serialize_pem()).unwrap();
        fs::write(self.path("cert.pem"), certificate.pem()).unwrap();
    }

    fn identity(&self) -> Identity {
        let (certificate, key) = self.sign("backend.example");
        (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }

    /// A client that trusts this authority alone.
    fn client(&self, identity: Option<Identity>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        match identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder.with_client_auth_cert(vec![certificate], key).unwrap(),
        }
    }

    fn start(&self, arguments: &[&str]) -> Server {
        let (cert, key) = (self.path("cert.pem"), self.path("key.pem"));
        let of_tls = ["--tls-cert", text(&cert), "--tls-key", text(&key)];
        Server::start_with(&[&of_tls, arguments].concat())
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

async fn connect(server: &Server, name: &str, client: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(server.authority()).await?;
    TlsConnector::from(Arc::new(client)).connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await
}

/// The status of the answer to a GET, and its body.
async fn get(server: &Server, client: ClientConfig, path: &str, token: &str) -> std::io::Result<(u16, String)> {
    let mut stream = connect(server, "localhost", client).await?;
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    Ok((head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned()))
}

#[tokio::test]
async fn p9_the_server_speaks_tls_itself_and_uses_a_renewed_certificate() {
    let authority = Authority::new();
    authority.write("localhost");
    let server = authority.start(&[]);
    let demo = server.demo();
    assert!(demo.connector_url.starts_with("https://"), "{}", demo.connector_url);
    let path = demo.connector_url.split_once(server.authority()).unwrap().1;
    let (status, body) =
        get(&server, authority.client(None), &format!("{path}/ServiceProviderConfig"), &demo.token).await.unwrap();
    assert_eq!(status, 200);
    assert!(body.contains("urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"), "{body}");

    for (offered, chosen) in [(&["h2", "http/1.1"][..], "h2"), (&["http/1.1"], "http/1.1")] {
        let mut client = authority.client(None);
        client.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = connect(&server, "localhost", client).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(chosen.as_bytes()));
    }

    assert!(connect(&server, "renewed.example", authority.client(None)).await.is_err());
    authority.write("renewed.example");
    let begun = Instant::now();
    while connect(&server, "renewed.example", authority.client(None)).await.is_err() {
        assert!(begun.elapsed() < RENEWED, "the renewed certificate is not used\n{}", server.stderr());
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn p9_a_client_that_speaks_no_tls_gets_no_answer_and_keeps_nobody_out() {
    let authority = Authority::new();
    authority.write("localhost");
    let server = authority.start(&[]);
    let mut plain = TcpStream::connect(server.authority()).await.unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // The connection may be reset, since what was sent is not read to its end.
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(get(&server, authority.client(None), "/healthz", "").await.unwrap().0, 200);
}

#[tokio::test]
async fn p9_the_admin_api_can_ask_for_a_certificate_beside_the_key() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    authority.write("localhost");
    fs::write(authority.path("clients.pem"), authority.issuer.pem()).unwrap();
    let server = authority.start(&["--api-client-ca", text(&authority.path("clients.pem"))]);
    let key = server.command(&["api-key", "create", "backend", "--operator"]);
    let key = key["secret"].as_str().unwrap();
    let organizations = "/api/v1/organizations";

    let (status, body) = get(&server, authority.client(None), organizations, key).await.unwrap();
    assert_eq!(status, 403);
    assert!(body.contains("certificate"), "{body}");
    let shown = || authority.client(Some(authority.identity()));
    assert_eq!(get(&server, shown(), organizations, key).await.unwrap().0, 200);
    assert_eq!(get(&server, shown(), organizations, "").await.unwrap().0, 401, "a certificate is no key");
    // One of an authority that is not named is no certificate at all.
    let strangers = authority.client(Some(stranger.identity()));
    assert!(get(&server, strangers, organizations, key).await.is_err());
    // Identity providers have no certificate, and need none.
    assert_eq!(get(&server, authority.client(None), "/healthz", "").await.unwrap().0, 200);
}
