//! The log of the host, at every level.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock};

use tracing_subscriber::fmt::MakeWriter;

/// What was logged so far.
#[derive(Clone, Default)]
pub(super) struct HostLog(Arc<Mutex<Vec<u8>>>);

impl HostLog {
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl Write for HostLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for HostLog {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// Captures what this process logs from now on.
pub(super) fn capture() -> HostLog {
    static LOG: OnceLock<HostLog> = OnceLock::new();
    let log = LOG.get_or_init(|| {
        let log = HostLog::default();
        // Compiling logs far more than all else, of its own code.
        let filter = tracing_subscriber::EnvFilter::new("trace,cranelift=off,cranelift_codegen=off,wasmtime_cranelift=off,regalloc2=off,wasmtime=info,wasmtime_internal_cranelift=off");
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(log.clone()).init();
        log
    });
    log.clone()
}
