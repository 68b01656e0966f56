//! Organizations to look at: made by the command line, with an owner who can sign in.

use insomnia_scim_tests::person::unique;
use insomnia_scim_tests::scim::text;
use insomnia_scim_tests::server::{Server, shared};
use serde_json::Value;

use crate::browser::Browser;

/// An organization of the shared server, with SCIM not enabled yet.
pub struct Organization {
    pub id: String,
    pub page: String,
    pub owner: String,
    pub passphrase: String,
}

impl Organization {
    /// One that can enable SCIM.
    pub fn new(name: &str) -> Self {
        Self::create(shared(), name, &["--domain", "page.example", "--sso", "okta"])
    }

    /// One that meets as few requirements as there can be.
    pub fn without_requirements(name: &str) -> Self {
        Self::create(shared(), name, &["--plan", "team"])
    }

    fn create(server: &Server, name: &str, facts: &[&str]) -> Self {
        let id = unique(name);
        let owner = format!("owner@{id}.example");
        let mut command = vec!["org", "create", &id, "--seats", "3", "--owner", &owner];
        command.extend_from_slice(facts);
        let made = server.command(&command);
        let demo = &server.demo().page_url;
        let page = demo.replace(&format!("/{}/", server.demo().organization), &format!("/{id}/"));
        Self { passphrase: text(&made["owner"], "passphrase"), id, page, owner }
    }

    /// The demo organization.
    pub fn demo() -> Self {
        let demo = shared().demo().clone();
        Self { id: demo.organization, page: demo.page_url, owner: demo.owner_email, passphrase: demo.owner_passphrase }
    }

    /// Adds a member and returns the passphrase.
    pub fn add_member(&self, email: &str, role: &str) -> String {
        let added: Value = shared().command(&["member", "add", email, "--organization", &self.id, "--role", role]);
        text(&added, "passphrase")
    }

    /// The address of a view.
    pub fn view(&self, view: &str) -> String {
        format!("{}/{view}", self.page)
    }

    /// Signs the owner in.
    #[track_caller]
    pub fn sign_in(&self, browser: &Browser) {
        browser.go(&self.page);
        browser.type_into("#email", &self.owner);
        browser.type_into("#passphrase", &self.passphrase);
        browser.click("main button[type=submit]");
        browser.wait_for_text("h1", "SCIM");
    }
}
