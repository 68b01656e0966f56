//! The queue of log lines on their way to stderr. Code that logs something neither waits nor fails, whatever happens to
//! the reader of stderr.
//!
//! Lines are put into a buffer of [`MOST`] bytes, and a thread of its own writes them. If the reader is slow, the
//! buffer fills, and further lines are dropped and counted. If a write fails (the reader is gone, the disk is full),
//! the lines that were to be written are dropped and counted as well. As soon as a write succeeds again, a warning in
//! the log says how many lines are missing.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

/// How many bytes of lines may wait. As many again may be on their way to the reader.
const MOST: usize = 2 << 20;

/// The end of the queue into which lines are put.
#[derive(Clone)]
pub(super) struct LogQueue(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    /// The number of lines that nobody will see.
    dropped: usize,
    /// Whether the thread is writing lines that it has taken.
    writing: bool,
}

impl LogQueue {
    /// Starts the thread that writes to `to`. It lives as long as the process.
    pub(super) fn start(to: impl Write + Send + 'static) -> io::Result<Self> {
        let queue = Self(Arc::default());
        let shared = Arc::clone(&queue.0);
        thread::Builder::new().name("log-writer".into()).spawn(move || shared.write(to))?;
        Ok(queue)
    }

    /// Waits until all lines are written, but no longer than `most`: the reader may be stuck.
    pub(super) fn flush(&self, most: Duration) {
        let end = Instant::now() + most;
        let mut waiting = self.0.lock();
        while waiting.writing || !waiting.lines.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            waiting = self.0.changed.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, line: &[u8]) {
        let mut waiting = self.lock();
        if waiting.lines.len() + line.len() > MOST {
            waiting.dropped += 1;
            return;
        }
        waiting.lines.extend_from_slice(line);
        drop(waiting);
        self.changed.notify_all();
    }

    fn write(&self, mut to: impl Write) {
        let mut lines = Vec::new();
        loop {
            self.take(&mut lines);
            let written = to.write_all(&lines).and_then(|()| to.flush());
            let dropped = {
                let mut waiting = self.lock();
                waiting.writing = false;
                if written.is_err() {
                    waiting.dropped += lines.iter().filter(|byte| **byte == b'\n').count();
                    0
                } else {
                    std::mem::take(&mut waiting.dropped)
                }
            };
            self.changed.notify_all();
            if dropped > 0 {
                // This line takes the same way as all others, so it has the same form.
                tracing::warn!(lines = dropped, "log lines are missing here: they could not be written in time");
            }
            lines.clear();
            // A burst must not keep its memory for ever.
            lines.shrink_to(64 << 10);
        }
    }

    /// Waits until there are lines, and takes all of them.
    fn take(&self, lines: &mut Vec<u8>) {
        let mut waiting = self.lock();
        while waiting.lines.is_empty() {
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut waiting.lines, lines);
        waiting.writing = true;
    }
}

/// A writer for the line of one event.
pub(super) struct Line<'a>(&'a Shared);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogQueue {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A reader that takes bytes only when the test lets it, or fails.
    struct Reader {
        answers: Receiver<io::Result<()>>,
        taken: Sender<Vec<u8>>,
    }

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let answer = self.answers.recv().unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()));
            answer.map(|()| {
                let _ = self.taken.send(bytes.to_vec());
                bytes.len()
            })
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn queue() -> (LogQueue, Sender<io::Result<()>>, Receiver<Vec<u8>>) {
        let ((answer, answers), (taken, written)) = (channel(), channel());
        (LogQueue::start(Reader { answers, taken }).unwrap(), answer, written)
    }

    fn log(queue: &LogQueue, line: &str) {
        queue.make_writer().write_all(line.as_bytes()).unwrap();
    }

    #[test]
    fn lines_are_written_in_their_order() {
        let (queue, answer, written) = queue();
        for line in ["one\n", "two\n", "three\n"] {
            answer.send(Ok(())).unwrap();
            log(&queue, line);
        }
        let mut all = Vec::new();
        while all != b"one\ntwo\nthree\n" {
            all.extend(written.recv().unwrap());
        }
    }

    #[test]
    fn a_reader_that_takes_nothing_costs_a_bounded_amount_of_memory_and_no_time() {
        let (queue, _answer, _written) = queue();
        for _ in 0..3 * MOST / 1024 {
            log(&queue, &"x".repeat(1024));
        }
        let waiting = queue.0.lock();
        assert!(waiting.lines.len() <= MOST && waiting.dropped >= MOST / 1024, "{}", waiting.dropped);
    }

    #[test]
    fn what_could_not_be_written_is_counted_until_something_can() {
        let (queue, answer, _written) = queue();
        answer.send(Err(io::ErrorKind::BrokenPipe.into())).unwrap();
        log(&queue, "lost\nlost as well\n");
        queue.flush(Duration::from_secs(60));
        assert_eq!(queue.0.lock().dropped, 2);
        answer.send(Ok(())).unwrap();
        log(&queue, "seen\n");
        queue.flush(Duration::from_secs(60));
        assert_eq!(queue.0.lock().dropped, 0);
    }
}
