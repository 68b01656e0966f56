//! `alerts`: lists the problems that need a person now, and tests whether alerts arrive.

use anyhow::{anyhow, ensure};
use clap::Subcommand;
use serde_json::json;

use super::arguments::WrongArguments;
use super::config::Settings;
use super::serve::Listen;
use super::{host, output};
use crate::alerts::AlertCause;
use crate::capability::clock::{Clock as _, SystemClock};

/// How many alerts are read at a time.
const PAGE: u32 = 500;

/// Commands about alerts: what needs a person, and is told to the operator.
#[derive(Subcommand)]
pub(super) enum AlertsCommand {
    /// List the alerts of all organizations and hosts, as the servers found them when they last looked.
    List {
        /// List only alerts with this cause, for instance webhook-failing. May be given more than once. [default: all]
        #[arg(long, value_name = "CAUSE")]
        cause: Vec<AlertCause>,
    },
    /// Send a test alert to the configured addresses and webhook, and report whether they accepted it.
    Test {
        #[command(flatten)]
        listen: Box<Listen>,
    },
}

impl AlertsCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        match self {
            Self::List { cause } => list(settings, &cause).await,
            Self::Test { listen } => test(&listen.before(settings)).await,
        }
    }
}

async fn list(settings: &Settings, causes: &[AlertCause]) -> anyhow::Result<()> {
    let provisioner = host::open(settings).await?;
    let (mut listed, mut after) = (Vec::new(), None::<String>);
    loop {
        let (alerts, next) = provisioner.alerts(after.as_deref(), PAGE).await?;
        for alert in alerts {
            if causes.is_empty() || causes.contains(&alert.cause) {
                listed.push(serde_json::to_value(alert)?);
            }
        }
        after = next;
        if after.is_none() {
            break;
        }
    }
    output::table(settings.json, &listed, &["cause", "organization", "host", "since", "told", "detail"]);
    Ok(())
}

async fn test(settings: &Settings) -> anyhow::Result<()> {
    let alerts = settings.alerts().map_err(WrongArguments)?;
    if !settings.alerts.tells_somebody() {
        let error =
            anyhow!("nobody is told of alerts: set --alert-mail ADDRESS or --alert-webhook URL, as for `serve`");
        return Err(WrongArguments(error).into());
    }
    let mailer = settings.email.mailer(&settings.data)?;
    let server = settings.base_url.clone().unwrap_or_else(|| "that this command was run for".to_owned());
    let outcomes = alerts.test(&*mailer, &server, SystemClock.now()).await;
    let failed = outcomes.iter().filter(|(_, outcome)| outcome.is_err()).count();
    let lines: Vec<_> = outcomes
        .into_iter()
        .map(|(receiver, outcome)| json!({"receiver": receiver, "taken": outcome.is_ok(), "error": outcome.err()}))
        .collect();
    output::table(settings.json, &lines, &["receiver", "taken", "error"]);
    ensure!(failed == 0, "{failed} of {} receivers did not take the test", lines.len());
    Ok(())
}
