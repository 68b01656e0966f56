//! The table `[alerts]` of the configuration file: who is told of problems that need a person.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use url::Url;

use crate::alerts::{AlertCause, AlertWebhook, Alerts};
use crate::http::HttpConfig;

/// The longest pause between two looks, in seconds. With it, a problem is still told on the same day.
const LONGEST_PAUSE: u64 = 24 * 60 * 60;
/// The most free space that may be demanded, in MiB: a pebibyte.
const MOST_ROOM: u64 = 1 << 30;

/// The table `[alerts]` of the configuration file; flags of `serve` come before it.
///
/// ```toml
/// [alerts]
/// mail = ["ops@example.com"]
/// webhook = "https://ops.example.com/hooks/scim"
/// webhook-secret-file = "/run/secrets/alerts"
/// leave-out = ["token-expiring-soon"]
/// ```
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct AlertsTable {
    /// The addresses that alerts are mailed to.
    pub(super) mail: Vec<String>,
    /// The URL to which alerts are posted.
    pub(super) webhook: Option<String>,
    /// The file that holds the key, `whsec_…`, with which posts to the URL are signed.
    pub(super) webhook_secret_file: Option<PathBuf>,
    /// The causes of which nobody is told.
    leave_out: Vec<String>,
    /// How often all organizations are looked at, in seconds: 1 to 86,400. Default: 300.
    every_seconds: Option<u64>,
    /// The least free space in the data directory, in MiB: 0, which demands none, to 1,073,741,824. Default: 1,024.
    disk_free_mib: Option<u64>,
}

impl AlertsTable {
    /// Whether there is a receiver of alerts.
    pub(super) fn tells_somebody(&self) -> bool {
        !self.mail.is_empty() || self.webhook.is_some()
    }

    /// The alerts that the table describes. They include one about the free space in the data directory `data`. `http`
    /// are the settings of outgoing HTTP.
    ///
    /// # Errors
    /// The error says which setting can't be used.
    pub(super) fn alerts(&self, data: &Path, http: &HttpConfig) -> anyhow::Result<Alerts> {
        let left_out: Result<Vec<AlertCause>, _> = self.leave_out.iter().map(|name| name.parse()).collect();
        let mut alerts = Alerts::default().mail(self.mail.clone())?;
        alerts = alerts.leave_out(left_out.context("`leave-out` in the table [alerts] of the configuration file")?);
        if let Some(seconds) = self.every_seconds {
            let most = LONGEST_PAUSE;
            ensure!(
                (1..=most).contains(&seconds),
                "`every-seconds` in the table [alerts] is 1 to {most}, and not {seconds}"
            );
            alerts = alerts.every(Duration::from_secs(seconds));
        }
        if let Some(size) = self.disk_free_mib {
            ensure!(
                size <= MOST_ROOM,
                "`disk-free-mib` in the table [alerts] is 0 (no alert) to {MOST_ROOM}, and not {size}"
            );
        }
        alerts = alerts.disk(data, self.disk_free_mib.map(|size| size << 20));
        match (&self.webhook, &self.webhook_secret_file) {
            (Some(url), Some(path)) => {
                let key = fs::read_to_string(path);
                let key =
                    key.with_context(|| format!("the key of the alerts' webhook, {}, can't be read", path.display()))?;
                let client = Arc::new(reaching(url, http).client()?);
                Ok(alerts.webhook(AlertWebhook::new(url, &key, client)?))
            }
            (None, None) => Ok(alerts),
            (Some(_), None) => {
                bail!(
                    "what is posted to the alerts' webhook is signed: name its key with --alert-webhook-secret-file \
                     FILE"
                )
            }
            (None, Some(_)) => bail!("there is a key for the alerts' webhook and no webhook: set --alert-webhook URL"),
        }
    }
}

/// The settings of outgoing HTTP, changed so that requests may also go to this URL. It is the operator's own, and may
/// be on an internal network.
pub(super) fn reaching(url: &str, http: &HttpConfig) -> HttpConfig {
    let mut http = HttpConfig { only: None, organizations: Default::default(), ..http.clone() };
    if let Ok(url) = Url::parse(url)
        && let (Some(name), Some(port)) = (url.host_str(), url.port_or_known_default())
    {
        http.permit.push(format!("{}://{name}:{port}", url.scheme()));
    }
    http
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::Common;
    use crate::cli::config::Settings;

    fn alerts(table: &str) -> anyhow::Result<Alerts> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        fs::write(directory.path().join("key"), "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n").unwrap();
        let table = table.replace("KEY", directory.path().join("key").to_str().unwrap());
        fs::write(&path, format!("[alerts]\n{table}")).unwrap();
        Settings::resolve(Common { data: Some("/given".into()), config: Some(path), ..Common::default() })?.alerts()
    }

    #[test]
    fn p9_alerts_are_a_table_of_the_file_and_what_is_wrong_in_it_is_said_at_once() {
        let set = "mail = ['ops@example.com']\nwebhook = 'https://ops.internal/x'\nwebhook-secret-file = 'KEY'\n\
                   leave-out = ['seats-full']\nevery-seconds = 60\ndisk-free-mib = 7";
        assert_eq!(alerts(set).unwrap().receivers(), ["mail:ops@example.com", "webhook:ops.internal#a9251961"]);
        assert!(alerts("").unwrap().receivers().is_empty());
        assert!(alerts("disk-free-mib = 0").is_ok());
        for (table, said) in [
            ("mail = ['ops']", "no email address"),
            ("webhook = 'https://ops.example.com'", "--alert-webhook-secret-file"),
            ("webhook-secret-file = 'KEY'", "--alert-webhook URL"),
            ("webhook = 'http://ops.example.com'\nwebhook-secret-file = 'KEY'", "https"),
            ("webhook = 'https://ops.example.com'\nwebhook-secret-file = '/nowhere/key'", "/nowhere/key"),
            ("leave-out = ['seats']", "seats-full"),
            ("every-seconds = 0", "is 1 to 86400, and not 0"),
            ("every-seconds = 86401", "is 1 to 86400"),
            ("disk-free-mib = 9223372036854775807", "is 0 (no alert) to 1073741824"),
            ("mails = ['ops@example.com']", "mails"),
        ] {
            let error = format!("{:#}", alerts(table).err().expect(table));
            assert!(error.contains(said), "{table}: {error}");
        }
    }
}
