//! `doctor`: checks everything that a server needs, and says what to do about each problem. It changes nothing of any
//! organization.

mod checks;
mod keys;

use anyhow::bail;
use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::config::Settings;
use super::output;
use super::serve::Listen;

/// Arguments of `doctor`. They are those of `serve`, so that both use the same settings.
///
/// The command works while a server runs, and without one. It sends no email: if SMTP is set, it only connects and
/// signs in.
#[derive(Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    listen: Listen,
}

/// The state of what was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// Everything is as it should be.
    Good,
    /// It works, but somebody should look at it.
    Warning,
    /// It keeps a server from its work.
    Bad,
}

/// The result of a check.
#[derive(Debug, Serialize)]
struct Finding {
    /// What was checked, as people read it.
    check: &'static str,
    state: State,
    /// What was found.
    found: String,
    /// What to do about it, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

impl Finding {
    fn good(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, state: State::Good, found: found.into(), advice: None }
    }

    fn warning(check: &'static str, found: impl Into<String>, advice: &str) -> Self {
        Self { check, state: State::Warning, found: found.into(), advice: Some(advice.to_owned()) }
    }

    fn bad(check: &'static str, found: impl Into<String>, advice: &str) -> Self {
        Self { check, state: State::Bad, found: found.into(), advice: Some(advice.to_owned()) }
    }
}

impl Doctor {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let settings = self.listen.before(settings);
        let mut findings = vec![checks::directory(&settings), checks::key_file(&settings), checks::disk(&settings)];
        let database = checks::database(&settings).await;
        findings.extend(database.findings);
        let (of_component, noted) = checks::component(&settings, database.is_away).await;
        findings.extend(of_component);
        findings.extend(checks::certificate(&settings));
        findings.push(checks::base_url(&settings, noted.as_deref()).await);
        findings.push(checks::mail(&settings).await);
        findings.push(checks::alerts(&settings));
        findings.extend(checks::traces(&settings));
        let bad = findings.iter().filter(|finding| finding.state == State::Bad).count();
        if settings.json {
            output::print(&format!("{}\n", json!({ "healthy": bad == 0, "checks": findings })));
        } else {
            for Finding { check, state, found, advice } in &findings {
                let state = match state {
                    State::Good => "ok",
                    State::Warning => "LOOK",
                    State::Bad => "BAD",
                };
                output::print(&format!("{state:4}  {check:11}  {found}\n"));
                if let Some(advice) = advice {
                    output::print(&format!("{:19}-> {advice}\n", ""));
                }
            }
        }
        if bad > 0 {
            bail!("{bad} of {} checks found something that keeps a server from its work", findings.len());
        }
        Ok(())
    }
}
