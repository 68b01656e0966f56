//! The checks. Each of them is a function.

use std::fs;
use std::time::{Duration, SystemTime};

use tokio::net::lookup_host;
use tokio::time::timeout;
use url::{Host, Url};

use super::super::config::Settings;
use super::super::moved::{self, Moved};
use super::super::{data_files, host, otlp, serve};
use super::{Finding, keys};
use crate::alerts::disk::{LITTLE_SPACE, free_space, size};
use crate::storage::{Answered, PostgresConfig, PostgresOpenError, ask, examine};

/// With less free space than this, in bytes, nothing can be written soon.
const NO_SPACE: u64 = 64 << 20;
/// How far the time of a file may lie in the future before the clock counts as wrong.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);
/// If the clocks of this machine and of a PostgreSQL differ by this many milliseconds or more, somebody should look.
/// The clocks of machines that follow NTP differ by less than a tenth of a second.
const CLOCKS_DIFFER: u64 = 5_000;
/// If they differ by this many milliseconds or more, somebody must act: it has effects on what the servers do.
const CLOCKS_DIFFER_MUCH: u64 = 60_000;
/// How long a name may take to be resolved.
const RESOLUTION: Duration = Duration::from_secs(5);

/// Checks that the data directory exists and that only its owner has access.
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

/// Checks that the file of the host key exists and that only its owner has access.
pub(super) fn key_file(settings: &Settings) -> Finding {
    let check = "host key";
    let path = settings.data.join(data_files::KEY);
    match fs::metadata(&path) {
        Err(error) => {
            let advice = match &settings.storage {
                Some(_) => "copy secret.key from another server on this database, or restore it from a backup",
                None => "restore it from a backup",
            };
            Finding::bad(check, format!("{}: {error}", path.display()), advice)
        }
        Ok(metadata) if others_may(&metadata) => Finding::warning(
            check,
            format!("{} is open to other users", path.display()),
            "chmod 600: whoever reads it can open what the database holds sealed",
        ),
        Ok(_) => Finding::good(check, path.display().to_string()),
    }
}

/// Checks whether there is free space for the data.
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

/// Checks whether the database answers and is intact, and whether the clock fits it.
pub(super) async fn database(settings: &Settings) -> Database {
    match &settings.storage {
        Some(storage) => of_postgres(storage, ask(storage).await),
        // A mark that is not one of `migrate` is reported below, where the database is opened.
        None => match moved::check(&settings.data).err().and_then(|error| error.downcast::<Moved>().ok()) {
            None => Database { findings: vec![file(settings).await, clock(settings)], is_away: false },
            Some(moved) => {
                let advice = match moved {
                    Moved::Arrived { .. } => "look at the new place: give doctor the --storage or --data that it has",
                    _ => "do what the message says",
                };
                let finding = Finding::bad("database", moved.to_string(), advice);
                Database { findings: vec![finding, clock(settings)], is_away: true }
            }
        },
    }
}

/// The findings about the database and its clock.
pub(super) struct Database {
    pub(super) findings: Vec<Finding>,
    /// Whether the database can't be reached, so that its content can't be checked.
    pub(super) is_away: bool,
}

/// Checks whether the PostgreSQL answers, and how far its clock and this machine's are apart. Whether its data is
/// intact is checked by its own tools.
fn of_postgres(storage: &PostgresConfig, answered: Result<Answered, PostgresOpenError>) -> Database {
    let check = "database";
    match answered {
        Ok(Answered { version, ahead }) => {
            let answers = Finding::good(check, format!("{storage} answers; PostgreSQL {version}"));
            Database { findings: vec![answers, clocks(ahead)], is_away: false }
        }
        Err(error) => {
            let advice = match error {
                PostgresOpenError::Connection { .. } => {
                    "look whether PostgreSQL runs there, and whether host, port and network of --storage are right"
                }
                PostgresOpenError::Refused { .. } => {
                    "set user and database in --storage, and the password in --storage-password-file, as PostgreSQL \
                     knows them"
                }
                _ => "do what the message says",
            };
            Database { findings: vec![Finding::bad(check, error.to_string(), advice), here()], is_away: true }
        }
    }
}

/// The finding about the two clocks, of which that of the PostgreSQL is `ahead` of this machine's by this many
/// milliseconds.
fn clocks(ahead: i64) -> Finding {
    let apart = ahead.unsigned_abs();
    let found = || {
        let is_behind = if ahead > 0 { "behind" } else { "ahead of" };
        format!("this machine's clock is {}.{} s {is_behind} that of PostgreSQL", apart / 1_000, apart % 1_000 / 100)
    };
    let advice = "set both clocks right (NTP), and those of all servers: tokens expire, and jobs are due, by them";
    match apart {
        ..CLOCKS_DIFFER => here(),
        CLOCKS_DIFFER..CLOCKS_DIFFER_MUCH => Finding::warning(CLOCK, found(), advice),
        CLOCKS_DIFFER_MUCH.. => Finding::bad(CLOCK, found(), advice),
    }
}

/// Checks whether the database in the data directory is intact.
async fn file(settings: &Settings) -> Finding {
    let check = "database";
    let path = settings.data.join(data_files::DATABASE);
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

const CLOCK: &str = "clock";

/// The finding that nothing is wrong with the clock. It shows the time.
fn here() -> Finding {
    Finding::good(CLOCK, humantime::format_rfc3339_seconds(SystemTime::now()).to_string())
}

/// Checks whether this machine's clock has gone back since the database was written.
fn clock(settings: &Settings) -> Finding {
    let written = fs::metadata(settings.data.join(data_files::DATABASE)).and_then(|metadata| metadata.modified());
    let ahead = written.ok().and_then(|written| written.duration_since(SystemTime::now()).ok());
    match ahead {
        Some(ahead) if ahead > CLOCK_TOLERANCE => Finding::bad(
            CLOCK,
            format!("the database was written {} s from now", ahead.as_secs()),
            "set the clock right (NTP): tokens expire and mails are sent by it",
        ),
        _ => here(),
    }
}

/// Checks whether data, key and database belong together, whether the component answers calls for them, and the state
/// of the keys. The second value is the base URL of the last server on this data, if there was one.
pub(super) async fn component(settings: &Settings, is_away: bool) -> (Vec<Finding>, Option<String>) {
    let check = "component";
    if is_away {
        let found = "it was not looked at: without the database there is nothing to try it on";
        return (vec![Finding::warning(check, found, "see above: database")], None);
    }
    if !settings.data.join(data_files::KEY).exists() && settings.data.exists() {
        let found = "it was not looked at: without the host key the data can't be opened";
        return (vec![Finding::bad(check, found, "see above: host key")], None);
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

/// Checks the files for TLS; `None` if the server does not use TLS.
pub(super) fn certificate(settings: &Settings) -> Option<Finding> {
    const CHECK: &str = "certificate";
    match serve::tls(settings) {
        Ok(None) => None,
        Ok(Some(_)) => Some(Finding::good(CHECK, "certificate and key can be used and belong together")),
        Err(error) => Some(Finding::bad(CHECK, format!("{error:#}"), "mend the file, or leave TLS to a proxy")),
    }
}

/// Checks whether identity providers can use the base URL: the one that is set here, or else that of the last server.
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

/// Checks whether emails can be sent.
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
            Err(error) => Finding::bad(
                check,
                error.to_string(),
                "check server, port, TLS, user and password; `ca-file` in the table [email.smtp] names an authority of \
                 your own",
            ),
        },
    }
}

/// Checks whether somebody is told of problems that need a person.
pub(super) fn alerts(settings: &Settings) -> Finding {
    let check = "alerts";
    match settings.alerts() {
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

/// Checks the settings of traces; `None` if no traces are sent.
pub(super) fn traces(settings: &Settings) -> Option<Finding> {
    const CHECK: &str = "traces";
    match settings.otlp.traces(&settings.http, otlp::variable) {
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

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn p9_clocks_that_differ_by_seconds_are_told_with_the_direction_and_by_a_minute_are_bad() {
        for (ahead, state, said) in [
            (0, State::Good, "T"),
            (4_999, State::Good, "T"),
            (-4_999, State::Good, "T"),
            (5_000, State::Warning, "5.0 s behind that of PostgreSQL"),
            (-7_250, State::Warning, "7.2 s ahead of that of PostgreSQL"),
            (60_000, State::Bad, "60.0 s behind"),
            (i64::MIN, State::Bad, "ahead of"),
        ] {
            let finding = clocks(ahead);
            assert_eq!(finding.state, state, "{ahead}: {}", finding.found);
            assert!(finding.found.contains(said), "{ahead}: {}", finding.found);
            assert_eq!(finding.advice.is_some(), state != State::Good, "{ahead}");
        }
    }
}
