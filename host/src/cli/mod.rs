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

/// How long the end of the process waits for what the system still does for it.
const AT_THE_END: Duration = Duration::from_secs(1);

/// SCIM provisioning for Insomnia Enterprise: identity providers create, update and deactivate members and teams.
///
/// Start with `insomnia-scim demo`: it serves an organization to try, and prints three commands that provision a user.
///
/// A setting is taken from its flag, else from its environment variable, else from a file (--config). The commands about
/// organizations work on the data itself, so they do the same whether a server runs on it or not.
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
    /// Serve, with an organization to try: made on the first start, with SCIM enabled for Okta.
    Demo(demo::Demo),
    /// Organizations: create, show, list, set, delete.
    #[command(subcommand)]
    Org(org::Org),
    /// Members of an organization, of either origin.
    #[command(subcommand)]
    Member(member::MemberCommand),
    /// Teams of an organization, of either origin.
    #[command(subcommand)]
    Team(team::TeamCommand),
    /// Further attributes of users and groups, and further resource types: put, show, remove.
    #[command(subcommand)]
    Schema(schema::SchemaCommand),
    /// An organization's SCIM connector: enable, disable, status, refresh.
    #[command(subcommand)]
    Connector(connector::Connector),
    /// Links by which somebody who is no owner sets up the identity provider: create, list, revoke.
    #[command(subcommand)]
    SetupLink(setup_link::SetupLinkCommand),
    /// Clients of an organization's OAuth 2.0 authorization server: create, list, rotate, delete.
    #[command(subcommand, name = "oauth-client")]
    OAuthClient(oauth_client::OAuthClientCommand),
    /// Automatic refresh over the identity provider's API: entra, okta, show, try, remove.
    #[command(subcommand)]
    IdpApi(idp_api::IdpApiCommand),
    /// What provisioning a list of users would do: who is matched, created, left manual. Changes nothing.
    Preview(guard::Preview),
    /// The guard that holds mass deactivations and deletions: set, show, allow, refuse.
    #[command(subcommand)]
    Guard(guard::GuardCommand),
    /// The log of SCIM requests: list, export.
    #[command(subcommand)]
    Log(request_log::LogCommand),
    /// The audit trail: what people, API keys and the operator did.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Events: what changed in an organization.
    #[command(subcommand)]
    Event(webhook::EventCommand),
    /// Where an organization's events are posted to: set, show, remove.
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
    /// Receivers of SCIM events (RFC 9967): add, list, show, remove, rotate-token, rotate-key.
    #[command(subcommand)]
    Stream(stream::StreamCommand),
    /// Emails, events and tokens on their way: list, retry.
    #[command(subcommand)]
    Delivery(delivery::DeliveryCommand),
    /// Builds of the component beside the one that the server runs: list, remove, canary.
    #[command(subcommand)]
    Component(component::ComponentCommand),
    /// What needs a person, and is told to the operator: list, test.
    #[command(subcommand)]
    Alerts(alerts::AlertsCommand),
    /// Keys of the admin API: create, list, revoke.
    #[command(subcommand)]
    ApiKey(api_key::ApiKeyCommand),
    /// The host key, which seals what must be replayed to others: rotate, status, retire.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Look at everything that a server needs, and say what to do about what is wrong: data, key, disk, clock, mail, URL.
    Doctor(doctor::Doctor),
    /// Copy all data and the host key into a new data directory, beside a server that goes on.
    Backup(backup::Backup),
    /// Bring back what `backup` has copied: into an empty data directory, or an empty PostgreSQL.
    Restore(backup::Restore),
    /// Move all data to another database: from a data directory to a PostgreSQL, or the other way.
    Migrate(backup::Migrate),
    /// Try any SCIM connector over HTTP as an identity provider would: create, find, change, deactivate, delete a user.
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
    // A name that is being looked up keeps a thread for as long as the resolver likes.
    runtime.shutdown_timeout(AT_THE_END);
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What may be set for every command, for the server, or because it is a secret.
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

    /// A variable that stays in a shell must not change or delete anything later.
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
