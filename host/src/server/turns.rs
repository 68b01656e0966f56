//! Makes connections take turns. A client may send requests without waiting for the answers (pipelining, RFC 9112
//! §9.3.2). After one of these requests, the requests of other connections come first.
//!
//! Otherwise the HTTP library would serve up to sixteen of them at once, and the runtime would not serve other
//! connections meanwhile. If the requests compute, a few such clients would make all others wait for a third of a
//! second.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::yield_now;

/// The turns of one connection. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns {
    /// Whether a request has begun in this turn.
    taken: Arc<AtomicBool>,
}

impl Turns {
    /// Drives the connection. Each time that the runtime polls it is a turn.
    pub(super) async fn drive<C: Future>(&self, mut connection: Pin<&mut C>) -> C::Output {
        poll_fn(|context| {
            self.taken.store(false, Ordering::Relaxed);
            connection.as_mut().poll(context)
        })
        .await
    }

    /// Waits until a request of the connection may begin: at once, if it is the first one of this turn. Requests of
    /// HTTP/2 are tasks of their own, which have turns anyway.
    pub(super) async fn take(&self) {
        if self.taken.swap(true, Ordering::Relaxed) {
            yield_now().await;
            self.taken.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::pin;
    use std::sync::Mutex;

    use axum::body::Body;
    use axum::http::Response;
    use hyper::service::service_fn;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use hyper_util::server::conn::auto::Builder;
    use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    /// Serves a connection with this many requests; each notes in `begun` that it has begun.
    async fn serve(stream: DuplexStream, count: usize, begun: Arc<Mutex<Vec<usize>>>) {
        let turns = Turns::default();
        let of_request = turns.clone();
        let service = service_fn(move |_| {
            let (turns, begun) = (of_request.clone(), Arc::clone(&begun));
            async move {
                turns.take().await;
                begun.lock().unwrap().push(count);
                Ok::<_, Infallible>(Response::new(Body::from("answer")))
            }
        });
        let builder = Builder::new(TokioExecutor::new());
        turns.drive(pin!(builder.serve_connection(TokioIo::new(stream), service))).await.unwrap();
    }

    #[tokio::test(flavor = "current_thread")]
    async fn requests_sent_without_waiting_for_answers_take_turns_with_those_of_other_connections() {
        let begun = Arc::new(Mutex::new(Vec::new()));
        let request = "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n";
        let last = "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n";
        let mut clients = Vec::new();
        let mut served = Vec::new();
        for count in [60, 3] {
            let (mut client, server) = duplex(1 << 16);
            client.write_all((request.repeat(count - 1) + last).as_bytes()).await.unwrap();
            clients.push(client);
            served.push(tokio::spawn(serve(server, count, Arc::clone(&begun))));
        }
        for served in served {
            served.await.unwrap();
        }
        let begun = begun.lock().unwrap();
        assert_eq!(begun.len(), 63);
        let last_of_few = begun.iter().rposition(|count| *count == 3).unwrap();
        let before = begun[..last_of_few].iter().filter(|count| **count == 60).count();
        assert!(before <= 4, "{before} requests of another connection came first: {begun:?}");
    }
}
