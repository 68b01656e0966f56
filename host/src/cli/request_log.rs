//! `log`: lists and exports the requests of identity providers, with what became of them.

use std::time::{Duration, SystemTime};

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::Value;

use super::config::Settings;
use super::member::Of;
use super::{host, output, pages};
use crate::journal::{LogExport, LogFilter, LogFormat};

/// Commands about the log of SCIM requests.
#[derive(Subcommand)]
pub(super) enum LogCommand {
    /// List the newest requests.
    List {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        filter: Filter,
        /// The number of requests.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
    },
    /// Write all requests to standard output, newest first.
    Export {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        filter: Filter,
        /// The format.
        #[arg(long, value_enum, default_value = "jsonl")]
        format: LogFormat,
    },
}

/// The period in which entries were written.
#[derive(Args, Clone)]
pub(super) struct Period {
    /// Only from this time on (RFC 3339), or since so long ago, for instance `2d` or `90m`.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<SystemTime>,
    /// Only before this time, in the same formats.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<SystemTime>,
}

impl Period {
    /// Both ends in milliseconds since the Unix epoch.
    pub(super) fn ends(&self) -> (Option<u64>, Option<u64>) {
        (self.since.map(milliseconds), self.until.map(milliseconds))
    }
}

/// The requests to list or export. They must meet every condition that is given.
#[derive(Args)]
pub(super) struct Filter {
    #[command(flatten)]
    period: Period,
    /// Only requests whose status begins with this digit: 2 (done), 4 (refused) or 5 (failed). Requests with the status
    /// 0 are in no class: the server stopped before it answered, so the answer is not known.
    #[arg(long, value_name = "CLASS", value_parser = class)]
    status: Option<u8>,
    /// Only requests with this HTTP method.
    #[arg(long)]
    method: Option<String>,
    /// Only requests about this resource type: User, Group, or another one.
    #[arg(long)]
    resource: Option<String>,
    /// Only requests that contain this text, in upper or lower case.
    #[arg(long)]
    text: Option<String>,
}

impl Filter {
    fn entries(self) -> LogFilter {
        let (since, until) = self.period.ends();
        LogFilter {
            since,
            until,
            status_class: self.status,
            method: self.method,
            resource_type: self.resource,
            text: self.text,
        }
    }
}

impl LogCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let provisioner = host::open(settings).await?;
        match self {
            Self::List { of, filter, limit } => {
                let organization = host::organization(&provisioner, &of.organization).await?;
                let page = organization.search_log(filter.entries().page(None, limit)).await?;
                let entries: Vec<Value> =
                    page.entries.iter().map(|json| serde_json::from_str(json)).collect::<Result<_, _>>()?;
                output::table(settings.json, &entries, &["time", "status", "method", "path", "action", "requestId"]);
            }
            Self::Export { of, filter, format } => {
                let organization = host::organization(&provisioner, &of.organization).await?;
                pages::write(LogExport::new(organization, filter.entries(), format)).await?;
            }
        }
        Ok(())
    }
}

/// Reads the class of a status.
///
/// # Errors
/// The error says in words what is expected.
fn class(text: &str) -> Result<u8, String> {
    const EXPECTED: &str = "a class is the first digit of a status: 2 (done), 4 (refused) or 5 (failed)";
    match text.parse::<u16>() {
        Ok(class @ 2..=5) => u8::try_from(class).map_err(|_| EXPECTED.to_owned()),
        Ok(0) => {
            Err(format!("{EXPECTED}; entries whose answer is not known have status 0, and are listed without --status"))
        }
        Ok(status @ 200..=599) => Err(format!("{EXPECTED}, so {} is that of {status}", status / 100)),
        _ => Err(EXPECTED.to_owned()),
    }
}

fn time(text: &str) -> anyhow::Result<SystemTime> {
    // A date without a time means the beginning of that day.
    if let Ok(time) =
        humantime::parse_rfc3339_weak(text).or_else(|_| humantime::parse_rfc3339(&format!("{text}T00:00:00Z")))
    {
        return Ok(time);
    }
    let ago = humantime::parse_duration(text).ok().and_then(|ago| SystemTime::now().checked_sub(ago));
    match ago {
        Some(time) => Ok(time),
        None => bail!("a time is 2026-01-31T12:00:00Z, a date, or 2d, 3h or 90m for so long ago"),
    }
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p5_a_class_of_status_is_one_digit_and_what_is_none_is_refused_with_what_to_give() {
        for (text, expected) in [("2", 2), ("3", 3), ("4", 4), ("5", 5)] {
            assert_eq!(class(text), Ok(expected));
        }
        for (text, said) in [
            ("0", "listed without --status"),
            ("404", "so 4 is that of 404"),
            ("1", "first digit"),
            ("6", "first digit"),
            ("600", "first digit"),
            ("4xx", "first digit"),
            ("-4", "first digit"),
            ("", "first digit"),
        ] {
            let refused = class(text).unwrap_err();
            assert!(refused.contains(said), "{text}: {refused}");
        }
    }

    #[test]
    fn a_time_is_a_date_or_so_long_ago() {
        for day in ["1970-01-02T00:00:00Z", "1970-01-02"] {
            assert_eq!(milliseconds(time(day).unwrap()), 86_400_000, "{day}");
        }
        let day_ago = SystemTime::now() - Duration::from_secs(86_400);
        assert!(time("1d").unwrap() >= day_ago - Duration::from_secs(60) && time("1d").unwrap() <= SystemTime::now());
        assert!(time("yesterday").is_err());
    }
}
