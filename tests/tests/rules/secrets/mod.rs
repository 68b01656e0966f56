//! No secret can be found anywhere. After a busy day, all secrets of that day are searched for in the files of the
//! database, the log of the host, emails, events, the log of requests and its exports.

mod day;
mod hostlog;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use day::Day;

/// A place where no secret may be, with all that is there. What is no text is replaced: secrets are.
struct Place {
    name: String,
    text: String,
}

impl Place {
    fn new(name: &str, bytes: &[u8]) -> Self {
        Self { name: name.into(), text: String::from_utf8_lossy(bytes).into_owned() }
    }
}

/// Says which of the secrets is in which of the places, in which form.
fn found(secrets: &[(String, String)], places: &[Place]) -> Vec<String> {
    let mut found = Vec::new();
    for (what, secret) in secrets {
        assert!(secret.len() >= 12, "{what} is too short to be searched for");
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        // The end depends on what follows, the rest does not.
        let base64 = STANDARD_NO_PAD.encode(&secret.as_bytes()[..secret.len() / 3 * 3]);
        let escaped = secret.replace('"', "\\\"");
        for (form, text) in [("as it is", secret.clone()), ("in hex", hex), ("in base64", base64), ("in JSON", escaped)]
        {
            let holds = |place: &&Place| place.text.contains(&text);
            found.extend(places.iter().filter(holds).map(|place| format!("{what} is in {} {form}", place.name)));
        }
    }
    found
}

#[test]
fn p6_a_search_finds_a_secret_in_every_form() {
    let secret = "four \"words\" of theirs".to_owned();
    let place = |text: &str| Place::new("here", text.as_bytes());
    let base64 = STANDARD_NO_PAD.encode(format!("{secret}!"));
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    for text in [&secret, &base64, &hex, &serde_json::to_string(&secret).unwrap()] {
        assert_eq!(found(&[("it".into(), secret.clone())], &[place(&format!("x{text}"))]).len(), 1, "{text}");
    }
    assert!(found(&[("it".into(), secret)], &[place("nothing of it")]).is_empty());
}

#[tokio::test]
async fn p6_no_secret_is_in_database_logs_mails_events_or_exports() {
    let log = hostlog::capture();
    let day = Day::live().await;
    let mut places = day.places().await;
    places.push(Place::new("the host's log", &log.bytes()));
    for place in &places {
        assert!(place.text.len() > 100, "{} is empty: nothing was searched", place.name);
    }
    assert!(day.secrets.len() >= 25, "{} secrets are few", day.secrets.len());
    let found = found(&day.secrets, &places);
    assert!(found.is_empty(), "{found:#?}");

    // A mail holds what it is there to tell, and no other secret.
    let mails = day.mails();
    assert!(mails.len() >= 4);
    for mail in mails {
        let found = self::found(&day.not_mailed(&mail), &[Place::new(&mail.subject, &mail.bytes)]);
        assert!(found.is_empty(), "{found:#?}");
    }
}
