//! The options that all commands share, and the error for options that can't be used.

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use insomnia_scim_contract::UnknownName;
use serde::Deserialize;

use crate::component::Isolation;

/// A parser for the names of an enumeration of the contract. The help shows all of them.
pub(super) fn one_of<T>(names: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = UnknownName> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| name.parse::<T>())
}

/// Arguments or settings that can't be used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct WrongArguments(#[from] pub(super) anyhow::Error);

/// Options of every command. What is not given here may stand in the configuration file.
#[derive(Args, Default)]
#[command(next_help_heading = "Common options")]
pub(super) struct Common {
    /// Configuration file (TOML). Its keys are the long names of the options without the dashes. Email, outgoing HTTP,
    /// TLS, quotas, alerts and traces have the tables `[email]`, `[http]`, `[tls]`, `[quotas]`, `[alerts]` and
    /// `[otlp]`; README describes them.
    #[arg(long, global = true, value_name = "FILE", env = "INSOMNIA_SCIM_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// Data directory, which holds the database, the host key and the mail folder. [default:
    /// $XDG_DATA_HOME/insomnia-scim, that is ~/.local/share/insomnia-scim]
    #[arg(long, global = true, value_name = "DIR", env = "INSOMNIA_SCIM_DATA")]
    pub(super) data: Option<PathBuf>,
    /// Keep organizations in a PostgreSQL, which several servers may share, and not in the data directory:
    /// postgres://USER@HOST/DATABASE. Do not put a password into the flag, which other users can see in the list of
    /// processes: use the variable or --storage-password-file. [default: SQLite in the data directory]
    #[arg(long, global = true, value_name = "URL", env = "INSOMNIA_SCIM_STORAGE", hide_env_values = true)]
    pub(super) storage: Option<String>,
    /// The file that holds the password for --storage.
    #[arg(long, global = true, value_name = "FILE", env = "INSOMNIA_SCIM_STORAGE_PASSWORD_FILE")]
    pub(super) storage_password_file: Option<PathBuf>,
    /// Another program, such as litestream, moves SQLite's write-ahead log into the database (checkpoints). If no
    /// program does, the log grows for ever. Every command on this data needs the same setting: put it into the
    /// configuration file. The variable is true or false. [default: the server does it]
    #[arg(long, global = true, env = "INSOMNIA_SCIM_EXTERNAL_CHECKPOINT")]
    pub(super) external_checkpoint: bool,
    /// The public URL of the server, without /scim/v2/…, for instance `https://scim.example.com`. [default: for serve
    /// and demo, the URL of the listen address; for the other commands, the URL of the last server on the data
    /// directory]
    #[arg(long, global = true, value_name = "URL", env = "INSOMNIA_SCIM_BASE_URL")]
    pub(super) base_url: Option<String>,
    /// Run this build of the component, and not the built-in one, in every organization that is not pinned to another.
    /// Give this flag before the command, or after serve or demo.
    #[arg(long, value_name = "FILE", env = "INSOMNIA_SCIM_COMPONENT")]
    pub(super) component: Option<PathBuf>,
    /// Which requests may share an instance of the component. Two organizations never share one. [default:
    /// organization]
    #[arg(long, global = true, value_enum, env = "INSOMNIA_SCIM_ISOLATION")]
    pub(super) isolation: Option<IsolationName>,
    /// Directory for compiled code. Only you may be able to write to it. [default: $XDG_CACHE_HOME/insomnia-scim, that
    /// is ~/.cache/insomnia-scim]
    #[arg(long, global = true, value_name = "DIR", env = "INSOMNIA_SCIM_CACHE")]
    pub(super) cache: Option<PathBuf>,
    /// What to log to stderr: error, warn, info or debug, also per module, for instance
    /// `info,insomnia_scim::request=warn`. [default: info for serve and demo, else warn]
    #[arg(long, global = true, value_name = "FILTER", env = "INSOMNIA_SCIM_LOG")]
    pub(super) log: Option<String>,
    /// Format of the log. [default: text]
    #[arg(long, global = true, value_enum, env = "INSOMNIA_SCIM_LOG_FORMAT")]
    pub(super) log_format: Option<LogFormat>,
    /// Print JSON. The variable is true or false.
    #[arg(long, global = true, env = "INSOMNIA_SCIM_JSON")]
    pub(super) json: bool,
}

/// The names of [`Isolation`].
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum IsolationName {
    /// Each call gets a new instance.
    Fresh,
    /// Calls of one organization reuse its instances, one call at a time.
    Organization,
}

impl From<IsolationName> for Isolation {
    fn from(name: IsolationName) -> Self {
        match name {
            IsolationName::Fresh => Self::Fresh,
            IsolationName::Organization => Self::Organization,
        }
    }
}

/// The form of log lines.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LogFormat {
    /// Text for people.
    Text,
    /// One JSON object per line.
    Json,
}
