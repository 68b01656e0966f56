//! The checks, one function each.

use std::fs;
use std::time::{Duration, SystemTime};

use tokio::net::lookup_host;
use tokio::time::timeout;
use url::{Host, Url};

use super::super::config::Settings;
use super::super::{alerts, data, host, otlp, serve};
use super::{Finding, keys};
use crate::alerts::disk::{LITTLE_SPACE, free_space, size};
use crate::storage::examine;

/// With less than this nothing can be written soon, in bytes.
const NO_SPACE: u64 = 64 << 20;
/// How far a file's time may lie in the future.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);
/// How long a name may take to be resolved.
const RESOLUTION: Duration = Duration::from_secs(5);

/// Whether the data directory is there, and its owner's only.
pub(super) fn directory(settings: &Settings) -> Finding {
    let check = "data";
    let path = settings.data.display();
    match fs::metadata(&settings.data) {
        Err(error) => Finding::bad(
            check,
            format!("{path}: {error}"),
            "name the right --data DIR; `insomnia-scim serve` or `org create` begins a new one",
        ),
        Ok(metadata) if others_may(&metadata) => Finding::warning(
            check,
            format!("{path} is open to other users"),
            "chmod 700, since it holds people's names",
        ),
        Ok(_) => Finding::good(check, path.to_string()),
    }
}

/// Whether the host key is its owner's only.
pub(super) fn key_file(settings: &Settings) -> Finding {
    let check = "host key";
    let path = settings.data.join(data::KEY);
    match fs::metadata(&path) {
        Err(error) => Finding::bad(check, format!("{}: {error}", path.display()), "restore it from a backup"),
        Ok(metadata) if others_may(&metadata) => Finding::warning(
            check,
            format!("{} is open to other users", path.display()),
            "chmod 600: whoever reads it can open what the database holds sealed",
        ),
        Ok(_) => Finding::good(check, path.display().to_string()),
    }
}

/// Whether there is room to write.
pub(super) fn disk(settings: &Settings) -> Finding {
    let check = "disk";
    let advice = "make room: on a full disk every change is refused, and only reads go on";
    match free_space(&settings.data) {
        Err(error) => Finding::warning(check, format!("the free space can't be told: {error}"), "look by hand: df -h"),
        Ok(free) if free < NO_SPACE => Finding::bad(check, format!("{} free", size(free)), advice),
        Ok(free) if free < LITTLE_SPACE => Finding::warning(check, format!("{} free", size(free)), advice),
        Ok(free) => Finding::good(check, format!("{} free", size(free))),
    }
}

/// Whether the database is whole.
pub(super) async fn database(settings: &Settings) -> Finding {
    let check = "database";
    if let Some(storage) = &settings.storage {
        // Whether it answers is the component's check; whether it is whole is for PostgreSQL's own tools.
        return Finding::good(check, storage.to_string());
    }
    let path = settings.data.join(data::DATABASE);
    let examined = tokio::task::spawn_blocking(move || examine(&path)).await;
    match examined {
        Err(error) => Finding::bad(check, error.to_string(), "try again"),
        Ok(Err(error)) => Finding::bad(
            check,
            error.to_string(),
            "look whether it is there and yours to read and write; if it is lost or broken, restore a backup",
        ),
        Ok(Ok(found)) if !found.faults.is_empty() => Finding::bad(
            check,
            found.faults.join("; "),
            "stop the server, keep a copy of the data directory, and restore a backup",
        ),
        Ok(Ok(found)) => {
            let text = format!("whole; {}, {} of it free, log {}", size(found.size), size(found.free), size(found.log));
            Finding::good(check, text)
        }
    }
}

/// Whether this machine's clock has gone back since the database was written.
pub(super) fn clock(settings: &Settings) -> Finding {
    let check = "clock";
    let written = fs::metadata(settings.data.join(data::DATABASE)).and_then(|metadata| metadata.modified());
    let ahead = written.ok().and_then(|written| written.duration_since(SystemTime::now()).ok());
    match ahead {
        Some(ahead) if ahead > CLOCK_TOLERANCE => Finding::bad(
            check,
            format!("the database was written {} s from now", ahead.as_secs()),
            "set the clock right (NTP): tokens expire and mails are sent by it",
        ),
        _ => Finding::good(check, humantime::format_rfc3339_seconds(SystemTime::now()).to_string()),
    }
}

/// Whether data, key and database belong together, the component answers over them, and how it stands with the keys; and the
/// base URL of the last server on them, if there was one.
pub(super) async fn component(settings: &Settings) -> (Vec<Finding>, Option<String>) {
    let check = "component";
    if !settings.data.join(data::KEY).exists() && settings.data.exists() {
        let found = "it was not looked at: without the host key the data can't be opened";
        return (vec![Finding::bad(check, found, "see above")], None);
    }
    let provisioner = match host::open(settings).await {
        Ok(provisioner) => provisioner,
        Err(error) => return (vec![Finding::bad(check, format!("{error:#}"), "do what the message says")], None),
    };
    let noted = host::noted_base_url(&provisioner).await;
    let mut findings = vec![match provisioner.trouble().await {
        None => Finding::good(check, "the component answers, and the storage takes a write"),
        Some(trouble) => Finding::bad(check, trouble.to_string(), "do what the message says"),
    }];
    findings.push(keys::host_key(settings, &provisioner).await);
    findings.extend(keys::api_keys(&provisioner).await);
    if let Err(error) = provisioner.organizations(None, 1).await {
        findings.push(Finding::bad("storage", error.to_string(), "see the log"));
    }
    (findings, noted)
}

/// The files by which the server speaks TLS, if it does.
pub(super) fn certificate(settings: &Settings) -> Option<Finding> {
    const CHECK: &str = "certificate";
    match serve::tls(settings) {
        Ok(None) => None,
        Ok(Some(_)) => Some(Finding::good(CHECK, "certificate and key can be used and belong together")),
        Err(error) => Some(Finding::bad(CHECK, format!("{error:#}"), "mend the file, or leave TLS to a proxy")),
    }
}

/// Whether the base URL is one that identity providers can use: the one that is set here, else that of the last server.
pub(super) async fn base_url(settings: &Settings, noted: Option<&str>) -> Finding {
    let check = "base URL";
    let advice = "set --base-url to the https:// URL that identity providers reach this server by";
    let text = match (&settings.base_url, noted) {
        (Some(text), Some(noted)) if text != noted => {
            let found = format!("{text} is set here, but the last server on this data was reached at {noted}");
            return Finding::warning(check, found, "start every server on this data with the same --base-url");
        }
        (Some(text), _) => text.as_str(),
        (None, Some(noted)) => noted,
        (None, None) => {
            let found = "none is set here, and no server has run yet: a server would use its listen address";
            return Finding::warning(check, found, advice);
        }
    };
    let Ok(url) = Url::parse(text) else {
        return Finding::bad(check, format!("{text} is no URL"), advice);
    };
    let is_local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if is_local && settings.base_url.is_none() {
        let found = format!("{text}, of the last server, works on this machine only");
        return Finding::warning(check, found, advice);
    }
    if url.scheme() != "https" && !is_local {
        return Finding::warning(check, format!("{text} is not https: tokens pass in the clear"), advice);
    }
    let (Some(name), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Finding::bad(check, format!("{text} names no host"), advice);
    };
    match timeout(RESOLUTION, lookup_host((name.trim_matches(['[', ']']), port))).await {
        Ok(Ok(_)) => Finding::good(check, format!("{text}; its name is known here")),
        Ok(Err(error)) => Finding::warning(check, format!("{name} is not known here: {error}"), "check DNS"),
        Err(_) => Finding::warning(check, format!("{name} was not resolved in time"), "check DNS"),
    }
}

/// Whether mails can be sent.
pub(super) async fn mail(settings: &Settings) -> Finding {
    let check = "mail";
    match settings.email.smtp_mailer() {
        Err(error) => Finding::bad(check, error.to_string(), "mend the settings of email"),
        Ok(None) => Finding::warning(
            check,
            "no SMTP server is set: emails are written to a folder",
            "set --smtp-url and --mail-from, so that new members get their initial passphrases",
        ),
        Ok(Some(mailer)) => match mailer.connects().await {
            Ok(()) => Finding::good(check, "the SMTP server took the sign-in"),
            Err(error) => Finding::bad(check, error.to_string(), "check server, port, TLS, user and password"),
        },
    }
}

/// Whether somebody is told of what needs a person.
pub(super) fn alerts(settings: &Settings) -> Finding {
    let check = "alerts";
    match alerts::of(settings) {
        Err(error) => {
            Finding::bad(check, format!("{error:#}"), "mend the settings of alerts: the server does not start so")
        }
        Ok(_) if !settings.alerts.tells_somebody() => Finding::warning(
            check,
            "nobody is told of what needs a person",
            "set --alert-mail or --alert-webhook, and try it with `insomnia-scim alerts test`",
        ),
        Ok(alerts) => Finding::good(check, format!("told to {}", alerts.receivers().join(", "))),
    }
}

/// Whether traces can be sent by these settings, if they are.
pub(super) fn traces(settings: &Settings) -> Option<Finding> {
    const CHECK: &str = "traces";
    match otlp::of(settings, otlp::variable) {
        Ok(None) => None,
        Ok(Some(_)) => {
            Some(Finding::good(CHECK, "the settings can be used; the log says when the collector takes none"))
        }
        Err(error) => {
            let advice = "mend the settings of traces: the server does not start so";
            Some(Finding::bad(CHECK, format!("{error:#}"), advice))
        }
    }
}

#[cfg(unix)]
fn others_may(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn others_may(_: &fs::Metadata) -> bool {
    false
}
