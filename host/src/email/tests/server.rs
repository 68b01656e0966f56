//! An SMTP server that answers as the test wants.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// The server's reaction to a command.
#[derive(Clone)]
pub(super) enum Reply {
    /// It sends these lines.
    Say(&'static str),
    /// It closes the connection.
    Close,
    /// It never answers.
    Silence,
    /// It answers as a server without faults.
    Usual,
}

/// Decides on the reply: given the connection's number from 0 and the command, `""` for the greeting, `"."` for the
/// end of a message.
pub(super) type Script = dyn Fn(usize, &str) -> Reply + Send + Sync;

pub(super) struct Server {
    pub(super) port: u16,
    connections: Arc<AtomicUsize>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(super) async fn start(script: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        Self::run(None, Arc::new(script)).await
    }

    /// With STARTTLS, TLS begins whatever the script answers to it.
    pub(super) async fn start_tls(
        tls: TlsAcceptor,
        script: impl Fn(usize, &str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::run(Some(tls), Arc::new(script)).await
    }

    async fn run(tls: Option<TlsAcceptor>, script: Arc<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, connections: Arc::default(), log: Arc::default() };
        let (connections, log) = (Arc::clone(&server.connections), Arc::clone(&server.log));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = connections.fetch_add(1, Ordering::SeqCst);
                let (script, log, tls) = (Arc::clone(&script), Arc::clone(&log), tls.clone());
                tokio::spawn(async move {
                    let stream = BufReader::new(stream);
                    if let Some(stream) = talk(stream, number, &*script, &log, true).await
                        && let Some(tls) = tls
                        && let Ok(stream) = tls.accept(stream.into_inner()).await
                    {
                        talk(BufReader::new(stream), number, &*script, &log, false).await;
                    }
                });
            }
        });
        server
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The commands so far, and the accepted messages, each as one entry.
    pub(super) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// The accepted messages.
    pub(super) fn taken(&self) -> Vec<String> {
        self.log().into_iter().filter(|entry| entry.contains("Message-ID:")).collect()
    }
}

/// Returns the stream after STARTTLS.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: BufReader<S>,
    number: usize,
    script: &Script,
    log: &Mutex<Vec<String>>,
    greet: bool,
) -> Option<BufReader<S>> {
    if greet && !reply(&mut stream, script(number, ""), "220 test ESMTP").await {
        return None;
    }
    loop {
        let line = line(&mut stream).await?;
        log.lock().unwrap().push(line.clone());
        let usual = match line.split_whitespace().next().unwrap_or_default() {
            "EHLO" => "250-test\r\n250-AUTH PLAIN LOGIN\r\n250-STARTTLS\r\n250 8BITMIME",
            "STARTTLS" => "220 go ahead",
            "AUTH" => "235 welcome",
            "DATA" => "354 go ahead",
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        let act = script(number, &line);
        let data = line == "DATA" && matches!(act, Reply::Usual);
        if !reply(&mut stream, act, usual).await || line == "QUIT" {
            return None;
        }
        if line == "STARTTLS" {
            return Some(stream);
        }
        if data {
            let mut message = String::new();
            loop {
                match self::line(&mut stream).await?.as_str() {
                    "." => break,
                    text => message += &format!("{text}\n"),
                }
            }
            let act = script(number, ".");
            if matches!(act, Reply::Usual) {
                log.lock().unwrap().push(message);
            }
            if !reply(&mut stream, act, "250 taken").await {
                return None;
            }
        }
    }
}

async fn line<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> Option<String> {
    let mut line = String::new();
    match stream.read_line(&mut line).await {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(line.trim_end().to_owned()),
    }
}

/// Whether the conversation continues.
async fn reply<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>, reply: Reply, usual: &str) -> bool {
    let text = match reply {
        Reply::Say(text) => text,
        Reply::Usual => usual,
        Reply::Close => return false,
        Reply::Silence => {
            // It waits until the client closes the connection.
            while line(stream).await.is_some() {}
            return false;
        }
    };
    stream.write_all(format!("{text}\r\n").as_bytes()).await.is_ok() && stream.flush().await.is_ok()
}
