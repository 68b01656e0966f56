//! Organizations for these tests, each with an owner who can sign in.

use insomnia_scim::Organization as Library;
use insomnia_scim::connector::{ExpiryWindow, IdentityProvider};
use insomnia_scim::directory::{Domain, NewMember, Options, OrganizationRecord, Plan, Role};
use insomnia_scim_tests::client::Client;
use insomnia_scim_tests::person::unique;

use crate::page::browser::Browser;
use crate::page::host::Host;

/// The owner's passphrase.
pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

/// An organization of a host.
pub(crate) struct Organization<'h> {
    pub(crate) host: &'h Host,
    pub(crate) id: String,
    /// The address of its page.
    pub(crate) page: String,
    /// The owner's email address.
    pub(crate) owner: String,
    pub(crate) passphrase: String,
    pub(crate) library: Library,
}

impl Organization<'static> {
    /// One of the shared host that can enable SCIM.
    pub(crate) fn new(name: &str) -> Self {
        Self::of(Host::shared(), name)
    }
}

impl<'h> Organization<'h> {
    /// One that can enable SCIM.
    pub(crate) fn of(host: &'h Host, name: &str) -> Self {
        let id = unique(name);
        let record = record(&format!("Page & {name}"), &id);
        Self::create(host, &id, record)
    }

    /// One that meets as few requirements as there can be.
    pub(crate) fn without_requirements(host: &'h Host, name: &str) -> Self {
        let id = unique(name);
        let domains = vec![Domain { name: format!("{id}.example"), verified: false }];
        let record = OrganizationRecord { plan: Plan::Team, domains, single_sign_on: None, ..record(name, &id) };
        Self::create(host, &id, record)
    }

    /// One as the backend tells.
    pub(crate) fn create(host: &'h Host, id: &str, record: OrganizationRecord) -> Self {
        let library = host.create(id, record);
        let owner = format!("owner@{id}.example");
        let (page, id) = (library.page_url(), id.to_owned());
        let made = Self { host, page, id, owner, passphrase: PASSPHRASE.to_owned(), library };
        made.add(&made.owner, "Olivia Owner", Role::Owner);
        made
    }

    /// Adds a member by hand, whose passphrase is the owner's.
    pub(crate) fn add(&self, email: &str, name: &str, role: Role) {
        let (email, display_name, passphrase) = (email.to_owned(), name.to_owned(), Some(PASSPHRASE.to_owned()));
        let new = NewMember { email, display_name, role, passphrase };
        self.host.run(self.library.add_member(new)).expect("a new member");
    }

    /// Changes what the backend tells.
    pub(crate) fn change(&self, change: impl FnOnce(&mut OrganizationRecord)) {
        let mut record = self.host.run(self.library.get()).expect("an answer").expect("a record");
        change(&mut record);
        self.host.run(self.library.put(record)).expect("the organization's record");
    }

    /// Enables SCIM without the page; a client with the token.
    pub(crate) fn enable(&self, window: ExpiryWindow) -> Client {
        let issued = self.host.run(self.library.enable(&self.owner, IdentityProvider::Okta, window)).expect("a token");
        Client::new(&self.library.connector_url(), &issued.token)
    }

    /// The address of a view.
    pub(crate) fn view(&self, view: &str) -> String {
        if view.is_empty() { self.page.clone() } else { format!("{}/{view}", self.page) }
    }

    /// The path of the page.
    pub(crate) fn home(&self) -> String {
        format!("/organizations/{}/scim", self.id)
    }

    /// Signs the owner in.
    #[track_caller]
    pub(crate) fn sign_in(&self, browser: &Browser) {
        browser.go(&self.page);
        browser.sign_in(&self.owner, &self.passphrase);
        browser.wait_for_text("h1", "SCIM");
    }
}

/// What the backend tells of an organization that can enable SCIM.
pub(crate) fn record(name: &str, id: &str) -> OrganizationRecord {
    OrganizationRecord {
        name: name.to_owned(),
        plan: Plan::Enterprise,
        seats: 5,
        domains: vec![Domain { name: format!("{id}.example"), verified: true }],
        single_sign_on: Some("okta".into()),
        options: Options::default(),
    }
}
