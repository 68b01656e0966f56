//! The options that all commands share.

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use insomnia_scim_contract::UnknownName;
use serde::Deserialize;

use crate::component::Isolation;

/// Takes one of the names of an enumeration of the contract, and shows them all in the help.
pub(super) fn one_of<T>(names: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = UnknownName> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| name.parse::<T>())
}

/// Options of every command. What is not given here may stand in the configuration file.
#[derive(Args, Default)]
#[command(next_help_heading = "Common options")]
pub(super) struct Common {
    /// Configuration file (TOML). Its keys are the long names of options without the dashes; email, outgoing HTTP, TLS,
    /// quotas, alerts and traces have the tables `[email]`, `[http]`, `[tls]`, `[quotas]`, `[alerts]` and `[otlp]` instead, as the
    /// README shows.
    #[arg(long, global = true, value_name = "FILE", env = "INSOMNIA_SCIM_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// Data directory: database, host key, mail folder. [default: $XDG_DATA_HOME/insomnia-scim, that is
    /// ~/.local/share/insomnia-scim]
    #[arg(long, global = true, value_name = "DIR", env = "INSOMNIA_SCIM_DATA")]
    pub(super) data: Option<PathBuf>,
    /// Keep organizations in a PostgreSQL, which several servers may share, and not in the data directory:
    /// postgres://USER@HOST/DATABASE. Others can see a flag in the list of processes: put a password into the variable, or
    /// into a file. [default: SQLite in the data directory]
    #[arg(long, global = true, value_name = "URL", env = "INSOMNIA_SCIM_STORAGE", hide_env_values = true)]
    pub(super) storage: Option<String>,
    /// The file that holds the password for --storage.
    #[arg(long, global = true, value_name = "FILE", env = "INSOMNIA_SCIM_STORAGE_PASSWORD_FILE")]
    pub(super) storage_password_file: Option<PathBuf>,
    /// Leave it to another program, such as litestream, to move SQLite's write-ahead log into the database. Without one the log
    /// grows for ever. Give it to every command too, or put it into the configuration file. The variable is true or false.
    /// [default: the server does it]
    #[arg(long, global = true, env = "INSOMNIA_SCIM_EXTERNAL_CHECKPOINT")]
    pub(super) external_checkpoint: bool,
    /// The URL that clients see before /scim/v2/…, for instance `https://scim.example.com`. [default: that of the
    /// listen address; for the other commands, that of the last server on the data directory]
    #[arg(long, global = true, value_name = "URL", env = "INSOMNIA_SCIM_BASE_URL")]
    pub(super) base_url: Option<String>,
    /// Run this build of the component instead of the one built in, in every organization that is not pinned to another.
    /// It stands before the command, or behind serve and demo.
    #[arg(long, value_name = "FILE", env = "INSOMNIA_SCIM_COMPONENT")]
    pub(super) component: Option<PathBuf>,
    /// Which requests may share an instance of the component; never those of two organizations. [default:
    /// organization]
    #[arg(long, global = true, value_enum, env = "INSOMNIA_SCIM_ISOLATION")]
    pub(super) isolation: Option<IsolationName>,
    /// Where compiled code is kept: a directory that only you may write to. [default: $XDG_CACHE_HOME/insomnia-scim,
    /// that is ~/.cache/insomnia-scim]
    #[arg(long, global = true, value_name = "DIR", env = "INSOMNIA_SCIM_CACHE")]
    pub(super) cache: Option<PathBuf>,
    /// What is logged to stderr: error, warn, info, debug, or per module, as `info,insomnia_scim::request=warn`.
    /// [default: info for serve and demo, else warn]
    #[arg(long, global = true, value_name = "FILTER", env = "INSOMNIA_SCIM_LOG")]
    pub(super) log: Option<String>,
    /// The form of the log. [default: text]
    #[arg(long, global = true, value_enum, env = "INSOMNIA_SCIM_LOG_FORMAT")]
    pub(super) log_format: Option<LogFormat>,
    /// Print JSON, for programs. The variable is true or false.
    #[arg(long, global = true, env = "INSOMNIA_SCIM_JSON")]
    pub(super) json: bool,
}

/// The names of [`Isolation`].
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum IsolationName {
    /// Each call gets an instance that has never run.
    Fresh,
    /// Calls of one organization reuse its instances, one after another.
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

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
