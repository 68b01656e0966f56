//! The settings of traces: where they go, and which requests are traced. They come from flags, from the table `[otlp]`
//! of the configuration file, and from the variables of OpenTelemetry.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::alerts_table::reaching;
use crate::http::{HttpConfig, OtlpCollector};
use crate::traces::{Followed, Sampling, TracesConfig};

/// The longest time that spans may wait for further ones, in milliseconds: an hour.
const LONGEST_DELAY: u64 = 60 * 60 * 1_000;

/// The table `[otlp]` of the configuration file; flags of `serve` come before it.
///
/// ```toml
/// [otlp]
/// endpoint = "https://otel.example.com:4318"
/// headers-file = "/run/secrets/otlp-headers"
/// service-name = "scim"
/// sample = 0.1
/// follow-callers = "trusted-proxies"
/// organizations = true
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct OtlpTable {
    endpoint: Option<String>,
    headers_file: Option<PathBuf>,
    service_name: Option<String>,
    sample: Option<f64>,
    follow_callers: Option<FollowedName>,
    organizations: bool,
}

impl OtlpTable {
    /// The configuration of traces; `None` if no traces are made. `http` are the settings of outgoing HTTP, and
    /// `variable` reads a variable of OpenTelemetry.
    ///
    /// # Errors
    /// The error says which setting can't be used.
    pub(super) fn traces(
        &self,
        http: &HttpConfig,
        variable: impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Option<TracesConfig>> {
        let is_off = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if is_off || variable("OTEL_TRACES_EXPORTER").is_some_and(|value| value != "otlp") {
            return Ok(None);
        }
        let Some(endpoint) = &self.endpoint else {
            if self.headers_file.is_some() {
                bail!("there are header fields for the collector of traces and no collector: set --otlp-endpoint URL");
            }
            return Ok(None);
        };
        // The header fields in the variable may be secrets of the collector that a variable names, so no other
        // collector gets them.
        let is_of_variable = variable("OTEL_EXPORTER_OTLP_ENDPOINT").as_ref() == Some(endpoint);
        let headers = match (&self.headers_file, variable("OTEL_EXPORTER_OTLP_HEADERS").filter(|_| is_of_variable)) {
            (Some(path), _) => of_file(path)?,
            (None, Some(text)) => of_variable(&text)?,
            (None, None) => Vec::new(),
        };
        let mut sampling = match (self.sample, variable("OTEL_TRACES_SAMPLER")) {
            (Some(share), _) => Sampling { share: Sampling::share_of(&share.to_string())?, ..Sampling::default() },
            (None, Some(name)) => Sampling::named(&name, variable("OTEL_TRACES_SAMPLER_ARG").as_deref())
                .context("the variable OTEL_TRACES_SAMPLER")?,
            (None, None) => Sampling::default(),
        };
        if let Some(followed) = self.follow_callers {
            sampling.followed = followed.into();
        }
        let client = Arc::new(reaching(endpoint, http).client()?);
        let collector = OtlpCollector::new(endpoint, headers, client)?;
        let mut config =
            TracesConfig::new(Arc::new(collector)).sampling(sampling).name_organizations(self.organizations);
        if let Some(name) = &self.service_name {
            config = config.service_name(name);
        }
        if let Some(delay) = variable("OTEL_BSP_SCHEDULE_DELAY") {
            // The variable may be set for all programs of a machine, and some of them accept other values. So a wrong
            // value does not keep the server from starting.
            match delay.parse::<u64>() {
                Ok(known @ 1..=LONGEST_DELAY) => config = config.delay(Duration::from_millis(known)),
                _ => tracing::warn!(
                    "the variable OTEL_BSP_SCHEDULE_DELAY is 1 to {LONGEST_DELAY} milliseconds, and not {delay:?}: it \
                     is passed over"
                ),
            }
        }
        Ok(Some(config))
    }
}

/// The names of [`Followed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FollowedName {
    /// The share decides about every request.
    Nobody,
    /// Proxies named by --trusted-proxy. Such a proxy must remove the header from requests of strangers.
    TrustedProxies,
    /// All clients.
    Everybody,
}

impl From<FollowedName> for Followed {
    fn from(name: FollowedName) -> Self {
        match name {
            FollowedName::Nobody => Self::Nobody,
            FollowedName::TrustedProxies => Self::TrustedProxies,
            FollowedName::Everybody => Self::Everybody,
        }
    }
}

/// Flags about traces.
#[derive(Args)]
pub(super) struct OtlpFlags {
    /// Send traces to the OpenTelemetry collector at this http or https URL, by OTLP over HTTP (usually port 4318). It
    /// may be on an internal network. The variable OTEL_EXPORTER_OTLP_ENDPOINT does the same. [default: no traces]
    #[arg(long, value_name = "URL", env = "INSOMNIA_SCIM_OTLP_ENDPOINT")]
    otlp_endpoint: Option<String>,
    /// File with header fields for the collector, such as `Authorization: Bearer …`, one per line. The variable
    /// OTEL_EXPORTER_OTLP_HEADERS does the same.
    #[arg(long, value_name = "FILE", env = "INSOMNIA_SCIM_OTLP_HEADERS_FILE")]
    otlp_headers_file: Option<PathBuf>,
    /// The share of requests that are traced, from 0 to 1. The variables OTEL_TRACES_SAMPLER and
    /// OTEL_TRACES_SAMPLER_ARG do the same. [default: 1]
    #[arg(long, value_name = "SHARE", env = "INSOMNIA_SCIM_OTLP_SAMPLE", value_parser = share)]
    otlp_sample: Option<f64>,
    /// Whose traceparent header decides whether a request is traced, in place of the share. [default: nobody; with
    /// OTEL_TRACES_SAMPLER=parentbased_… trusted-proxies]
    #[arg(long, value_enum, value_name = "WHOM", env = "INSOMNIA_SCIM_OTLP_FOLLOW_CALLERS")]
    otlp_follow_callers: Option<FollowedName>,
    /// Include the names of organizations in traces, the unshortened paths of requests, and the hosts of outgoing
    /// requests.
    #[arg(long, env = "INSOMNIA_SCIM_OTLP_ORGANIZATIONS")]
    otlp_organizations: bool,
}

fn share(text: &str) -> Result<f64, String> {
    Sampling::share_of(text).map_err(|error| error.to_string())
}

impl OtlpFlags {
    /// The table of the file, in which the flags and the variables of OpenTelemetry come before what the file says.
    pub(super) fn before(&self, file: OtlpTable, variable: impl Fn(&str) -> Option<String>) -> OtlpTable {
        let named = variable("OTEL_SERVICE_NAME").is_some();
        let given = self.otlp_endpoint.clone().or_else(|| variable("OTEL_EXPORTER_OTLP_ENDPOINT"));
        // The header fields of the file may be secrets of the collector that the file names, so no other collector gets
        // them.
        let of_file = given.as_ref().is_none_or(|given| file.endpoint.as_ref() == Some(given));
        let chosen = variable("OTEL_TRACES_SAMPLER").is_some();
        OtlpTable {
            endpoint: given.or(file.endpoint),
            headers_file: self.otlp_headers_file.clone().or(file.headers_file.filter(|_| of_file)),
            // The library reads OTEL_SERVICE_NAME by itself, unless a name is given to it.
            service_name: file.service_name.filter(|_| !named),
            sample: self.otlp_sample.or(file.sample.filter(|_| !chosen)),
            follow_callers: self.otlp_follow_callers.or(file.follow_callers.filter(|_| !chosen)),
            organizations: self.otlp_organizations || file.organizations,
        }
    }
}

/// A variable of the environment; `None` if it is not set or is empty.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Reads header fields from a file, one from each line.
fn of_file(path: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("the header fields for the collector, {}, can't be read", path.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let fields = lines.map(|line| {
        let (name, value) = line.split_once(':').with_context(|| {
            format!("a line of {} is no header field, such as Authorization: Bearer …", path.display())
        })?;
        Ok((name.trim().to_owned(), value.trim().to_owned()))
    });
    fields.collect()
}

/// Reads header fields from the form of OTEL_EXPORTER_OTLP_HEADERS: `name=value` with commas between them,
/// percent-encoded.
fn of_variable(text: &str) -> anyhow::Result<Vec<(String, String)>> {
    let fields = text.split(',').map(str::trim).filter(|field| !field.is_empty());
    let fields = fields.map(|field| {
        let (name, value) = field
            .split_once('=')
            .context("the variable OTEL_EXPORTER_OTLP_HEADERS is not name=value, with commas between several")?;
        let value = percent_decode_str(value.trim()).decode_utf8()?;
        Ok((name.trim().to_owned(), value.into_owned()))
    });
    fields.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::Common;
    use crate::cli::config::Settings;

    const NO_FLAGS: OtlpFlags = OtlpFlags {
        otlp_endpoint: None,
        otlp_headers_file: None,
        otlp_sample: None,
        otlp_follow_callers: None,
        otlp_organizations: false,
    };

    fn config(table: &str, variables: &[(&str, &str)]) -> anyhow::Result<Option<TracesConfig>> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        fs::write(directory.path().join("headers"), "Authorization: Bearer hunter2\n\nX-Team: a:b\n").unwrap();
        let table = table.replace("HEADERS", directory.path().join("headers").to_str().unwrap());
        fs::write(&path, format!("[otlp]\n{table}")).unwrap();
        let given = Common { data: Some("/given".into()), config: Some(path), ..Common::default() };
        let mut settings = Settings::resolve(given)?;
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        settings.otlp = NO_FLAGS.before(settings.otlp, variable);
        settings.otlp.traces(&settings.http, variable)
    }

    #[test]
    fn p9_traces_are_a_table_of_the_file_or_the_variables_of_opentelemetry() {
        let endpoint = "endpoint = 'https://otel.internal:4318'";
        assert!(config("", &[]).unwrap().is_none());
        assert!(config(endpoint, &[]).unwrap().is_some());
        assert!(config(endpoint, &[("OTEL_SDK_DISABLED", "true")]).unwrap().is_none());
        assert!(config(endpoint, &[("OTEL_TRACES_EXPORTER", "none")]).unwrap().is_none());
        let variable = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
        assert!(config("", &[variable]).unwrap().is_some());
        for delay in ["50", "0", "soon", "18446744073709551615"] {
            assert!(config("", &[variable, ("OTEL_BSP_SCHEDULE_DELAY", delay)]).unwrap().is_some(), "{delay}");
        }
        let none: &[(&str, &str)] = &[];
        for (table, variables, said) in [
            ("endpoint = 'otel'", none, "http://127.0.0.1:4318"),
            ("headers-file = 'HEADERS'", none, "--otlp-endpoint"),
            ("endpoint = 'http://otel'\nheaders-file = '/nowhere/headers'", none, "/nowhere/headers"),
            ("endpoint = 'http://otel'\nsample = 2.0", none, "from 0 to 1"),
            ("endpoint = 'http://otel'\nfollow-callers = 'all'", none, "trusted-proxies"),
            ("", &[variable, ("OTEL_TRACES_SAMPLER", "some")], "parentbased_always_on"),
            ("", &[variable, ("OTEL_EXPORTER_OTLP_HEADERS", "x")], "name=value"),
            ("headers = 'Authorization: hunter2'", none, "headers-file"),
        ] {
            let error = format!("{:#}", config(table, variables).err().expect(table));
            assert!(error.contains(said), "{table}: {error}");
        }
    }

    #[test]
    fn p6_secrets_of_one_collector_are_not_sent_to_another() {
        let file = || OtlpTable {
            endpoint: Some("https://vendor.example".into()),
            headers_file: Some("/secrets/vendor".into()),
            ..OtlpTable::default()
        };
        let of = |endpoint: &str| {
            let variable = |name: &str| (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| endpoint.to_owned());
            NO_FLAGS.before(file(), variable).headers_file
        };
        assert_eq!(NO_FLAGS.before(file(), |_| None).headers_file, Some("/secrets/vendor".into()));
        assert_eq!(of("https://vendor.example"), Some("/secrets/vendor".into()));
        assert_eq!(of("http://sidecar:4318"), None);
    }

    #[test]
    fn p9_header_fields_for_the_collector_are_in_a_file_or_a_variable() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("headers");
        fs::write(&path, "Authorization: Bearer x\n\nX-Team: a:b\n").unwrap();
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(of_file(&path).unwrap(), [field("Authorization", "Bearer x"), field("X-Team", "a:b")]);
        let variable = of_variable("api-key=a%2Cb, x = y").unwrap();
        assert_eq!(variable, [field("api-key", "a,b"), field("x", "y")]);
        fs::write(&path, "hunter2").unwrap();
        assert!(!format!("{:#}", of_file(&path).unwrap_err()).contains("hunter2"));
    }
}
