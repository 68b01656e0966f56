//! A server on loopback that answers as the test wants, and records the requests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// The server's reaction to a request.
pub(super) enum Answer {
    /// It sends these bytes, and keeps the connection open.
    Bytes(Vec<u8>),
    /// It sends these bytes, and closes the connection.
    Last(Vec<u8>),
    /// It sends these bytes, and then `x` without end.
    Endless(Vec<u8>),
    /// It sends these bytes, and then nothing.
    Silence(Vec<u8>),
}

pub(super) struct Server {
    pub(super) port: u16,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(super) async fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::run(None, answer).await
    }

    pub(super) async fn start_tls(tls: TlsAcceptor, answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::run(Some(tls), answer).await
    }

    async fn run(tls: Option<TlsAcceptor>, answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(vec![])));
        let server = Self { port, connections: Arc::clone(&connections), requests: Arc::clone(&requests) };
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (answer, requests, tls) = (Arc::clone(&answer), Arc::clone(&requests), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &*answer, &requests).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &*answer, &requests).await;
                            }
                        }
                    }
                });
            }
        });
        server
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The head and the body of each request.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &(impl Fn(&str) -> Answer + Sync),
    requests: &Mutex<Vec<String>>,
) {
    while let Some(request) = read(&mut stream).await {
        requests.lock().unwrap().push(request.clone());
        match answer(&request) {
            Answer::Bytes(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Answer::Last(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                return;
            }
            Answer::Endless(bytes) => {
                let _ = stream.write_all(&bytes).await;
                while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
                return;
            }
            Answer::Silence(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.read(&mut [0]).await;
                return;
            }
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = vec![];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
        let mut some = [0; 4096];
        match stream.read(&mut some).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&some[..n]),
        }
    }
}

/// A response with this status line, these additional header lines and this body.
pub(super) fn response(status: &str, fields: &str, body: &str) -> Answer {
    Answer::Bytes(format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{fields}\r\n{body}", body.len()).into_bytes())
}
