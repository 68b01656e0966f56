//! The host's capabilities against real servers: email to aiosmtpd over TLS, with sign-in.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use insomnia_scim::OrganizationId;
use insomnia_scim::capability::email::{MailError, Mailer, Message};
use insomnia_scim::email::EmailConfig;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::python::tool;

const PASSWORD: &str = "p@ss:/w%rd é";

/// aiosmtpd, until it is dropped.
struct SmtpServer {
    process: Child,
    _stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    mode: &'static str,
    port: u16,
    directory: TempDir,
}

impl SmtpServer {
    fn start(mode: &'static str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        std::fs::write(directory.path().join("ca.pem"), key.cert.pem()).unwrap();
        std::fs::write(directory.path().join("key.pem"), key.signing_key.serialize_pem()).unwrap();
        Self::start_at(mode, 0, directory)
    }

    fn start_at(mode: &'static str, port: u16, directory: TempDir) -> Self {
        let mut process = Command::new(tool("python"))
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("smtp/server.py"))
            .args([directory.path().join("ca.pem"), directory.path().join("key.pem")])
            .args([mode, &port.to_string()])
            .env("PASSWORD", PASSWORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = process.stdin.take().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let port = line(&mut stdout).parse().unwrap();
        Self { process, _stdin: stdin, stdout, mode, port, directory }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Another process in the place of this one.
    fn start_again(&mut self) {
        let directory = std::mem::replace(&mut self.directory, tempfile::tempdir().unwrap());
        *self = Self::start_at(self.mode, self.port, directory);
    }

    /// The next message that the server has taken.
    fn taken(&mut self) -> Value {
        serde_json::from_str(&line(&mut self.stdout)).unwrap()
    }

    fn mailer(&self, scheme: &str, password: &str) -> Arc<dyn Mailer> {
        let file = self.directory.path().join("password");
        std::fs::write(&file, format!("{password}\n")).unwrap();
        self.configured(json!({
            "url": format!("{scheme}://mailer@localhost:{}", self.port),
            "password-file": file,
            "ca-file": self.directory.path().join("ca.pem"),
        }))
    }

    fn configured(&self, smtp: Value) -> Arc<dyn Mailer> {
        let config = EmailConfig {
            from: Some("Insomnia <no-reply@insomnia.example>".into()),
            smtp: Some(serde_json::from_value(smtp).unwrap()),
            ..EmailConfig::default()
        };
        config.mailer(self.directory.path()).unwrap()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn line(stdout: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    assert!(stdout.read_line(&mut line).unwrap() > 0, "the SMTP server has ended; see its error above");
    line.trim_end().to_owned()
}

fn message(id: &str, to: &str) -> Message {
    Message {
        id: id.into(),
        date: 1_763_830_800_000,
        to: to.into(),
        subject: "Willkommen – bienvenue".into(),
        text: "Grüße\n.\nend".into(),
        html: "<p>Grüße</p>".into(),
    }
}

async fn send(mailer: &Arc<dyn Mailer>, id: &str, to: &str) -> Result<(), MailError> {
    mailer.send(&OrganizationId::parse("acme").unwrap(), message(id, to)).await
}

#[tokio::test]
async fn a_message_arrives_over_tls_after_sign_in() {
    for (mode, scheme) in [("implicit", "smtps"), ("starttls", "smtp")] {
        let mut server = SmtpServer::start(mode);
        let mailer = server.mailer(scheme, PASSWORD);
        for id in ["m-1", "m-2"] {
            send(&mailer, id, "ada@acme.example").await.unwrap();
            let taken = server.taken();
            assert_eq!(taken["from"], "no-reply@insomnia.example");
            assert_eq!(taken["to"], json!(["ada@acme.example"]));
            assert_eq!((&taken["tls"], &taken["signed_in"]), (&Value::Bool(true), &Value::Bool(true)), "{mode}");
            let message = taken["message"].as_str().unwrap();
            assert!(message.contains(&format!("Message-ID: <{id}@insomnia.example>")), "{message}");
            assert!(message.contains("Date: Sat, 22 Nov 2025 17:00:00 +0000"), "{message}");
        }
    }
}

#[tokio::test]
async fn a_real_server_s_refusals_are_told_apart() {
    let mut server = SmtpServer::start("starttls");
    let mailer = server.mailer("smtp", PASSWORD);
    let refused = send(&mailer, "m-1", "nobody@acme.example").await;
    assert!(matches!(&refused, Err(MailError::Rejected(why)) if why.contains("no such user")), "{refused:?}");
    let later = send(&mailer, "m-2", "later@acme.example").await;
    assert!(matches!(&later, Err(MailError::Other(why)) if why.contains("come back later")), "{later:?}");
    send(&mailer, "m-3", "ada@acme.example").await.unwrap();
    assert!(server.taken()["message"].as_str().unwrap().contains("<m-3@"));
}

#[tokio::test]
async fn a_wrong_password_loses_no_message() {
    for (mode, scheme) in [("implicit", "smtps"), ("starttls", "smtp")] {
        let server = SmtpServer::start(mode);
        let outcome = send(&server.mailer(scheme, "wrong"), "m-1", "ada@acme.example").await;
        assert!(matches!(outcome, Err(MailError::Unavailable(_))), "{mode}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_server_that_can_not_prove_its_name_gets_nothing() {
    for (mode, scheme) in [("implicit", "smtps"), ("starttls", "smtp")] {
        let server = SmtpServer::start(mode);
        let ca = server.directory.path().join("ca.pem");
        let unknown_authority = json!({ "url": format!("{scheme}://localhost:{}", server.port) });
        let other_name = json!({ "url": format!("{scheme}://127.0.0.1:{}", server.port), "ca-file": ca });
        for smtp in [unknown_authority, other_name] {
            let outcome = send(&server.configured(smtp.clone()), "m-1", "ada@acme.example").await;
            assert!(matches!(outcome, Err(MailError::Unavailable(_))), "{smtp}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn after_a_restart_of_the_server_the_same_mailer_goes_on() {
    let mut server = SmtpServer::start("implicit");
    let mailer = server.mailer("smtps", PASSWORD);
    send(&mailer, "m-1", "ada@acme.example").await.unwrap();
    server.taken();
    server.kill();
    let outcome = send(&mailer, "m-2", "ada@acme.example").await;
    assert!(matches!(outcome, Err(MailError::Unavailable(_))), "{outcome:?}");
    server.start_again();
    send(&mailer, "m-2", "ada@acme.example").await.unwrap();
    assert!(server.taken()["message"].as_str().unwrap().contains("<m-2@"));
}
