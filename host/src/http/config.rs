//! The configuration of outgoing HTTP.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::egress::{EgressConfig, InvalidEgressRule};
use crate::capability::storage::InvalidOrganizationId;

/// The longest that a request may take, in seconds: an hour.
pub(super) const LONGEST: u64 = 60 * 60;
/// The largest response body that the contract knows, in bytes.
const RESPONSE_BYTES: usize = 1024 * 1024;

/// The `[http]` table of the configuration file. With none of it set, requests go by `https:` to public addresses on
/// ports 443 and 8443.
///
/// ```toml
/// [http]
/// permit = ["siem.corp.example:9443", "10.20.0.0/16", "http://127.0.0.1:9000"]
/// ca-file = "/etc/insomnia-scim/corp-ca.pem"
///
/// [http.organizations.acme]
/// only = ["graph.microsoft.com", "*.okta.com"]
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HttpConfig {
    /// Like [`EgressConfig::only`], for every organization without a list of its own.
    pub only: Option<Vec<String>>,
    /// Like [`EgressConfig::permit`], for every organization.
    pub permit: Vec<String>,
    /// Like [`EgressConfig::ports`], for every organization without a list of its own.
    pub ports: Option<Vec<u16>>,
    /// A PEM file of certificate authorities to trust beside Mozilla's.
    pub ca_file: Option<PathBuf>,
    /// How many seconds a request may take at the most, redirects included: 1 to 3,600. Default: 30.
    pub timeout_seconds: Option<u64>,
    /// How many seconds a connection may take, name resolution and TLS included: 1 to 3,600. Default: 10.
    pub connect_timeout_seconds: Option<u64>,
    /// Rules of single organizations, by the organization's name.
    pub organizations: BTreeMap<String, EgressConfig>,
}

/// Limits on each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// How long a request may take, redirects included.
    pub timeout: Duration,
    /// How long a connection may take, name resolution and TLS included.
    pub connect_timeout: Duration,
    /// The largest request body, in bytes.
    pub max_request: usize,
    /// The largest response body, in bytes.
    pub max_response: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            max_request: 4 * 1024 * 1024,
            max_response: RESPONSE_BYTES,
        }
    }
}

/// The reason why a configuration of outgoing HTTP can't be used.
#[derive(Debug, thiserror::Error)]
pub enum HttpConfigError {
    /// A rule can't be read.
    #[error(transparent)]
    Rule(#[from] InvalidEgressRule),
    /// A time is 0, or so long that it is a mistake.
    #[error("{name} in the table [http] must be 1 to {LONGEST}, not {found}")]
    Seconds {
        /// The name of the setting.
        name: &'static str,
        /// The value of the setting.
        found: u64,
    },
    /// A port is 0, at which nobody listens.
    #[error("`ports` in the table [http] must be 1 to 65535, not 0")]
    Port,
    /// A key of `organizations` is no organization's name.
    #[error("http.organizations.{0}: {1}")]
    Organization(String, InvalidOrganizationId),
    /// The file of certificate authorities can't be read.
    #[error("the CA file {} can't be read", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The certificate authorities can't be used.
    #[error("the certificate authorities can't be used: {0}")]
    Certificate(String),
    /// TLS can't be set up.
    #[error("TLS can't be set up: {0}")]
    Tls(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{EgressClient, EgressPolicy};

    fn client(text: &str) -> Result<EgressClient, HttpConfigError> {
        toml::from_str::<HttpConfig>(text).unwrap().client()
    }

    #[test]
    fn the_example_of_the_documentation_is_read_but_for_its_file() {
        let text = "permit = ['siem.corp.example:9443', '10.20.0.0/16', 'http://127.0.0.1:9000']\n[organizations.acme]\nonly = ['graph.microsoft.com', '*.okta.com']";
        assert!(client(text).is_ok());
        assert!(matches!(client("ca-file = '/nowhere/ca.pem'"), Err(HttpConfigError::CaFile { .. })));
    }

    #[test]
    fn what_can_not_be_read_is_an_error_and_not_a_wider_policy() {
        for rule in
            ["", "ftp://a", "10.0.0.0/33", "a b", "a:b", "a:99999", "*.10.0.0.1", "::ffff:10.0.0.0/104", "http://"]
        {
            let text = format!("permit = ['{rule}']");
            assert!(matches!(client(&text), Err(HttpConfigError::Rule(_))), "{rule}");
        }
        assert!(matches!(client("only = ['a/b']"), Err(HttpConfigError::Rule(_))));
        assert!(matches!(client("[organizations.Acme]"), Err(HttpConfigError::Organization(..))));
        assert!(toml::from_str::<HttpConfig>("permits = []").is_err());
    }

    #[test]
    fn p9_a_time_that_is_none_or_too_long_and_the_port_0_are_refused_by_name() {
        for (text, said) in [
            ("timeout-seconds = 0", "timeout-seconds in the table [http] must be 1 to 3600, not 0"),
            ("timeout-seconds = 3601", "not 3601"),
            ("connect-timeout-seconds = 0", "connect-timeout-seconds in the table [http]"),
            ("ports = [443, 0]", "`ports`"),
            ("[organizations.acme]\nports = [0]", "`ports`"),
        ] {
            let refused = client(text).err().unwrap().to_string();
            assert!(refused.contains(said), "{text}: {refused}");
        }
        assert!(client("timeout-seconds = 1\nconnect-timeout-seconds = 3600\nports = [1]").is_ok());
    }

    #[test]
    fn certificate_authorities_that_are_none_are_an_error() {
        let policy = EgressPolicy::new(&EgressConfig::default()).unwrap();
        assert!(matches!(EgressClient::new(policy, Some(b"nothing")), Err(HttpConfigError::Certificate(_))));
    }
}
