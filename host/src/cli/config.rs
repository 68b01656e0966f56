//! The settings of commands. A flag comes before an environment variable, a variable before the configuration file, and
//! the file before the default.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::alerts_table::AlertsTable;
use super::arguments::{Common, IsolationName, LogFormat};
use super::data::Lost;
use super::otlp::OtlpTable;
use crate::alerts::Alerts;
use crate::email::EmailConfig;
use crate::http::HttpConfig;
use crate::oauth::OperatorClient;
use crate::quota::Quotas;
use crate::storage::{Checkpoints, PostgresConfig};
use crate::urls;

/// The configuration file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    data: Option<PathBuf>,
    storage: Option<String>,
    storage_password_file: Option<PathBuf>,
    #[serde(default)]
    external_checkpoint: bool,
    #[serde(default, deserialize_with = "listen_address_of_file")]
    listen: Option<SocketAddr>,
    metrics_listen: Option<SocketAddr>,
    base_url: Option<String>,
    component: Option<PathBuf>,
    isolation: Option<IsolationName>,
    cache: Option<PathBuf>,
    log: Option<String>,
    log_format: Option<LogFormat>,
    #[serde(default)]
    tls: TlsTable,
    #[serde(default)]
    trusted_proxy: Vec<String>,
    #[serde(default)]
    email: EmailConfig,
    #[serde(default)]
    http: HttpConfig,
    #[serde(default)]
    alerts: AlertsTable,
    #[serde(default)]
    otlp: OtlpTable,
    #[serde(default)]
    quotas: BTreeMap<String, u64>,
    #[serde(default)]
    operator_client: Vec<OperatorClientOfFile>,
}

/// A table `[[operator-client]]`: an OAuth 2.0 client for every organization that agrees to it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct OperatorClientOfFile {
    id: String,
    name: String,
    redirect_uris: Vec<String>,
    secrets_sha256: Vec<String>,
}

impl From<OperatorClientOfFile> for OperatorClient {
    fn from(client: OperatorClientOfFile) -> Self {
        let OperatorClientOfFile { id, name, redirect_uris, secrets_sha256 } = client;
        Self { id, name, redirect_uris, secrets_sha256 }
    }
}

/// The table `[tls]`: the files that the server needs for TLS.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TlsTable {
    pub(super) cert: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) api_client_ca: Option<PathBuf>,
}

/// The settings of a command, from all sources.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) data: PathBuf,
    /// The PostgreSQL with the organizations; `None` if they are in the data directory.
    pub(super) storage: Option<PostgresConfig>,
    /// The file with the password of a PostgreSQL.
    pub(super) storage_password_file: Option<PathBuf>,
    /// Who moves SQLite's write-ahead log into the database.
    pub(super) checkpoints: Checkpoints,
    /// From the file; a flag of `serve` comes before it.
    pub(super) listen: Option<SocketAddr>,
    /// From the file; a flag of `serve` comes before it.
    pub(super) metrics_listen: Option<SocketAddr>,
    /// From the file; flags of `serve` come before it.
    pub(super) tls: TlsTable,
    pub(super) base_url: Option<String>,
    pub(super) component: Option<PathBuf>,
    pub(super) isolation: IsolationName,
    pub(super) cache: PathBuf,
    pub(super) log: Option<String>,
    pub(super) log_format: LogFormat,
    pub(super) json: bool,
    /// From the file; flags of `serve` add to it.
    pub(super) trusted_proxy: Vec<String>,
    /// From flags of `serve`: what may be missing of the data.
    pub(super) go_on_without: Vec<Lost>,
    /// From the file; flags of `serve` come before it.
    pub(super) email: EmailConfig,
    /// From the file; flags of `serve` add to it.
    pub(super) http: HttpConfig,
    /// From the file; flags of `serve` come before it.
    pub(super) alerts: AlertsTable,
    /// From the file; flags of `serve` and variables of OpenTelemetry come before it.
    pub(super) otlp: OtlpTable,
    /// From the file: the quotas of every organization for which the operator has set no others.
    pub(super) quotas: Quotas,
    /// From the file: OAuth clients for every organization that agrees to them.
    pub(super) operator_clients: Vec<OperatorClient>,
}

impl Settings {
    /// Combines the sources. clap has combined flags and environment variables already.
    pub(super) fn resolve(given: Common) -> anyhow::Result<Self> {
        let file = match &given.config {
            Some(path) => read(path)?,
            None => File::default(),
        };
        let data = match given.data.or(file.data) {
            Some(data) => data,
            None => directory("XDG_DATA_HOME", ".local/share")
                .context("there is no home directory, so the data directory must be named: use --data DIR")?,
        };
        let cache = given.cache.or(file.cache).or_else(|| directory("XDG_CACHE_HOME", ".cache"));
        let base_url = given.base_url.or(file.base_url).map(|url| urls::base_url(&url)).transpose()?;
        let storage = match given.storage.or(file.storage) {
            Some(url) => Some(PostgresConfig::from_url(&url)?),
            None => None,
        };
        let storage_password_file = given.storage_password_file.or(file.storage_password_file);
        let storage = match (storage, &storage_password_file) {
            (Some(storage), Some(path)) => Some(storage.password_file(path)?),
            (storage, _) => storage,
        };
        Ok(Self {
            cache: cache.unwrap_or_else(|| data.join("cache")),
            data,
            storage,
            storage_password_file,
            checkpoints: match given.external_checkpoint || file.external_checkpoint {
                true => Checkpoints::External,
                false => Checkpoints::Own,
            },
            listen: file.listen,
            metrics_listen: file.metrics_listen,
            tls: file.tls,
            base_url,
            component: given.component.or(file.component),
            isolation: given.isolation.or(file.isolation).unwrap_or(IsolationName::Organization),
            log: given.log.or(file.log),
            log_format: given.log_format.or(file.log_format).unwrap_or(LogFormat::Text),
            json: given.json,
            trusted_proxy: file.trusted_proxy,
            go_on_without: Vec::new(),
            email: file.email,
            http: file.http,
            alerts: file.alerts,
            otlp: file.otlp,
            operator_clients: file.operator_client.into_iter().map(OperatorClient::from).collect(),
            quotas: Quotas::default().with_all(&file.quotas).context("the table [quotas] of the configuration file")?,
        })
    }

    /// The alerts that the settings describe.
    ///
    /// # Errors
    /// The error says which setting can't be used.
    pub(super) fn alerts(&self) -> anyhow::Result<Alerts> {
        self.alerts.alerts(&self.data, &self.http)
    }
}

/// Reads an address to listen on.
///
/// # Errors
/// The error says in words what is expected.
pub(super) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let local = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    local.as_deref().unwrap_or(text).parse().map_err(|_| {
        format!(
            "{text:?} is not an IP address with a port, such as 127.0.0.1:8080 for this machine alone, or 0.0.0.0:8080 \
             for every address that it has"
        )
    })
}

fn listen_address_of_file<'de, D: Deserializer<'de>>(file: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(file)?;
    listen_address(&text).map(Some).map_err(D::Error::custom)
}

fn read(path: &Path) -> anyhow::Result<File> {
    let text = fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is not a configuration", path.display()))
}

/// The directory of this program, in the directory that the variable names or else in `of_home` of the user's home. As
/// the XDG Base Directory Specification demands, a variable whose path is not absolute is ignored.
fn directory(variable: &str, of_home: &str) -> Option<PathBuf> {
    let base = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = base.or_else(|| env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(of_home)));
    base.map(|base| base.join("insomnia-scim"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::Quota;

    fn with_file(text: &str, mut given: Common) -> anyhow::Result<Settings> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        fs::write(&path, text).unwrap();
        given.config = Some(path);
        Settings::resolve(given)
    }

    #[test]
    fn the_file_fills_what_was_not_given() {
        let given = Common { data: Some("/given".into()), ..Common::default() };
        let text =
            "data = '/file'\nlisten = '127.0.0.1:9'\nbase-url = 'https://x'\nisolation = 'fresh'\nlog-format = 'json'";
        let settings = with_file(text, given).unwrap();
        assert_eq!(settings.data, Path::new("/given"));
        assert_eq!(settings.base_url.as_deref(), Some("https://x"));
        assert_eq!(settings.listen, Some(SocketAddr::from(([127, 0, 0, 1], 9))));
        assert!(settings.isolation == IsolationName::Fresh && settings.log_format == LogFormat::Json);
    }

    #[test]
    fn email_and_http_are_tables_of_the_file() {
        let text =
            "[email]\nfrom = 'a@example.com'\n[email.smtp]\nhost = 'smtp.example.com'\n[http]\npermit = ['10.0.0.0/8']";
        let settings = with_file(text, Common { data: Some("/given".into()), ..Common::default() }).unwrap();
        assert_eq!(settings.email.from.as_deref(), Some("a@example.com"));
        assert_eq!(settings.email.smtp.unwrap().host.as_deref(), Some("smtp.example.com"));
        assert_eq!(settings.http.permit, ["10.0.0.0/8"]);
        assert!(with_file("[email]\nform = 'a@example.com'", Common::default()).is_err());
    }

    #[test]
    fn quotas_are_a_table_of_the_file_and_a_wrong_one_is_refused_by_name() {
        let settings = |text: &str| with_file(text, Common { data: Some("/given".into()), ..Common::default() });
        let quotas = settings("[quotas]\nrequests-per-second = 50\nemails-per-day = 7").unwrap().quotas;
        assert_eq!((quotas.limit(Quota::RequestsPerSecond), quotas.limit(Quota::EmailsPerDay)), (50, 7));
        for (text, said) in [("requests-per-second = 24", "lower than 25"), ("request-per-second = 50", "there are")] {
            let text = format!("[quotas]\n{text}");
            let error = format!("{:#}", settings(&text).err().unwrap());
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn an_operators_oauth_client_is_a_table_of_the_file() {
        let text =
            "[[operator-client]]\nid = 'a'\nname = 'Okta'\nredirect-uris = ['https://x/y']\nsecrets-sha256 = ['0']";
        let settings = |text: &str| with_file(text, Common { data: Some("/given".into()), ..Common::default() });
        let clients = settings(text).unwrap().operator_clients;
        assert_eq!((clients.len(), clients[0].name.as_str()), (1, "Okta"));
        assert!(settings(&format!("{text}\nsecret = 'x'")).is_err(), "a secret itself has no place in the file");
        assert!(settings("").unwrap().operator_clients.is_empty());
    }

    #[test]
    fn the_storage_is_a_postgresql_by_flag_or_file_and_its_password_is_in_a_file() {
        let given = || Common { data: Some("/given".into()), ..Common::default() };
        let settings = with_file("storage = 'postgres://scim@db.example/main'", given()).unwrap();
        assert_eq!(
            settings.storage.unwrap().to_string(),
            "the database main at db.example:5432 (schema insomnia_scim)"
        );
        let flag = Common { storage: Some("postgres://scim@one.example/main".into()), ..given() };
        let settings = with_file("storage = 'postgres://scim@two.example/main'", flag).unwrap();
        assert!(settings.storage.unwrap().to_string().contains("one.example"));
        assert!(with_file("", given()).unwrap().storage.is_none());
        let missing = "storage = 'postgres://u@h/d'\nstorage-password-file = '/nowhere/password'";
        assert!(with_file(missing, given()).is_err());
        let wrong = with_file("storage = 'mysql://scim:hunter2@db.example/main'", given());
        assert!(!format!("{:#}", wrong.err().unwrap()).contains("hunter2"));
    }

    #[test]
    fn a_misspelt_key_and_what_is_no_base_url_and_no_address_are_refused() {
        for text in ["dta = '/file'", "base-url = 'example.com'", "base-url = 'https://h/?x'", "listen = 'x'"] {
            assert!(with_file(text, Common::default()).is_err(), "{text}");
        }
    }

    #[test]
    fn the_address_to_listen_on_is_one_with_a_port() {
        for (text, expected) in
            [("127.0.0.1:8080", "127.0.0.1:8080"), ("[::]:80", "[::]:80"), ("localhost:8099", "127.0.0.1:8099")]
        {
            assert_eq!(listen_address(text), Ok(expected.parse().unwrap()), "{text}");
        }
        for text in ["", ":8080", "8080", "127.0.0.1", "example.com:80", "localhost:", "localhost:99999"] {
            let refusal = listen_address(text).unwrap_err();
            assert!(refusal.contains("127.0.0.1:8080") && refusal.contains("0.0.0.0:8080"), "{text}: {refusal}");
        }
    }
}
