//! The message in the form in which it is sent.

use super::super::{InvalidSender, Sender};
use super::{message, sender};
use crate::capability::email::{MailError, Message};

/// The header fields, unfolded.
fn head(sender: &Sender, message: &Message) -> Vec<String> {
    let text = String::from_utf8(sender.write(message).unwrap().bytes).unwrap();
    let head = text.split_once("\r\n\r\n").unwrap().0.replace("\r\n ", " ");
    head.split("\r\n").map(str::to_owned).collect()
}

#[test]
fn it_has_a_real_message_id_and_date_and_both_parts() {
    let letter = sender().write(&message("m-1.a")).unwrap();
    let text = String::from_utf8(letter.bytes).unwrap();
    for line in [
        "Message-ID: <m-1.a@insomnia.example>",
        "Date: Sat, 22 Nov 2025 17:00:00 +0000",
        "From: \"Insomnia\" <no-reply@insomnia.example>",
        "To: ada@acme.example",
        "Subject: Welcome to Insomnia",
        "MIME-Version: 1.0",
        "Auto-Submitted: auto-generated",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Type: text/html; charset=utf-8",
        "Hello Ada",
        "<p>Hello Ada</p>",
    ] {
        assert!(
            text.lines().any(|found| found.replace("From: Insomnia ", "From: \"Insomnia\" ") == line),
            "{line} in\n{text}"
        );
    }
    assert!(text.contains("Content-Type: multipart/alternative;"), "{text}");
}

#[test]
fn reply_to_and_the_message_id_s_domain_can_be_set() {
    let sender = Sender::new("a@a.example", Some("Help <help@b.example>"), Some("mail.c.example")).unwrap();
    let head = head(&sender, &message("x"));
    assert!(head.contains(&"Message-ID: <x@mail.c.example>".to_owned()), "{head:?}");
    assert!(head.iter().any(|line| line.starts_with("Reply-To: ") && line.contains("help@b.example")), "{head:?}");
}

#[test]
fn no_field_can_be_added_through_the_subject() {
    let names =
        |head: &[String]| head.iter().map(|line| line.split(':').next().unwrap().to_owned()).collect::<Vec<_>>();
    let plain = names(&head(&sender(), &message("x")));
    for subject in [
        "a\r\nBcc: eve@evil.example",
        "a\nBcc: eve@evil.example",
        "a\rBcc: eve@evil.example",
        "a\r\n\r\nbody",
        "\u{85}Bcc: e",
        "a\u{2028}Bcc: e",
        "a\0b",
        "é\r\nBcc: eve@evil.example",
        &format!("{}\r\nBcc: e", "long ".repeat(100)),
    ] {
        let written = sender().write(&Message { subject: subject.into(), ..message("x") }).unwrap();
        assert_eq!(names(&head(&sender(), &Message { subject: subject.into(), ..message("x") })), plain, "{subject:?}");
        assert!(written.bytes.is_ascii());
    }
}

#[test]
fn what_is_no_address_is_rejected() {
    for to in [
        "",
        "ada",
        "@acme.example",
        "ada@",
        "ada@acme.example\r\nBcc: eve@evil.example",
        "ada@acme.example\n",
        "ada@acme.example> RCPT TO:<eve@evil.example",
        "ada@acme.example, eve@evil.example",
        "Ada <ada@acme.example>",
        "\"a\r\nb\"@acme.example",
        "a b@acme.example",
        "ada@acme example",
        "ada@-.example",
        &format!("{}@acme.example", "a".repeat(65)),
        &format!("ada@{}.example", "a".repeat(250)),
        "ada@acme.example SIZE=1",
        "ada\0@acme.example",
    ] {
        let outcome = sender().write(&Message { to: to.into(), ..message("x") });
        assert!(matches!(outcome, Err(MailError::Rejected(_))), "{to:?}");
    }
    for to in ["ada@acme.example", "a.b+c@acme.example", "o'neill@acme.example", "用户@例子.example"] {
        assert!(sender().write(&Message { to: to.into(), ..message("x") }).is_ok(), "{to}");
    }
}

#[test]
fn an_id_that_is_not_safe_in_a_header_and_a_file_name_is_rejected() {
    let long = "a".repeat(129);
    for id in ["", ".", "..", "../x", "a/b", "a\\b", "a..b", ".a", "a.", "a b", "a>", "a\r\nX: y", "é", &long] {
        assert!(matches!(sender().write(&message(id)), Err(MailError::Rejected(_))), "{id:?}");
    }
}

#[test]
fn dates_and_sizes_beyond_bounds_are_rejected_without_a_panic() {
    for date in [253_402_300_800_000, u64::MAX] {
        assert!(matches!(sender().write(&Message { date, ..message("x") }), Err(MailError::Rejected(_))), "{date}");
    }
    for date in [0, 253_402_300_799_999] {
        assert!(sender().write(&Message { date, ..message("x") }).is_ok(), "{date}");
    }
    let large = "x".repeat(1024 * 1024 + 1);
    let too_large = [
        Message { text: large.clone(), ..message("x") },
        Message { html: large.clone(), ..message("x") },
        Message { subject: large[..3000].into(), ..message("x") },
    ];
    for message in too_large {
        assert!(matches!(sender().write(&message), Err(MailError::Rejected(_))));
    }
}

#[test]
fn a_sender_that_can_not_be_used_is_an_error() {
    for from in ["", "nobody", "a@b@c", "A <a@b.example>\r\nBcc: e@e.example", "a@b.example, c@d.example"] {
        assert_eq!(Sender::new(from, None, None).unwrap_err(), InvalidSender::Mailbox(from.into()));
    }
    assert!(Sender::new("a@b.example", Some("nobody"), None).is_err());
    for domain in ["", "a b", "a>b", "a..b", "a\r\nb", "é.example"] {
        assert_eq!(Sender::new("a@b.example", None, Some(domain)).unwrap_err(), InvalidSender::Domain(domain.into()));
    }
}
