//! What the process asks of the operating system: limits, signals, and messages to the service manager.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

/// The signal for a file that would become larger than the limit of the process (`ulimit -f`) allows.
const SIGXFSZ: i32 = 25;

/// Raises the soft limit of file descriptors to the hard one: each connection takes one, and the soft limit is
/// traditionally kept at 1,024 for programs that can't handle more.
pub(super) fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!("the limit of file descriptors can't be raised: {error}");
        }
    }
}

/// Handles the signal that comes with a write beyond the limit of file sizes, and that would otherwise end the process.
/// From now on only the write fails, and its request is refused. It must be called in a Tokio runtime.
pub(super) fn survive_file_size_limit() {
    // A handler that is installed once stays for the life of the process.
    if let Err(error) = signal(SignalKind::from_raw(SIGXFSZ)) {
        tracing::warn!("the signal of the limit of file sizes can't be handled: {error}");
    }
}

/// Tells the service manager that started the process about its state (sd_notify(3)). If no service manager has started
/// it, this does nothing.
pub(super) fn tell_service_manager(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!("the service manager can't be told: {error}");
    }
}
