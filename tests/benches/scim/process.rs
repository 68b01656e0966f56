//! The server as the operating system sees it.

use std::fs;

/// A process, by its number.
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// What its threads have computed so far, in milliseconds. The kernel counts it to the nanosecond in `schedstat`; in
    /// `stat` it would be ticks of ten milliseconds.
    pub(crate) fn cpu(&self) -> f64 {
        let threads = fs::read_dir(format!("/proc/{}/task", self.0)).unwrap();
        let of = |thread: std::io::Result<fs::DirEntry>| {
            // A thread may end at this moment.
            let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<f64>().ok()
        };
        threads.filter_map(of).sum::<f64>() / 1e6
    }

    /// What it has handed to the system so far, to files and to connections, in KiB.
    pub(crate) fn written(&self) -> f64 {
        let text = fs::read_to_string(format!("/proc/{}/io", self.0)).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap();
        line.parse::<f64>().unwrap() / 1024.0
    }
}
