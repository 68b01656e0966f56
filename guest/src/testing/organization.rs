//! An organization with SCIM enabled over a host in memory, and the host's scheduler.

use std::cell::{Cell, RefCell};

use insomnia_scim_contract::{Act, Member, NewMember, RunContext};
use serde_json::Value;

use super::MemoryHost;
use crate::capability::Host;
use crate::connector::{self, Window};
use crate::directory::{self, DirectoryError};
use crate::endpoint::handle;
use crate::jobs;
use crate::protocol::message::{Request, Response};
use crate::store::{Domain, OrganizationRecord, Plan, Role, Store, StoreError};

/// A day in milliseconds.
pub const DAY: u64 = 24 * 60 * 60 * 1_000;

/// Adds a member by hand, as the backend does.
///
/// # Errors
/// [`DirectoryError`] says why not.
pub fn add_member(store: &Store, new: &NewMember) -> Result<Member, DirectoryError> {
    directory::add_member(store, &Act::of_backend(), new)
}

/// An organization with SCIM enabled.
pub struct TestOrganization {
    /// The host.
    pub host: MemoryHost,
    /// The token of the identity provider.
    pub token: String,
    /// The context that the host passes to the jobs.
    pub context: RefCell<RunContext>,
    /// When the jobs are to run next.
    due: Cell<Option<u64>>,
}

impl TestOrganization {
    /// The email address of the owner.
    pub const OWNER: &str = "owner@example.com";
    /// The email address of a co-owner.
    pub const CO_OWNER: &str = "co-owner@example.com";
    /// The passphrase of the owner.
    pub const PASSPHRASE: &str = "four words of theirs";

    /// An organization with this number of seats and a token of this window. An owner and a co-owner take two of the
    /// seats.
    ///
    /// # Errors
    /// No errors are expected.
    pub fn new(seats: u32, window: Window) -> Result<Self, DirectoryError> {
        let host = MemoryHost::at(1_760_000_000_000);
        let mut organization = OrganizationRecord {
            name: "Example".into(),
            plan: Plan::Enterprise,
            seats,
            domains: vec![Domain { name: "example.com".into(), verified: true }],
            single_sign_on: Some("okta".into()),
            ..OrganizationRecord::default()
        };
        let store = host.host().store();
        organization.options.passphrase_emails = false;
        directory::put_organization(&store, &organization)?;
        let people = [(Self::OWNER, Role::Owner, Some(Self::PASSPHRASE)), (Self::CO_OWNER, Role::CoOwner, None)];
        for (email, role, passphrase) in people {
            let (email, display_name) = (email.to_owned(), format!("The {}", role.name()));
            add_member(&store, &NewMember { email, display_name, role, passphrase: passphrase.map(str::to_owned) })?;
        }
        organization.options.passphrase_emails = true;
        directory::put_organization(&store, &organization)?;
        let token = connector::enable(&store, Self::OWNER, "okta", window)
            .map_err(|error| DirectoryError::Invalid(error.to_string()))?
            .token;
        Ok(Self { host, token, context: RefCell::default(), due: Cell::new(None) })
    }

    /// A store for the organization's data.
    #[must_use]
    pub fn store(&self) -> Store<'_> {
        self.host.host().store()
    }

    /// Changes the data that the backend sends about the organization.
    ///
    /// # Errors
    /// No errors are expected.
    pub fn change(&self, change: impl Fn(&mut OrganizationRecord)) -> Result<(), DirectoryError> {
        let store = self.store();
        let mut record = store.organization()?.map(|stored| stored.record).unwrap_or_default();
        change(&mut record);
        directory::put_organization(&store, &record)
    }

    /// Sends a request as the identity provider; returns the status and the body of the response.
    pub fn scim(&self, method: &str, target: &str, body: Option<Value>) -> (u16, Value) {
        self.scim_over(self.host.host(), method, target, body)
    }

    /// Like [`TestOrganization::scim`], with another host.
    pub fn scim_over(&self, host: Host<'_>, method: &str, target: &str, body: Option<Value>) -> (u16, Value) {
        let response = self.send(host, (method, target), &[], body);
        (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
    }

    /// Sends a request with a method, a target, and these header fields in addition to the token; returns the response.
    pub fn send(
        &self,
        host: Host<'_>,
        (method, target): (&str, &str),
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Response {
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query.to_owned())));
        let request = Request {
            method: method.into(),
            path: path.into(),
            query,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .chain([("authorization".to_owned(), format!("Bearer {}", self.token))])
                .collect(),
            body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
            base_url: "https://scim.example/scim/v2/org".into(),
            request_id: "r1".into(),
            sender_address: None,
        };
        // No two requests arrive in the same millisecond.
        self.host.set_now(self.host.host().clock.now() + 1);
        handle(host, &request)
    }

    /// Runs the jobs whenever they are due, as the host's scheduler does, until this time.
    ///
    /// # Errors
    /// Those of the jobs.
    pub fn live_until(&self, end: u64) -> Result<(), StoreError> {
        loop {
            let now = self.store().now();
            let due = [self.due.take(), self.host.take_wake()].into_iter().flatten().min();
            self.due.set(due);
            match due {
                Some(due) if due <= end => {
                    self.host.set_now(due.max(now));
                    self.due.set(None);
                    let next = jobs::run_due(self.host.host(), &self.context.borrow())?;
                    self.due.set(next.map(|next| next.max(due.max(now) + 20)));
                }
                _ => {
                    self.host.set_now(end.max(now));
                    return Ok(());
                }
            }
        }
    }

    /// Runs the jobs whenever they are due, for this many milliseconds.
    ///
    /// # Errors
    /// Those of the jobs.
    pub fn live_for(&self, milliseconds: u64) -> Result<(), StoreError> {
        self.live_until(self.store().now() + milliseconds)
    }

    /// The events so far, in the order of their keys, as JSON.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        let (mut events, mut after) = (Vec::new(), None::<String>);
        while let Ok((page, more)) = self.store().events(after.as_deref(), 500) {
            events.extend(page.iter().filter_map(|event| serde_json::from_slice(&event.json).ok()));
            after = page.last().map(|last| last.position.clone());
            if !more {
                break;
            }
        }
        events
    }

    /// The types of the events so far.
    #[must_use]
    pub fn event_types(&self) -> Vec<String> {
        let text = |event: &Value| event.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.events().iter().map(text).collect()
    }

    /// The subjects of the emails that were sent to this address, in order.
    #[must_use]
    pub fn subjects_to(&self, address: &str) -> Vec<String> {
        let emails = self.host.emails.borrow();
        emails.iter().filter(|email| email.to == address).map(|email| email.subject.clone()).collect()
    }
}
