//! The log of the process. It goes to stderr, so that standard output has only what a command prints.

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use super::arguments::LogFormat;
use super::arguments::WrongArguments;
use super::config::Settings;
use super::log_line::Traced;
use super::log_queue::LogQueue;

/// How long the process waits at its end for the last lines to be read.
const FLUSH: Duration = Duration::from_secs(1);

/// The log of this process. When this value is dropped, it waits a moment for the last lines to be written.
pub(super) struct Log(LogQueue);

impl Drop for Log {
    fn drop(&mut self) {
        self.0.flush(FLUSH);
    }
}

/// Starts to log what the settings ask for, or `default`. Panics are logged as well.
pub(super) fn start(settings: &Settings, default: &str) -> anyhow::Result<Log> {
    let filter = settings.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(filter)
        .with_context(|| format!("{filter:?} is not a log filter"))
        .map_err(WrongArguments)?;
    let queue = LogQueue::start(std::io::stderr()).context("the thread that writes the log can't be started")?;
    // The library would print its internal errors to stderr, and panic if nobody reads stderr.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(queue.clone()).log_internal_errors(false);
    let started = match settings.log_format {
        LogFormat::Text => {
            let is_terminal = std::io::stderr().is_terminal();
            let form = tracing_subscriber::fmt::format().with_ansi(is_terminal);
            log.with_ansi(is_terminal).event_format(Traced { form, json: false }).try_init()
        }
        LogFormat::Json => {
            let log = log.json().flatten_event(true).with_current_span(false).with_span_list(false);
            log.map_event_format(|form| Traced { form, json: true }).try_init()
        }
    };
    started.map_err(|error| anyhow::anyhow!("the log can't be started: {error}"))?;
    // Rust's own hook writes to stderr directly, so a panic would wait for a reader.
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = std::backtrace::Backtrace::capture();
        tracing::error!("{panic}\n{backtrace}");
    }));
    Ok(Log(queue))
}
