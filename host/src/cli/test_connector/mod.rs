//! `test-connector`: does with any SCIM connector what an identity provider does, and shows the first exchange that
//! goes wrong. It works over HTTP only, so it also tests the proxy in front, and other service providers.

mod exchange;
mod walk;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::json;
use url::Url;

use super::config::Settings;
use super::{output, passphrase};
use exchange::Connection;
use walk::walk;

/// Arguments of `test-connector`.
///
/// The command creates a user, and finds, changes, deactivates and deletes it. Insomnia emails new members: give the
/// user an address of yours if somebody should get that email.
#[derive(Args)]
pub(super) struct TestConnector {
    /// The connector URL, as an identity provider is given it.
    #[arg(value_name = "CONNECTOR-URL", value_parser = connector_url)]
    url: Url,
    /// A file that holds the connector's token. Without one, the token is a line of standard input, or the value of the
    /// variable INSOMNIA_SCIM_TOKEN.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A PEM file of certificate authorities to trust beside Mozilla's, for a connector with a certificate of your own
    /// authority.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// The userName and address of the user that is created. [default: scim-test-… at example.com]
    #[arg(long, value_name = "ADDRESS")]
    user_name: Option<String>,
}

/// Reads a connector URL.
///
/// # Errors
/// The error says in words what is expected.
fn connector_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    url.ok_or_else(|| {
        format!(
            "{text:?} is not a connector URL: it begins with https:// (or with http:// on a network that nobody else \
             reads), such as https://scim.example.com/scim/v2/acme"
        )
    })
}

impl TestConnector {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let token = self.token()?;
        let name = match self.user_name {
            Some(name) => name,
            None => format!("scim-test-{}@example.com", passphrase::generate()?.replace('-', "")),
        };
        let connection = Connection::new(self.url, token, self.ca_file)?;
        let mut steps = Vec::new();
        let failure = walk(&connection, &name, &mut steps).await.err();
        if settings.json {
            let passed: Vec<_> = steps.iter().map(|step| step.name()).collect();
            let failed = failure.as_ref().map(|failure| {
                json!({
                    "step": failure.step.name(),
                    "expected": failure.expected,
                    "got": failure.got,
                    "request": failure.exchange.request(),
                    "answer": failure.exchange.answer(),
                })
            });
            let outcome = json!({ "connector_url": connection.url(), "passed": passed, "failed": failed });
            output::print(&format!("{outcome}\n"));
        } else {
            steps.iter().for_each(|step| output::print(&format!("ok      {}\n", step.name())));
            if let Some(failure) = &failure {
                output::print(&format!(
                    "FAILED  {}\n\nexpected: {}\ngot:      {}\n",
                    failure.step.name(),
                    failure.expected,
                    output::visible(&failure.got)
                ));
                // The answer of another server may contain any characters, also those that change the terminal.
                let answer: Vec<String> = failure.exchange.answer().lines().map(output::visible).collect();
                let (request, answer) = (failure.exchange.request(), answer.join("\n"));
                output::print(&format!("\n{request}\n\n{answer}\n\n"));
            }
        }
        match failure {
            None => Ok(()),
            Some(failure) => bail!(
                "the connector failed at {:?}: expected {}, got {}",
                failure.step.name(),
                failure.expected,
                output::visible(&failure.got)
            ),
        }
    }

    fn token(&self) -> anyhow::Result<String> {
        let token = match &self.token_file {
            Some(path) => fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?,
            None => match std::env::var("INSOMNIA_SCIM_TOKEN") {
                Ok(token) => token,
                Err(_) => std::io::read_to_string(std::io::stdin()).context("standard input can't be read")?,
            },
        };
        let token = token.trim();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!("there is no token: name a --token-file, or write the token to standard input");
        }
        Ok(token.to_owned())
    }
}
