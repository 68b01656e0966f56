//! The configuration.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::super::{EmailConfig, EmailConfigError, SmtpConfig, SmtpTls};

fn smtp(text: &str) -> SmtpConfig {
    toml::from_str(text).unwrap()
}

#[test]
fn a_url_and_fields_mean_the_same_server() {
    let cases = [
        ("url = 'smtps://mail.example'", "host = 'mail.example'\ntls = 'implicit'", 465),
        ("url = 'smtp://mail.example'", "host = 'mail.example'", 587),
        ("url = 'smtp://mail.example?tls=required'", "host = 'mail.example'\ntls = 'required'", 587),
        ("url = 'smtp://mail.example/?tls=none'", "host = 'mail.example'\ntls = 'none'", 25),
        ("url = 'smtps://[::1]:4650'", "host = '::1'\nport = 4650\ntls = 'implicit'", 4650),
        (
            "url = 'smtp://u:p%40ss%2Fw%3A@mail.example'",
            "host = 'mail.example'\nusername = 'u'\npassword = 'p@ss/w:'",
            587,
        ),
        (
            "url = 'smtp://u%40x@mail.example'\npassword = 'p'",
            "host = 'mail.example'\nusername = 'u@x'\npassword = 'p'",
            587,
        ),
    ];
    for (url, fields, port) in cases {
        let (one, other) = (smtp(url).server().unwrap(), smtp(fields).server().unwrap());
        assert_eq!(
            (&one.host, one.port, one.tls, &one.credentials),
            (&other.host, other.port, other.tls, &other.credentials),
            "{url}"
        );
        assert_eq!(one.port, port, "{url}");
    }
}

#[test]
fn settings_that_contradict_each_other_or_miss_a_part_are_errors() {
    for text in [
        "",
        "url = 'mail.example'",
        "url = 'http://mail.example'",
        "url = 'smtp://'",
        "url = 'smtp://a/b'",
        "url = 'smtp://a?x=y'",
        "url = 'smtp://a?tls=opportunistic'",
        "url = 'smtps://a?tls=none'",
        "url = 'smtp://a'\nhost = 'a'",
        "url = 'smtp://a'\nport = 1",
        "url = 'smtp://a'\ntls = 'none'",
        "url = 'smtp://u@a'",
        "url = 'smtp://u:p@a'\nusername = 'u'",
        "url = 'smtp://u:p@a'\npassword = 'p'",
        "host = 'a'\npassword = 'p'",
        "host = 'a'\nusername = 'u'",
        "host = 'a'\nusername = 'u'\npassword = 'p'\npassword-env = 'X'",
        "host = 'a'\nusername = 'u'\npassword-file = '/nowhere'",
        "host = 'a'\nusername = 'u'\npassword-env = 'INSOMNIA_SCIM_NO_SUCH_VARIABLE'",
        "host = 'a'\nca-file = '/nowhere'",
    ] {
        assert!(smtp(text).server().is_err(), "{text}");
    }
    assert!(toml::from_str::<SmtpConfig>("hots = 'a'").is_err());
}

#[test]
fn a_password_is_never_sent_without_tls_but_over_loopback() {
    let clear = |host: &str| format!("url = 'smtp://u:p@{host}?tls=none'");
    assert!(smtp(&clear("mail.example")).server().is_err());
    assert!(smtp(&clear("127.0.0.1")).server().is_ok());
    assert!(smtp(&clear("localhost")).server().is_ok());
}

#[test]
fn a_password_file_s_last_line_break_does_not_count() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("password");
    for (text, password) in
        [("pass word", "pass word"), ("pass\n", "pass"), ("pass\r\n", "pass"), ("pass\n\n", "pass\n")]
    {
        fs::write(&path, text).unwrap();
        let config = smtp(&format!("host = 'a'\nusername = 'u'\npassword-file = '{}'", path.display()));
        assert_eq!(config.server().unwrap().credentials.unwrap().1.expose(), password);
    }
}

#[test]
fn no_error_and_no_debug_output_shows_the_password() {
    let directory = tempfile::tempdir().unwrap();
    for text in [
        "url = 'smtp://u:s3cret@mail.example'",
        "host = 'a'\nusername = 'u'\npassword = 's3cret'",
        "url = 'smtp://u:s3cret@mail.example?tls=none'",
        "url = 'smtp://u:s3cret@mail.example:99999'",
        "url = 'ftp://u:s3cret@a'",
        "url = 'smtp://u:s3cret@a/b'",
        "url = 'u:s3cret@a'",
        "url = 'smtp://u:s3cret%ff@a'",
    ] {
        let config = EmailConfig { from: Some("a@b.example".into()), smtp: Some(smtp(text)), ..EmailConfig::default() };
        let mut shown = format!("{config:?}");
        match config.smtp.as_ref().unwrap().server() {
            Ok(server) => shown += &format!("{server:?}"),
            Err(error) => shown += &format!("{error} {error:?}"),
        }
        if let Err(error) = config.mailer(directory.path()) {
            shown += &format!("{error} {error:?}");
        }
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}

#[test]
fn p9_timeouts_and_connections_have_defaults_and_bounds() {
    let server = smtp("host = 'a'").server().unwrap();
    assert_eq!((server.timeout, server.connections, server.tls), (Duration::from_secs(30), 4, SmtpTls::Required));
    let server = smtp("host = 'a'\ntimeout-seconds = 1\nconnections = 1").server().unwrap();
    assert_eq!((server.timeout, server.connections), (Duration::from_secs(1), 1));
    for (text, said) in [
        ("timeout-seconds = 0", "timeout-seconds must be 1 to 3600, not 0"),
        ("timeout-seconds = 3601", "timeout-seconds must be 1 to 3600"),
        ("connections = 0", "connections must be 1 to 1000, not 0"),
        ("connections = 1001", "connections must be 1 to 1000"),
        ("port = 0", "port must be 1 to 65535"),
    ] {
        let refused = smtp(&format!("host = 'a'\n{text}")).server().unwrap_err().to_string();
        assert!(refused.contains(said), "{text}: {refused}");
    }
}

#[test]
fn the_folder_is_the_default_and_smtp_needs_a_sender() {
    let directory = tempfile::tempdir().unwrap();
    let mailer = |text: &str| toml::from_str::<EmailConfig>(text).unwrap().mailer(directory.path());
    assert!(mailer("").is_ok());
    assert!(directory.path().join("mail").is_dir());
    assert!(matches!(mailer("smtp.host = 'a'").err(), Some(EmailConfigError::NoFrom)));
    assert!(EmailConfigError::NoFrom.to_string().contains("--mail-from"));
    let nobody = mailer("from = 'Insomnia <no-reply@insomnia.invalid>'\nsmtp.host = 'a'").err();
    assert!(matches!(nobody, Some(EmailConfigError::NobodysDomain(_))), "it is for the folder only");
    assert!(matches!(mailer("folder = 'x'\nsmtp.host = 'a'").err(), Some(EmailConfigError::FolderAndSmtp)));
    assert!(matches!(mailer("from = 'nobody'").err(), Some(EmailConfigError::Sender(_))));
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(
        mailer(&format!("folder = '{}'", Path::new(&file).display())).err(),
        Some(EmailConfigError::Folder { .. })
    ));
}
