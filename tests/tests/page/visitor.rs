//! A visitor of the page without a browser, who can send what a browser would not, and reads every header field.

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};

use insomnia_scim_tests::client::{Client, Request, Response, encode};

use crate::page::organization::Organization;

/// Keeps the cookie, sends forms, follows nothing.
pub(crate) struct Visitor {
    client: Client,
    /// `name=value` of the session.
    pub(crate) cookie: RefCell<Option<String>>,
    /// `name=value` of the browser.
    pub(crate) device: RefCell<Option<String>>,
}

impl Visitor {
    /// At an organization's page, not signed in.
    pub(crate) fn new(organization: &Organization<'_>) -> Self {
        Self::at(&organization.page)
    }

    /// At this address. Everyone comes from an address of their own, so that nobody has to wait for the tries of others.
    pub(crate) fn at(page: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let from = Ipv4Addr::from_bits(u32::from(Ipv4Addr::new(10, 0, 0, 0)) + COUNT.fetch_add(1, Ordering::Relaxed));
        let client = Client::bare(page).header("X-Forwarded-For", &from.to_string());
        Self { client, cookie: RefCell::new(None), device: RefCell::new(None) }
    }

    /// At an organization's page, signed in as its owner.
    #[track_caller]
    pub(crate) fn owner(organization: &Organization<'_>) -> Self {
        let visitor = Self::new(organization);
        visitor.sign_in(&organization.owner, &organization.passphrase).is(303);
        visitor
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Response {
        self.send(Request::new("GET", path))
    }

    /// Sends a form.
    #[track_caller]
    pub(crate) fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.send(form(path, fields))
    }

    #[track_caller]
    pub(crate) fn send(&self, mut request: Request) -> Response {
        let cookies = [self.cookie.borrow().clone(), self.device.borrow().clone()];
        let cookies = cookies.into_iter().flatten().collect::<Vec<_>>().join("; ");
        if !cookies.is_empty() {
            request = request.header("Cookie", &cookies);
        }
        let response = self.client.send(&request);
        for (_, field) in response.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")) {
            let pair = field.split(';').next().unwrap_or_default().to_owned();
            let (name, value) = pair.split_once('=').unwrap_or_default();
            let slot = if name.ends_with("-device") { &self.device } else { &self.cookie };
            *slot.borrow_mut() = (!value.is_empty()).then(|| pair.clone());
        }
        response
    }

    #[track_caller]
    pub(crate) fn sign_in(&self, email: &str, passphrase: &str) -> Response {
        self.post("/sign-in", &[("email", email), ("passphrase", passphrase)])
    }

    /// Chooses a passphrase in the place of the initial one, which the page asks for at the first sign-in.
    #[track_caller]
    pub(crate) fn choose_passphrase(&self, initial: &str, chosen: &str) {
        let form = self.get("/passphrase").is(200).text();
        let csrf = form.split_once("name=\"csrf\" value=\"").map_or("", |(_, rest)| rest);
        let csrf = csrf.split('"').next().unwrap_or_default();
        let fields = [("csrf", csrf), ("current", initial), ("chosen", chosen), ("again", chosen)];
        self.post("/passphrase", &fields).is(303);
    }

    /// What the forms of this session carry.
    #[track_caller]
    pub(crate) fn csrf(&self) -> String {
        let page = self.get("").text();
        let rest = page.split_once("name=\"csrf\" value=\"").map_or("", |(_, rest)| rest);
        rest.split('"').next().unwrap_or_default().to_owned()
    }
}

/// A form as a browser sends it.
pub(crate) fn form(path: &str, fields: &[(&str, &str)]) -> Request {
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    Request::new("POST", path).header("Content-Type", "application/x-www-form-urlencoded").body(pairs.join("&"))
}
