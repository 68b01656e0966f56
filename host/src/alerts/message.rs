//! The messages: one email for everything that is new, and the body of the webhook.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::book::About;
use super::cause::AlertCause;
use super::state::News;
use crate::capability::email::Message;
use crate::timestamp::iso;

/// An email names this many organizations for each cause. Of the others it only says how many there are.
const NAMED: usize = 20;

/// One item of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) news: News,
    pub(super) about: About,
    /// When it began, in milliseconds since the Unix epoch.
    pub(super) since: u64,
    /// When it ended.
    pub(super) over: Option<u64>,
    pub(super) detail: Option<String>,
}

impl Item {
    /// The item's id. It is the same in every message about this alert, until the alert is over and begins again.
    fn id(&self) -> String {
        let About { subject, cause } = &self.about;
        digest(&format!("{cause} {subject} {}", self.since))
    }

    fn json(&self) -> Value {
        let About { subject, cause } = &self.about;
        let whose = if cause.is_of_host() { "host" } else { "organization" };
        json!({
            "id": self.id(),
            "state": self.news,
            "cause": cause,
            whose: subject,
            "since": iso(self.since),
            "until": self.over.map(iso),
            "text": cause.sentence(),
            "detail": self.detail,
            "advice": cause.advice(),
        })
    }
}

/// The first half of a SHA-256 in hexadecimal digits.
fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text).get(..16).unwrap_or_default())
}

/// The id of a message with these items. It is the same when the message is sent again.
pub(super) fn id(receiver: &str, items: &[Item]) -> String {
    let items: Vec<String> = items.iter().map(|item| format!("{} {:?}", item.id(), item.news)).collect();
    format!("alert-{}", digest(&format!("{receiver}\n{}", items.join("\n"))))
}

/// The content of a message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Contents<'i> {
    /// Alerts that have begun, last or are over.
    Items(&'i [Item]),
    /// A test of the delivery.
    Test,
}

/// The data that all messages of this host have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin<'o> {
    /// The base URL, which identifies the server.
    pub(super) server: &'o str,
    /// Milliseconds since the Unix epoch.
    pub(super) now: u64,
}

/// The body of the webhook.
pub(super) fn body(id: &str, contents: Contents<'_>, origin: Origin<'_>) -> Vec<u8> {
    let (kind, alerts): (&str, Vec<Value>) = match contents {
        Contents::Items(items) => ("alerts.changed", items.iter().map(Item::json).collect()),
        Contents::Test => ("alerts.test", Vec::new()),
    };
    let body = json!({
        "id": id,
        "type": kind,
        "time": iso(origin.now),
        "data": {"server": origin.server, "alerts": alerts},
    });
    body.to_string().into_bytes()
}

/// The email to an address.
pub(super) fn letter(id: String, to: &str, contents: Contents<'_>, origin: Origin<'_>) -> Message {
    let (subject, text) = match contents {
        Contents::Items(items) => (subject(items), text(items, origin.server)),
        Contents::Test => (
            "SCIM: a test of the alerts".to_owned(),
            format!("Alerts of the server {} arrive at this address. Nothing is wrong.\n", origin.server),
        ),
    };
    // Lines and indents give the text its structure, so the HTML part has the same text.
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title></head><body><pre \
         style=\"white-space: pre-wrap; font: 14px/1.5 sans-serif\">{}</pre></body></html>",
        escaped(&subject),
        escaped(&text)
    );
    Message { id, date: origin.now, to: to.to_owned(), subject, text, html }
}

fn subject(items: &[Item]) -> String {
    if let [Item { news, about: About { subject, cause }, .. }] = items {
        let over = match news {
            News::Began => "",
            News::Lasts => " still:",
            News::Over => " over:",
        };
        return format!("SCIM: {subject}:{over} {cause}");
    }
    let count = |news: News| items.iter().filter(|item| item.news == news).count();
    let counted = [(News::Began, "began"), (News::Lasts, "last"), (News::Over, "are over")];
    let told: Vec<String> = counted
        .into_iter()
        .map(|(news, what)| (count(news), what))
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    format!("SCIM: alerts: {}", told.join(", "))
}

fn text(items: &[Item], server: &str) -> String {
    let mut groups: BTreeMap<(News, AlertCause), Vec<&Item>> = BTreeMap::new();
    for item in items {
        groups.entry((item.news, item.about.cause)).or_default().push(item);
    }
    let mut text = String::new();
    let mut before = None;
    for ((news, cause), items) in groups {
        if before.replace(news) != Some(news) {
            text.push_str(match news {
                News::Began => "NEW ALERTS\n\n",
                News::Lasts => "ALERTS THAT LAST\n\n",
                News::Over => "ALERTS THAT ARE OVER\n\n",
            });
        }
        // Writing to a string can't fail.
        let _ = writeln!(text, "{} ({cause}):", cause.sentence());
        for Item { about, since, over, detail, .. } in items.iter().take(NAMED) {
            let _ = write!(text, "  {}, since {}", about.subject, iso(*since));
            if let Some(over) = over {
                let _ = write!(text, ", over since {}", iso(*over));
            }
            if let Some(detail) = detail {
                let _ = write!(text, " ({detail})");
            }
            text.push('\n');
        }
        if items.len() > NAMED {
            let _ = writeln!(text, "  and {} more", items.len() - NAMED);
        }
        if news != News::Over {
            let _ = writeln!(text, "What to do: {}.", cause.advice());
        }
        text.push('\n');
    }
    let _ = writeln!(text, "The server {server} has sent this. `insomnia-scim alerts list` shows all current alerts.");
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000;
    const ORIGIN: Origin<'_> = Origin { server: "https://scim.example.com", now: NOW };

    fn item(news: News, cause: AlertCause, subject: &str) -> Item {
        let over = (news == News::Over).then_some(NOW);
        Item { news, about: About::new(cause, subject), since: NOW - 1_000, over, detail: None }
    }

    #[test]
    fn p9_a_thousand_organizations_with_one_cause_are_one_email_of_a_page() {
        let items: Vec<Item> =
            (0..1_000).map(|number| item(News::Began, AlertCause::SeatsFull, &format!("o-{number:04}"))).collect();
        let letter = letter("x".into(), "ops@example.com", Contents::Items(&items), ORIGIN);
        assert_eq!(letter.subject, "SCIM: alerts: 1000 began");
        assert!(
            letter.text.contains("o-0019, since 2027-01-15T07:59:59.000Z\n  and 980 more\nWhat to do: "),
            "{}",
            letter.text
        );
        assert!(!letter.text.contains("o-0020") && letter.text.len() < 2_000, "{}", letter.text);
    }

    #[test]
    fn p9_an_email_says_what_begins_lasts_and_is_over_and_where() {
        let mut disk = item(News::Began, AlertCause::DiskNearlyFull, "host-1");
        disk.detail = Some("<1 MiB free".into());
        let items = [
            item(News::Over, AlertCause::WebhookFailing, "acme"),
            disk,
            item(News::Lasts, AlertCause::SeatsFull, "other"),
        ];
        let letter = letter("x".into(), "ops@example.com", Contents::Items(&items), ORIGIN);
        assert_eq!(letter.subject, "SCIM: alerts: 1 began, 1 last, 1 are over");
        let places = [
            "NEW ALERTS",
            "host-1",
            "<1 MiB free",
            "ALERTS THAT LAST",
            "other",
            "ALERTS THAT ARE OVER",
            "acme",
            "over since",
        ];
        let found: Vec<usize> = places.map(|place| letter.text.find(place).expect(place)).to_vec();
        assert!(found.is_sorted(), "{}", letter.text);
        assert!(letter.html.contains("&lt;1 MiB free") && letter.text.contains(ORIGIN.server));
        for (news, expected) in [
            (News::Began, "SCIM: acme: seats-full"),
            (News::Lasts, "SCIM: acme: still: seats-full"),
            (News::Over, "SCIM: acme: over: seats-full"),
        ] {
            assert_eq!(subject(&[item(news, AlertCause::SeatsFull, "acme")]), expected);
        }
    }

    #[test]
    fn p9_the_webhook_has_every_alert_with_an_id_that_stays_until_it_begins_again() {
        let [began, over] = [News::Began, News::Over].map(|news| item(news, AlertCause::SeatsFull, "acme"));
        let host = item(News::Began, AlertCause::DiskNearlyFull, "host-1");
        let items = [began.clone(), over.clone(), host.clone()];
        let body: Value = serde_json::from_slice(&body("alert-1", Contents::Items(&items), ORIGIN)).unwrap();
        assert_eq!((&body["id"], &body["type"]), (&json!("alert-1"), &json!("alerts.changed")));
        let alerts = body["data"]["alerts"].as_array().unwrap();
        assert_eq!(alerts.len(), 3);
        assert_eq!((&alerts[0]["organization"], &alerts[0]["state"]), (&json!("acme"), &json!("began")));
        assert_eq!((&alerts[1]["state"], &alerts[1]["until"]), (&json!("over"), &json!(iso(NOW))));
        assert_eq!((&alerts[2]["host"], &alerts[2]["cause"]), (&json!("host-1"), &json!("disk-nearly-full")));
        assert!(alerts[0]["id"] == alerts[1]["id"] && alerts[0]["id"] != alerts[2]["id"]);
        assert_eq!(
            id("x", std::slice::from_ref(&began)),
            id("x", std::slice::from_ref(&began)),
            "when it is sent again"
        );
        assert_ne!(id("x", std::slice::from_ref(&began)), id("x", &[over]));
        assert_ne!(id("x", std::slice::from_ref(&began)), id("y", &[began]));
        let again = Item { since: NOW, ..host.clone() };
        assert_ne!(again.id(), host.id());
    }
}
