//! SMTP servers that refuse, close the connection, do not answer or lie.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::super::{SmtpConfig, SmtpMailer};
use super::server::{Reply, Server};
use super::{acme, message, sender};
use crate::capability::email::{MailError, Mailer as _, Message};

fn mailer(server: &Server, more: &str) -> SmtpMailer {
    let text = format!("host = '127.0.0.1'\nport = {}\ntls = 'none'\n{more}", server.port);
    SmtpMailer::new(&toml::from_str::<SmtpConfig>(&text).unwrap(), sender()).unwrap()
}

/// A server that gives this answer to commands that begin in this way, and the usual answer to all others.
async fn server(command: &'static str, reply: Reply) -> Server {
    Server::start(move |_, said| {
        let matches = if command.is_empty() { said.is_empty() } else { said.starts_with(command) };
        if matches { reply.clone() } else { Reply::Usual }
    })
    .await
}

#[tokio::test]
async fn a_message_is_taken_whole_with_envelope_and_dots() {
    let server = server("none", Reply::Usual).await;
    let sent = Message { text: ".\n..x\nend".into(), ..message("m-1") };
    mailer(&server, "").send(&acme(), sent).await.unwrap();
    let log = server.log();
    assert_eq!(
        log[..4],
        ["EHLO insomnia.example", "MAIL FROM:<no-reply@insomnia.example>", "RCPT TO:<ada@acme.example>", "DATA"]
    );
    assert!(log[4].contains("Message-ID: <m-1@insomnia.example>") && log[4].contains("\n..\n...x\nend"), "{}", log[4]);
}

#[tokio::test]
async fn a_final_refusal_of_the_recipient_or_the_message_is_rejected() {
    for (command, reply) in [
        ("RCPT", "550 5.1.1 no such user"),
        ("RCPT", "553 5.1.3 bad address"),
        ("RCPT", "501 syntax"),
        ("DATA", "554 no valid recipients"),
        (".", "554 5.7.1 looks like spam"),
        (".", "552 too large"),
        ("RCPT", "550-several\r\n550 lines"),
    ] {
        let server = server(command, Reply::Say(reply)).await;
        let outcome = mailer(&server, "").send(&acme(), message("m-1")).await;
        assert!(matches!(outcome, Err(MailError::Rejected(_))), "{command} {reply}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_refusal_for_now_or_of_our_own_settings_is_unavailable() {
    let sign_in = "username = 'u'\npassword = 'p'";
    for (command, reply) in [
        ("", "421 busy"),
        ("", "554 no service for you"),
        ("EHLO", "421 busy"),
        ("EHLO", "550 not you"),
        ("AUTH", "535 wrong password"),
        ("AUTH", "454 not now"),
        ("MAIL", "451 not now"),
        ("MAIL", "550 sender not allowed"),
        ("MAIL", "530 sign in first"),
        ("RCPT", "421 shutting down"),
        ("RCPT", "530 sign in first"),
        ("RCPT", "503 bad sequence"),
        ("DATA", "451 not now"),
        (".", "452 no space"),
        (".", "421 shutting down"),
        ("", "nonsense"),
        ("RCPT", "xyz nonsense"),
    ] {
        let server = server(command, Reply::Say(reply)).await;
        let outcome = mailer(&server, sign_in).send(&acme(), message("m-1")).await;
        assert!(matches!(outcome, Err(MailError::Unavailable(_))), "{command} {reply}: {outcome:?}");
        assert_eq!(server.taken(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_recipient_who_is_refused_for_now_is_no_outage() {
    for reply in ["450 mailbox busy", "451 greylisted", "452 mailbox full"] {
        let server = server("RCPT", Reply::Say(reply)).await;
        let outcome = mailer(&server, "").send(&acme(), message("m-1")).await;
        assert!(
            matches!(&outcome, Err(MailError::Other(why)) if why.contains("the recipient")),
            "{reply}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_or_silent_at_any_point_is_unavailable_and_the_next_attempt_succeeds() {
    let mut attempts = vec![];
    for reply in [Reply::Close, Reply::Silence] {
        for command in ["", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "."] {
            attempts.push((command, tokio::spawn(lose_and_retry(command, reply.clone()))));
        }
    }
    for (command, attempt) in attempts {
        attempt.await.unwrap_or_else(|error| panic!("{command}: {error}"));
    }
}

async fn lose_and_retry(command: &'static str, reply: Reply) {
    let first = AtomicBool::new(true);
    let server = Server::start(move |_, said| {
        let matches = if command.is_empty() { said.is_empty() } else { said.starts_with(command) };
        if matches && first.swap(false, Ordering::SeqCst) { reply.clone() } else { Reply::Usual }
    })
    .await;
    let mailer = mailer(&server, "timeout-seconds = 1\nusername = 'u'\npassword = 'p'");
    let outcome = mailer.send(&acme(), message("m-1")).await;
    assert!(matches!(outcome, Err(MailError::Unavailable(_))), "{outcome:?}");
    mailer.send(&acme(), message("m-1")).await.unwrap();
    assert_eq!(server.taken().len(), 1);
}

#[tokio::test]
async fn no_server_at_all_is_unavailable() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = format!("url = 'smtp://127.0.0.1:{closed}?tls=none'");
    let mailer = SmtpMailer::new(&toml::from_str::<SmtpConfig>(&text).unwrap(), sender()).unwrap();
    let outcome = mailer.send(&acme(), message("m-1")).await;
    assert!(matches!(outcome, Err(MailError::Unavailable(_))), "{outcome:?}");
}

#[tokio::test]
async fn connections_are_used_again_also_after_a_refusal() {
    let server =
        Server::start(|_, said| if said.contains("nobody@") { Reply::Say("550 no") } else { Reply::Usual }).await;
    let mailer = mailer(&server, "");
    mailer.send(&acme(), message("m-1")).await.unwrap();
    let refused = mailer.send(&acme(), Message { to: "nobody@acme.example".into(), ..message("m-2") }).await;
    assert!(matches!(refused, Err(MailError::Rejected(_))));
    mailer.send(&acme(), message("m-3")).await.unwrap();
    assert_eq!((server.connections(), server.taken().len()), (1, 2));
}

#[tokio::test]
async fn a_connection_that_the_server_has_closed_while_idle_costs_no_message() {
    let server =
        Server::start(|number, said| if number == 0 && said == "NOOP" { Reply::Close } else { Reply::Usual }).await;
    let mailer = mailer(&server, "");
    mailer.send(&acme(), message("m-1")).await.unwrap();
    mailer.send(&acme(), message("m-2")).await.unwrap();
    assert_eq!((server.connections(), server.taken().len()), (2, 2));
}

#[tokio::test]
async fn there_are_never_more_connections_than_allowed() {
    let server = server("none", Reply::Usual).await;
    let mailer = Arc::new(mailer(&server, "connections = 2"));
    let sends: Vec<_> = (0..20)
        .map(|n| {
            let mailer = Arc::clone(&mailer);
            tokio::spawn(async move { mailer.send(&acme(), message(&format!("m-{n}"))).await })
        })
        .collect();
    for send in sends {
        send.await.unwrap().unwrap();
    }
    assert!(server.connections() <= 2, "{}", server.connections());
    assert_eq!(server.taken().len(), 20);
}

#[tokio::test]
async fn a_send_that_is_dropped_half_way_does_not_confuse_the_next_one() {
    // The first connection answers MAIL late, after its message was given up.
    let server = Server::start(|number, said| match (number, said) {
        (0, said) if said.starts_with("RCPT") => Reply::Silence,
        _ => Reply::Usual,
    })
    .await;
    let mailer = mailer(&server, "");
    let dropped = tokio::time::timeout(Duration::from_millis(200), mailer.send(&acme(), message("m-1"))).await;
    assert!(dropped.is_err());
    mailer.send(&acme(), message("m-2")).await.unwrap();
    assert_eq!(server.connections(), 2, "the connection in the middle of a command is not used again");
    assert!(server.taken()[0].contains("<m-2@"));
}

#[tokio::test]
async fn without_smtputf8_an_address_beyond_ascii_is_rejected() {
    let server = server("none", Reply::Usual).await;
    let outcome = mailer(&server, "").send(&acme(), Message { to: "用户@acme.example".into(), ..message("m-1") }).await;
    assert!(matches!(outcome, Err(MailError::Rejected(_))), "{outcome:?}");
}

#[tokio::test]
async fn errors_are_one_short_line_and_never_the_password() {
    let long: &'static str = Box::leak(format!("535 no\t{}", "x".repeat(900)).into_boxed_str());
    let server = server("AUTH", Reply::Say(long)).await;
    let mailer = mailer(&server, "username = 'u'\npassword = 's3cret'");
    let outcome = mailer.send(&acme(), message("m-1")).await.unwrap_err();
    let shown = format!("{outcome} {outcome:?} {mailer:?}");
    assert!(!shown.contains("s3cret") && !shown.contains('\t') && shown.len() < 1500, "{shown}");
}

#[tokio::test]
async fn where_tls_is_required_nothing_is_sent_without_it() {
    let server = server("EHLO", Reply::Say("250-test\r\n250 AUTH PLAIN")).await;
    let text = format!("url = 'smtp://u:p@127.0.0.1:{}'", server.port);
    let mailer = SmtpMailer::new(&toml::from_str::<SmtpConfig>(&text).unwrap(), sender()).unwrap();
    let outcome = mailer.send(&acme(), message("m-1")).await;
    assert!(matches!(outcome, Err(MailError::Unavailable(_))), "{outcome:?}");
    assert!(server.log().iter().all(|said| said.starts_with("EHLO") || said == "QUIT"), "{:?}", server.log());
}

/// A server with STARTTLS, and a mailer that trusts it.
async fn with_tls(
    script: impl Fn(usize, &str) -> Reply + Send + Sync + 'static,
) -> (Server, SmtpMailer, tempfile::TempDir) {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![key.cert.der().clone()], private).unwrap();
    let server = Server::start_tls(TlsAcceptor::from(Arc::new(config)), script).await;
    let directory = tempfile::tempdir().unwrap();
    let ca = directory.path().join("ca.pem");
    std::fs::write(&ca, key.cert.pem()).unwrap();
    let text = format!("url = 'smtp://u:p@localhost:{}'\nca-file = '{}'", server.port, ca.display());
    let mailer = SmtpMailer::new(&toml::from_str::<SmtpConfig>(&text).unwrap(), sender()).unwrap();
    (server, mailer, directory)
}

#[tokio::test]
async fn starttls_secures_the_connection_before_anybody_signs_in() {
    let (server, mailer, _directory) = with_tls(|_, _| Reply::Usual).await;
    mailer.send(&acme(), message("m-1")).await.unwrap();
    let log = server.log();
    assert_eq!(log[..3], ["EHLO insomnia.example", "STARTTLS", "EHLO insomnia.example"]);
    assert!(log[3].starts_with("AUTH PLAIN"), "{log:?}");
}

#[tokio::test]
async fn replies_slipped_in_before_tls_are_not_taken_for_the_server_s() {
    let injected = "220 go ahead\r\n250-evil\r\n250 AUTH LOGIN";
    let (server, mailer, _directory) =
        with_tls(move |_, said| if said == "STARTTLS" { Reply::Say(injected) } else { Reply::Usual }).await;
    let outcome = mailer.send(&acme(), message("m-1")).await;
    assert!(matches!(outcome, Err(MailError::Unavailable(_))), "{outcome:?}");
    assert!(!server.log().iter().any(|said| said.starts_with("AUTH")), "{:?}", server.log());
}
