//! The settings of alerts: the receivers, and the causes.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use insomnia_scim_contract::is_address;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::cause::AlertCause;
use super::disk::LITTLE_SPACE;
use crate::capability::http::HttpClient;

/// How often all organizations are looked at.
const EVERY: Duration = Duration::from_secs(5 * 60);
/// The most email addresses.
const MOST_ADDRESSES: usize = 20;
/// The prefix of the signing key in the form that people see.
const PREFIX: &str = "whsec_";
/// How many bytes the key may have, as Standard Webhooks has it.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The reason why these settings of alerts are not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAlerts {
    /// The text is not an email address to which alerts can be sent.
    #[error("{0:?} is no email address that alerts can be sent to")]
    Address(String),
    /// There are more than 20 addresses.
    #[error("alerts can be mailed to {MOST_ADDRESSES} addresses at the most; use the address of a list")]
    TooManyAddresses,
    /// The URL can't be that of a webhook.
    #[error("the alerts' webhook is not an https URL without user and password, nor an http URL of this machine: {0}")]
    Url(String),
    /// The key does not have the form of a signing key.
    #[error(
        "the key of the alerts' webhook is not {PREFIX} with 24 to 64 bytes in base64 after it, as this prints it: \
         echo {PREFIX}$(openssl rand -base64 32)"
    )]
    Key,
}

/// A webhook to which alerts are posted, signed as Standard Webhooks requires.
#[derive(Clone)]
pub struct AlertWebhook {
    pub(super) url: String,
    pub(super) key: Vec<u8>,
    pub(super) client: Arc<dyn HttpClient>,
}

impl AlertWebhook {
    /// A webhook at this URL, which must be `https` unless it is on this machine. `key` is `whsec_` with 24 to 64 bytes
    /// in base64 after it. The client that sends the requests is given here, since the operator's receiver may have an
    /// address that organizations' webhooks may not use.
    ///
    /// # Errors
    /// [`InvalidAlerts::Url`] or [`InvalidAlerts::Key`].
    pub fn new(url: &str, key: &str, client: Arc<dyn HttpClient>) -> Result<Self, InvalidAlerts> {
        let parsed = Url::parse(url).map_err(|_| InvalidAlerts::Url("it is no URL".into()))?;
        // The text shows no part of the URL that may be secret.
        let invalid =
            || InvalidAlerts::Url(format!("{}://{}/…", parsed.scheme(), parsed.host_str().unwrap_or_default()));
        let is_here = match parsed.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(invalid()),
        };
        let is_open = !parsed.username().is_empty() || parsed.password().is_some();
        if is_open || !(parsed.scheme() == "https" || parsed.scheme() == "http" && is_here) {
            return Err(invalid());
        }
        let key = key.trim().strip_prefix(PREFIX).and_then(|key| STANDARD.decode(key).ok());
        let key = key.filter(|key| KEY_BYTES.contains(&key.len())).ok_or(InvalidAlerts::Key)?;
        Ok(Self { url: url.to_owned(), key, client })
    }

    /// Its name in logs and in alerts' records. The name does not show the path and the query of the URL, since for
    /// many receivers they are the secret.
    pub(super) fn name(&self) -> String {
        let host = Url::parse(&self.url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        let digest = hex::encode(&Sha256::digest(&self.url)[..4]);
        format!("webhook:{host}#{digest}")
    }
}

/// Alerts to the operator. [`Alerts::watch`] looks for problems and sends alerts.
///
/// Without an address and a webhook, alerts are only in the log, in the metrics and in [`Provisioner::alerts`].
///
/// [`Provisioner::alerts`]: crate::Provisioner::alerts
#[derive(Clone)]
pub struct Alerts {
    pub(super) addresses: Vec<String>,
    pub(super) webhook: Option<AlertWebhook>,
    pub(super) left_out: BTreeSet<AlertCause>,
    pub(super) every: Duration,
    /// The directory of the data, and the least free space there, in bytes.
    pub(super) disk: Option<(PathBuf, u64)>,
    /// The name of this host.
    pub(super) host: String,
}

impl Default for Alerts {
    fn default() -> Self {
        let (addresses, webhook, left_out, disk) = Default::default();
        Self { addresses, webhook, left_out, every: EVERY, disk, host: host_name() }
    }
}

impl Alerts {
    /// Mails alerts to these addresses, at most 20. Each gets its own email.
    ///
    /// # Errors
    /// [`InvalidAlerts::Address`] names the text that is no address, or [`InvalidAlerts::TooManyAddresses`].
    pub fn mail(mut self, addresses: Vec<String>) -> Result<Self, InvalidAlerts> {
        if let Some(wrong) = addresses.iter().find(|address| !is_address(address)) {
            return Err(InvalidAlerts::Address(wrong.clone()));
        }
        if addresses.len() > MOST_ADDRESSES {
            return Err(InvalidAlerts::TooManyAddresses);
        }
        self.addresses = addresses;
        self.addresses.sort();
        self.addresses.dedup();
        Ok(self)
    }

    /// Posts alerts to this webhook.
    #[must_use]
    pub fn webhook(mut self, webhook: AlertWebhook) -> Self {
        self.webhook = Some(webhook);
        self
    }

    /// Sends no alerts with these causes. They are still in the log, in the metrics and in [`Provisioner::alerts`].
    ///
    /// [`Provisioner::alerts`]: crate::Provisioner::alerts
    #[must_use]
    pub fn leave_out(mut self, causes: impl IntoIterator<Item = AlertCause>) -> Self {
        self.left_out.extend(causes);
        self
    }

    /// How often all organizations are looked at. The default is every five minutes. A pause of less than a second is
    /// taken for one second, and a pause of more than six hours for six hours. If a look takes long, the pause after it
    /// is longer, so that looks take at most a twentieth of the time.
    #[must_use]
    pub fn every(mut self, pause: Duration) -> Self {
        self.every = pause.max(Duration::from_secs(1));
        self
    }

    /// Sends an alert when the directory of the data has less free space than this many bytes, or than 1 GiB without a
    /// number.
    #[must_use]
    pub fn disk(mut self, directory: impl Into<PathBuf>, least: Option<u64>) -> Self {
        self.disk = Some((directory.into(), least.unwrap_or(LITTLE_SPACE)));
        self
    }

    /// The names of the receivers: `mail:` and an address, or the name of the webhook, which consists of its host and a
    /// part of its URL's hash.
    pub fn receivers(&self) -> Vec<String> {
        let addresses = self.addresses.iter().map(|address| format!("mail:{address}"));
        addresses.chain(self.webhook.as_ref().map(AlertWebhook::name)).collect()
    }
}

/// The system's name of this machine, in characters that a key may contain.
fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let is_plain = |character: &char| character.is_ascii_alphanumeric() || ".-_".contains(*character);
    let name: String = name.chars().filter(is_plain).take(64).collect();
    if name.is_empty() { "host".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::http::NoHttpClient;

    fn webhook(url: &str, key: &str) -> Result<AlertWebhook, InvalidAlerts> {
        AlertWebhook::new(url, key, Arc::new(NoHttpClient))
    }

    #[test]
    fn p9_addresses_url_and_key_of_alerts_are_checked_before_the_first_one_is_sent() {
        let key = format!("{PREFIX}{}", STANDARD.encode([7; 32]));
        for url in ["https://ops.example.com/hook", "http://127.0.0.1:9/x", "http://localhost/x", "http://[::1]:9"] {
            assert!(webhook(url, &format!("{key}\n")).is_ok(), "{url}");
        }
        for url in ["http://ops.example.com", "ftp://ops.example.com", "https://u:p@ops.example.com", "ops.example.com"]
        {
            assert!(matches!(webhook(url, &key), Err(InvalidAlerts::Url(_))), "{url}");
        }
        for key in ["", "secret", &key[6..], "whsec_", "whsec_!", "whsec_c2hvcnQ="] {
            assert!(matches!(webhook("https://ops.example.com", key), Err(InvalidAlerts::Key)), "{key}");
        }
        let mail = |addresses: &[&str]| Alerts::default().mail(addresses.iter().map(|one| (*one).to_owned()).collect());
        assert_eq!(mail(&["ops@example.com", "b@example.com"]).unwrap().receivers().len(), 2);
        assert_eq!(mail(&["ops@example.com", "ops"]).err(), Some(InvalidAlerts::Address("ops".into())));
        assert_eq!(mail(&["ops@example.com"; 21]).err(), Some(InvalidAlerts::TooManyAddresses));
    }
}
