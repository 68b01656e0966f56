//! SCIM inside another application, with the application's own routes and its own storage.
//!
//! Run it with `cargo run --example embed`, and send a request with the command that it prints.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::{Router, routing::get};
use insomnia_scim::connector::{ExpiryWindow, IdentityProvider};
use insomnia_scim::directory::{Domain, Options, OrganizationRecord, Plan};
use insomnia_scim::storage::MemoryStorage;
use insomnia_scim::{NewOrganization, OrganizationId, Owner, Provisioner};

/// The application's routes, and the token that opens `/scim/v2/acme`.
pub(crate) async fn application() -> Result<(Router, String), Box<dyn Error>> {
    let storage = Arc::new(MemoryStorage::new());
    let provisioner = Provisioner::builder().storage(storage).base_url("http://127.0.0.1:3000").build().await?;
    let record = OrganizationRecord {
        name: "Acme".into(),
        plan: Plan::Enterprise,
        seats: 50,
        domains: vec![Domain { name: "acme.example".into(), verified: true }],
        single_sign_on: Some("okta".into()),
        options: Options::default(),
    };
    let email = "owner@acme.example";
    let passphrase = Some("correct horse battery staple".into());
    let owner = Owner { email: email.into(), display_name: Some("Olive".into()), passphrase };
    let acme = NewOrganization { owner: Some(owner), ..NewOrganization::new(OrganizationId::parse("acme")?, record) };
    let acme = provisioner.create_organization(acme).await?.organization;
    let issued = acme.enable(email, IdentityProvider::Okta, ExpiryWindow::Days90).await?;
    let routes = Router::new().route("/", get(|| async { "The application's own page\n" }));
    Ok((routes.merge(provisioner.router()), issued.token))
}

#[cfg_attr(test, allow(dead_code, reason = "the library's tests use only the function above"))]
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (application, token) = application().await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("curl -H 'Authorization: Bearer {token}' http://127.0.0.1:3000/scim/v2/acme/Users");
    // With the addresses of peers the log says who sent a request, and wrong tries are counted by address.
    axum::serve(listener, application.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
