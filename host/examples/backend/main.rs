//! A small backend with accounts, sessions and a mail system of its own, into which SCIM is mounted.
//!
//! `cargo run --example backend -- DIRECTORY 127.0.0.1:3000` serves it. The first start prints the connector URL, the token
//! and the owner's passphrase. Each start prints the secret for an authenticator app until one of its codes has been used.
//! Compiled code is kept in the directory, or in the one that a third argument names. Each part of the backend is in one file:
//!
//! | file | what it is | trait |
//! |---|---|---|
//! | `database.rs` | the backend's own tables: accounts, teams, sessions, letters | |
//! | `mirror.rs` | keeps accounts and teams as the identity provider wants them: in order, each event exactly once | `EventSubscriber` |
//! | `sessions.rs` | the backend's sessions open the SCIM page | `SessionProvider` |
//! | `second_factor.rs` | asks for a code of an authenticator app before most actions on the SCIM page whose effect outlives the session | `StepUp` |
//! | `letters.rs` | the backend's mail system | `Mailer` |
//! | `pages.rs` | sign-in for active accounts only, and a page that uses the provisioner's actions | |
//!
//! Storage, secrets and outgoing HTTP come from the crate. `storage::conformance` tests the rules for a storage of your own.

mod database;
mod letters;
mod mirror;
mod pages;
mod second_factor;
mod sessions;

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use insomnia_scim::capability::secrets::SecretKey;
use insomnia_scim::connector::{ExpiryWindow, IdentityProvider};
use insomnia_scim::directory::{Domain, Options, OrganizationRecord, Plan};
use insomnia_scim::http::HttpConfig;
use insomnia_scim::page::Page;
use insomnia_scim::storage::SqliteStorage;
use insomnia_scim::{ActionError, EnsuredOrganization, NewOrganization, OrganizationId, Owner, Provisioner};

use self::database::Database;
use self::letters::Letters;
use self::mirror::Mirror;
use self::second_factor::SecondFactor;
use self::sessions::BackendSessions;

/// The email address of the first owner.
const OWNER: &str = "owner@acme.example";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().unwrap_or_else(|| "backend-data".into());
    let listener = tokio::net::TcpListener::bind(arguments.next().as_deref().unwrap_or("127.0.0.1:3000")).await?;
    let base_url = format!("http://{}", listener.local_addr()?);
    let compiled = arguments.next().map_or_else(|| Path::new(&directory).join("compiled"), PathBuf::from);

    let database = Database::open(Path::new(&directory))?;
    let provisioner = provisioner(Path::new(&directory), &compiled, &base_url, &database).await?;
    let organization = OrganizationId::parse("acme")?;
    first_start(&provisioner, &database, &organization, &base_url).await?;
    // The owner must have an account before anybody can sign in.
    provisioner.run_all_due().await?;

    let sessions = Arc::new(BackendSessions::new(database.clone()));
    let second_factor = Arc::new(SecondFactor::new(database.clone()));
    let application = Router::new()
        .merge(pages::router(provisioner.clone(), database))
        .merge(provisioner.router())
        .merge(Page::new(&provisioner).sessions(sessions).step_up(second_factor).router());
    println!("serving {base_url}/");
    let stopping = provisioner.clone();
    let stop = async move {
        let _ = tokio::signal::ctrl_c().await;
        stopping.stop_waiting();
    };
    let serving = application.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, serving).with_graceful_shutdown(stop).await?;
    provisioner.flush().await?;
    Ok(())
}

/// Builds the provisioner with the parts of this backend.
async fn provisioner(
    directory: &Path,
    compiled: &Path,
    base_url: &str,
    database: &Database,
) -> Result<Provisioner, Box<dyn Error>> {
    let mirror = Arc::new(Mirror::new(database.clone()));
    let provisioner = Provisioner::builder()
        .storage(Arc::new(SqliteStorage::open(&directory.join("scim.db"))?))
        .secrets(Arc::new(SecretKey::in_file(&directory.join("secret.key"))?))
        .http(Arc::new(HttpConfig::default().client()?))
        .mailer(Arc::new(Letters::new(database.clone())))
        .subscriber(mirror.clone())
        .cache_dir(compiled)
        .base_url(base_url)
        .build()
        .await?;
    mirror.asks(provisioner.clone());
    Ok(provisioner)
}

/// Makes the organization and enables SCIM, unless an earlier start has done so. Each step checks what is there already, so
/// the next start continues a start that was interrupted.
async fn first_start(
    provisioner: &Provisioner,
    database: &Database,
    id: &OrganizationId,
    base_url: &str,
) -> Result<(), Box<dyn Error>> {
    let record = OrganizationRecord {
        name: "Acme".into(),
        plan: Plan::Enterprise,
        seats: 50,
        domains: vec![Domain { name: "acme.example".into(), verified: true }],
        single_sign_on: Some("okta".into()),
        options: Options::default(),
    };
    let passphrase = passphrase()?;
    let owner = Owner { email: OWNER.into(), display_name: Some("Olive".into()), passphrase: Some(passphrase.clone()) };
    let new = NewOrganization { owner: Some(owner), ..NewOrganization::new(id.clone(), record) };
    let ensured = provisioner.ensure_organization(new).await?;
    if matches!(ensured, EnsuredOrganization::Created(_)) {
        println!("owner {OWNER} passphrase {passphrase}");
    }
    let organization = ensured.organization();
    match organization.member(OWNER).await {
        Ok(owner) => {
            if let Some(url) = second_factor::enrol(database, id.as_str(), &owner.id, OWNER)? {
                println!("authenticator {url}");
            }
        }
        // The owner is somebody else by now.
        Err(ActionError::NotFound(_)) => {}
        Err(error) => return Err(error.into()),
    }
    // If somebody disables SCIM later, it must stay disabled.
    if organization.status().await?.generation == 0 {
        let issued = organization.enable(OWNER, IdentityProvider::Okta, ExpiryWindow::Days90).await?;
        println!("connector {base_url}/scim/v2/{id} token {}", issued.token);
    }
    Ok(())
}

/// A passphrase that nobody can guess, in hexadecimal digits.
fn passphrase() -> Result<String, getrandom::Error> {
    let mut random = [0_u8; 12];
    getrandom::fill(&mut random)?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}
