//! The command line of the `insomnia-scim` binary.

mod alerts;
mod alerts_table;
mod api_key;
mod arguments;
mod audit;
mod backup;
mod compile;
mod component;
mod config;
mod connector;
mod data;
mod data_files;
mod delivery;
mod demo;
mod doctor;
mod failure;
mod guard;
mod host;
mod idp_api;
mod input;
mod key;
mod log;
mod log_line;
mod log_queue;
mod mail;
mod member;
mod moved;
mod oauth_client;
mod org;
mod org_set;
mod otlp;
mod output;
mod pages;
mod passphrase;
mod presence;
#[cfg(unix)]
mod process;
mod request_log;
mod schema;
mod serve;
mod setup_link;
mod stream;
mod team;
mod test_connector;
mod webhook;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use self::arguments::{Common, WrongArguments};
use self::config::Settings;
use self::failure::Failure;
use crate::error::plain;

/// How long the process waits at its end for calls to the system that still run.
const AT_THE_END: Duration = Duration::from_secs(1);

/// SCIM provisioning for Insomnia Enterprise: identity providers create, update and deactivate members and teams.
///
/// Start with `insomnia-scim demo`: it serves an organization to try, and prints three commands that provision a user.
///
/// A setting is taken from its flag, else from its environment variable, else from a file (--config). The commands
/// about organizations work on the data itself, so they do the same whether a server runs on it or not.
#[derive(Parser)]
#[command(name = "insomnia-scim", version, max_term_width = 100, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the SCIM endpoints of all organizations until SIGTERM or Ctrl-C.
    Serve(serve::Serve),
    /// Serve a demo organization: the first start creates it and enables SCIM for Okta.
    Demo(demo::Demo),
    /// Organizations: create, show, list, set, export, delete.
    #[command(subcommand)]
    Org(org::Org),
    /// Members of an organization, whether people or the identity provider manage them.
    #[command(subcommand)]
    Member(member::MemberCommand),
    /// Teams of an organization, whether people or the identity provider manage them.
    #[command(subcommand)]
    Team(team::TeamCommand),
    /// Attributes and resource types beyond the built-in schemas: put, show, remove.
    #[command(subcommand)]
    Schema(schema::SchemaCommand),
    /// An organization's SCIM connector: enable, disable, status, refresh.
    #[command(subcommand)]
    Connector(connector::Connector),
    /// One-time links that let somebody without an account set up the identity provider: create, list, revoke.
    #[command(subcommand)]
    SetupLink(setup_link::SetupLinkCommand),
    /// Clients of an organization's OAuth 2.0 authorization server: create, list, rotate, delete.
    #[command(subcommand, name = "oauth-client")]
    OAuthClient(oauth_client::OAuthClientCommand),
    /// Automatic token refresh through the identity provider's API: entra, okta, show, try, remove.
    #[command(subcommand)]
    IdpApi(idp_api::IdpApiCommand),
    /// Show what provisioning a list of users would do with each of them. Nothing is changed.
    Preview(guard::Preview),
    /// The guard, which holds mass deactivations and deletions: set, show, allow, refuse.
    #[command(subcommand)]
    Guard(guard::GuardCommand),
    /// The log of SCIM requests: list, export.
    #[command(subcommand)]
    Log(request_log::LogCommand),
    /// The audit trail: what people, API keys and the operator did.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Events, which say what changed in an organization: list.
    #[command(subcommand)]
    Event(webhook::EventCommand),
    /// The webhook that receives an organization's events: set, show, test, remove.
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
    /// Receivers of SCIM events (RFC 9967): add, list, show, remove, rotate-token, rotate-key.
    #[command(subcommand)]
    Stream(stream::StreamCommand),
    /// The queues of emails, events and Security Event Tokens: list, retry, dismiss, readdress.
    #[command(subcommand)]
    Delivery(delivery::DeliveryCommand),
    /// Component builds beside the server's own: list, remove, canary.
    #[command(subcommand)]
    Component(component::ComponentCommand),
    /// Alerts to the operator about problems that need a person: list, test.
    #[command(subcommand)]
    Alerts(alerts::AlertsCommand),
    /// Keys of the admin API: create, list, revoke.
    #[command(subcommand)]
    ApiKey(api_key::ApiKeyCommand),
    /// The host key, which encrypts stored secrets: rotate, status, retire.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Check everything that a server needs (data, key, disk, clock, mail, URL), and say how to mend each fault.
    Doctor(doctor::Doctor),
    /// Copy all data and the host key into a new data directory. Servers may keep running.
    Backup(backup::Backup),
    /// Restore a backup into an empty data directory or an empty PostgreSQL.
    Restore(backup::Restore),
    /// Move all data to another database: from a data directory to a PostgreSQL, or the other way.
    Migrate(backup::Migrate),
    /// Test any SCIM connector over HTTP as an identity provider uses it: create, find, change, deactivate and delete a
    /// user.
    TestConnector(test_connector::TestConnector),
    /// Compile the built-in component, and write its code to a file for a build that brings it along.
    ///
    /// The variable INSOMNIA_SCIM_COMPILED_COMPONENT names the file to that build; see `make release`.
    #[command(hide = true)]
    Compile(compile::Compile),
    /// Print a completion script for your shell.
    ///
    /// For bash: insomnia-scim completions bash > /etc/bash_completion.d/insomnia-scim
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write manual pages: one for the program and one for each command.
    Man {
        /// The folder for them, such as /usr/local/share/man/man1.
        directory: PathBuf,
    },
}

/// Runs the command that the process's arguments name.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.kind() == ErrorKind::ValueValidation => {
            let text = error.render();
            let text = if std::io::stderr().is_terminal() { text.ansi().to_string() } else { text.to_string() };
            output::complain(&plain(&text));
            return Failure::Arguments.exit_code();
        }
        Err(error) => error.exit(),
    };
    let json = cli.common.json;
    match run(cli).and_then(|()| output::finish()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let failure = Failure::of(&error);
            output::complain(&failure.said(&error, json));
            failure.exit_code()
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Completions { shell } => {
            let mut script: Vec<u8> = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "insomnia-scim", &mut script);
            output::print(&String::from_utf8_lossy(&script));
            return Ok(());
        }
        Command::Man { directory } => {
            std::fs::create_dir_all(&directory)?;
            return Ok(clap_mangen::generate_to(Cli::command(), directory)?);
        }
        _ => {}
    }
    let settings = Settings::resolve(cli.common).map_err(WrongArguments)?;
    let serves = matches!(cli.command, Command::Serve(_) | Command::Demo(_));
    let _log = log::start(&settings, if serves { "info" } else { "warn" })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        #[cfg(unix)]
        process::survive_file_size_limit();
        match cli.command {
            Command::Serve(serve) => serve.run(settings).await,
            Command::Demo(demo) => demo.run(settings).await,
            Command::Org(org) => org.run(&settings).await,
            Command::Member(member) => member.run(&settings).await,
            Command::Team(team) => team.run(&settings).await,
            Command::Schema(schema) => schema.run(&settings).await,
            Command::Connector(connector) => connector.run(&settings).await,
            Command::SetupLink(link) => link.run(&settings).await,
            Command::OAuthClient(client) => client.run(&settings).await,
            Command::IdpApi(api) => api.run(&settings).await,
            Command::Preview(preview) => preview.run(&settings).await,
            Command::Guard(guard) => guard.run(&settings).await,
            Command::Log(log) => log.run(&settings).await,
            Command::Audit(audit) => audit.run(&settings).await,
            Command::Event(event) => event.run(&settings).await,
            Command::Webhook(webhook) => webhook.run(&settings).await,
            Command::Stream(stream) => stream.run(&settings).await,
            Command::Delivery(delivery) => delivery.run(&settings).await,
            Command::Component(component) => component.run(&settings).await,
            Command::Alerts(alerts) => alerts.run(&settings).await,
            Command::ApiKey(key) => key.run(&settings).await,
            Command::Key(key) => key.run(&settings).await,
            Command::Doctor(doctor) => doctor.run(&settings).await,
            Command::Backup(backup) => backup.run(&settings).await,
            Command::Restore(restore) => restore.run(&settings).await,
            Command::Migrate(migrate) => migrate.run(&settings).await,
            Command::TestConnector(test) => test.run(&settings).await,
            Command::Compile(compile) => compile.run(),
            Command::Completions { .. } | Command::Man { .. } => Ok(()),
        }
    });
    // A lookup of a host name occupies a thread for as long as the resolver likes, so the process does not wait for it.
    runtime.shutdown_timeout(AT_THE_END);
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The flags that have an environment variable: those of every command, those of the server, and secrets.
    const VARIABLES: [&str; 33] = [
        "config",
        "data",
        "storage",
        "storage_password_file",
        "external_checkpoint",
        "base_url",
        "component",
        "isolation",
        "cache",
        "log",
        "log_format",
        "json",
        "organization",
        "listen",
        "metrics_listen",
        "tls_cert",
        "tls_key",
        "api_client_ca",
        "smtp_url",
        "mail_from",
        "mail_folder_keep_days",
        "http_permit",
        "trusted_proxy",
        "alert_mail",
        "alert_webhook",
        "alert_webhook_secret_file",
        "otlp_endpoint",
        "otlp_headers_file",
        "otlp_sample",
        "otlp_follow_callers",
        "otlp_organizations",
        "passphrase",
        "secret_file",
    ];

    /// A variable that is still set in a shell must not make a later command change or delete something.
    #[test]
    fn common_options_and_secrets_are_environment_variables_and_no_other_flag_is() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments().filter(|argument| !argument.is_positional()) {
                let id = argument.get_id().as_str();
                if ["help", "version"].contains(&id) {
                    continue;
                }
                assert!(argument.get_help().is_some(), "{} --{id} has no help", command.get_name());
                let variable = argument.get_env().and_then(|name| name.to_str()).map(str::to_owned);
                let expected = VARIABLES.contains(&id).then(|| format!("INSOMNIA_SCIM_{}", id.to_uppercase()));
                assert_eq!(variable, expected, "{} --{id}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        let mut command = Cli::command();
        command.build();
        check(&command);
    }
}
