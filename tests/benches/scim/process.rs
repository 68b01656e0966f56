//! The server as the operating system sees it.

use std::fs;

/// A process, by its number.
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// The CPU time of its threads so far, in milliseconds. The kernel counts it to the nanosecond in `schedstat`; `stat`
    /// would have ticks of ten milliseconds.
    pub(crate) fn cpu(&self) -> f64 {
        computed(self.0).unwrap()
    }

    /// The CPU time of the process and its children so far, in milliseconds, also of children that have ended. For those the
    /// kernel counts ticks of ten milliseconds.
    pub(crate) fn cpu_with_children(&self) -> f64 {
        const TICK: f64 = 10.0;
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.0)).unwrap();
        // A child may end at this moment.
        let alive = children.split_whitespace().filter_map(|child| computed(child.parse().ok()?));
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap();
        // The name of the program is in parentheses and may contain anything. The state is the first field behind it.
        let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        let ended = fields[13].parse::<f64>().unwrap() + fields[14].parse::<f64>().unwrap();
        self.cpu() + alive.sum::<f64>() + ended * TICK
    }

    /// How much it has written so far, to files and to connections, in KiB.
    pub(crate) fn written(&self) -> f64 {
        let text = fs::read_to_string(format!("/proc/{}/io", self.0)).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap();
        line.parse::<f64>().unwrap() / 1024.0
    }
}

/// The CPU time of the threads of this process; `None` if it has ended.
fn computed(process: u32) -> Option<f64> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let of = |thread: std::io::Result<fs::DirEntry>| {
        // A thread may end at this moment.
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    };
    Some(threads.filter_map(of).sum::<f64>() / 1e6)
}
