//! What emails say: small templates, as text and as HTML.

use crate::protocol::timestamp;
use crate::store::{Letter, Sealed};

/// The longest name that a subject holds, in characters.
const LONGEST_NAME: usize = 100;

/// What to do about a client's secret that expires.
const NEW_SECRET: &str = "In Insomnia, open Enterprise Controls > SCIM > Automatic refresh and choose New secret. Then paste \
                          the new secret into your identity provider.";

/// An email's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// A part of an email.
enum Part {
    Paragraph(String),
    /// To be copied as it is.
    Code(String),
    /// A URL, and what it leads to.
    Link(String, &'static str),
}

use Part::{Code, Link, Paragraph};

/// The secret in a letter.
pub(super) fn secret(letter: &Letter) -> Option<&Sealed> {
    match letter {
        Letter::InitialPassphrase { passphrase, .. } => Some(passphrase),
        Letter::PassphraseReset { link, .. } => Some(link),
        _ => None,
    }
}

/// The letter's content. `secret` is what [`secret`] names, opened.
pub(super) fn render(letter: &Letter, organization: &str, page_url: Option<&str>, secret: &str) -> Content {
    let of = one_line(organization);
    let page = || page_url.map(|url| Link(url.to_owned(), "Open the SCIM page"));
    let where_to = "In Insomnia, open Enterprise Controls > SCIM and choose Refresh Token. Then paste the new token into \
                    your identity provider.";
    let (subject, parts) = match letter {
        Letter::InitialPassphrase { name, .. } => (
            format!("Your Insomnia account at {of}"),
            vec![
                Paragraph(greeting(name)),
                Paragraph(format!("{of} has added you to Insomnia. Sign in with your email address and this passphrase:")),
                Code(secret.to_owned()),
                Paragraph("You will be asked to choose your own passphrase when you sign in for the first time.".into()),
            ],
        ),
        Letter::PassphraseReset { name, .. } => (
            "Reset your Insomnia passphrase".to_owned(),
            vec![
                Paragraph(greeting(name)),
                Paragraph("Somebody, probably you, asked to reset your Insomnia passphrase. This link works once, within 24 hours:".into()),
                Link(secret.to_owned(), "Choose a new passphrase"),
                Paragraph("If it was not you, you need not do anything: your passphrase stays as it is.".into()),
            ],
        ),
        Letter::TokenExpiring { days, expires } => (
            format!("The SCIM token of {of} expires in {}", in_days(*days)),
            [
                Paragraph(format!("The SCIM token of {of} expires on {}.", time(*expires))),
                Paragraph("After that your identity provider can no longer add, change or remove members. Nobody loses access because of it.".into()),
                Paragraph(where_to.into()),
            ]
            .into_iter()
            .chain(page())
            .collect(),
        ),
        Letter::TokenExpired { expires } => (
            format!("The SCIM token of {of} has expired: syncing has stopped"),
            [
                Paragraph(format!("The SCIM token of {of} expired on {}. Every request of your identity provider is refused now.", time(*expires))),
                Paragraph("Nobody loses access because of it, but members who come or go are not synced until there is a new token.".into()),
                Paragraph(where_to.into()),
            ]
            .into_iter()
            .chain(page())
            .collect(),
        ),
        Letter::ClientSecretExpiring { name, days, expires } => (
            format!("The secret of the OAuth client {} of {of} expires in {}", one_line(name), in_days(*days)),
            [
                Paragraph(format!("The secret of the OAuth client {} of {of} expires on {}.", one_line(name), time(*expires))),
                Paragraph("After that your identity provider gets no access tokens, and can no longer add, change or remove members. Nobody loses access because of it.".into()),
                Paragraph(NEW_SECRET.into()),
            ]
            .into_iter()
            .chain(page())
            .collect(),
        ),
        Letter::ClientSecretExpired { name, expires } => (
            format!("The secret of the OAuth client {} of {of} has expired: syncing has stopped", one_line(name)),
            [
                Paragraph(format!("The secret of the OAuth client {} of {of} expired on {}. Your identity provider gets no access tokens now.", one_line(name), time(*expires))),
                Paragraph("Nobody loses access because of it, but members who come or go are not synced until there is a new secret.".into()),
                Paragraph(NEW_SECRET.into()),
            ]
            .into_iter()
            .chain(page())
            .collect(),
        ),
        Letter::NoFreeSeat { seats } => (
            format!("{of} has no free Insomnia seat"),
            [
                Paragraph(format!("Your identity provider tried to add a member to {of}, but all {seats} seats are taken. The member was not added.")),
                Paragraph("Free a seat or buy more; your identity provider will try again. You get this email at most once a day.".into()),
            ]
            .into_iter()
            .chain(page())
            .collect(),
        ),
        Letter::GuardHeld => (
            format!("{of}: many members would lose access"),
            [
                Paragraph(format!("Your identity provider deactivates or deletes more members of {of} in an hour than you allow. The rest is held.")),
                Paragraph("In Insomnia, open Enterprise Controls > SCIM to see who is concerned, and let it through or refuse it.".into()),
            ]
            .into_iter()
            .chain(page())
            .collect(),
        ),
    };
    Content { text: text(&parts), html: html(&subject, &parts), subject }
}

fn greeting(name: &str) -> String {
    format!("Hello {},", one_line(name))
}

fn in_days(days: u32) -> String {
    if days == 1 { "1 day".into() } else { format!("{days} days") }
}

/// Such as `2026-01-31 12:00 UTC`.
fn time(milliseconds: u64) -> String {
    let text = timestamp::format(milliseconds);
    let (day, clock) = (text.get(..10).unwrap_or_default(), text.get(11..16).unwrap_or_default());
    format!("{day} {clock} UTC")
}

/// A name without line breaks, which would end a header field, and not longer than a subject can be.
fn one_line(name: &str) -> String {
    name.chars().map(|character| if character.is_control() { ' ' } else { character }).take(LONGEST_NAME).collect()
}

fn text(parts: &[Part]) -> String {
    let part = |part: &Part| match part {
        Paragraph(text) => text.clone(),
        Code(text) => format!("    {text}"),
        Link(url, label) => format!("{label}: {url}"),
    };
    let mut text = parts.iter().map(part).collect::<Vec<_>>().join("\n\n");
    text.push('\n');
    text
}

fn html(subject: &str, parts: &[Part]) -> String {
    let part = |part: &Part| match part {
        Paragraph(text) => format!("<p>{}</p>", escaped(text)),
        Code(text) => format!("<p><code style=\"font-size:1.2em\">{}</code></p>", escaped(text)),
        Link(url, label) => format!("<p><a href=\"{}\">{}</a></p>", escaped(url), escaped(label)),
    };
    let body = parts.iter().map(part).collect::<Vec<_>>().join("\n");
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title></head>\n\
         <body style=\"font-family:sans-serif;max-width:40em\">\n{body}\n</body></html>\n",
        escaped(subject)
    )
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_in_html_and_can_not_end_a_header() {
        let letter = Letter::InitialPassphrase {
            member: String::new(),
            name: "<b>Ada</b>".into(),
            passphrase: Sealed::Plain(String::new()),
        };
        let content = render(&letter, "Acme\r\nBcc: x@example.com & Co", None, "se<cr>et");
        assert!(!content.subject.contains(['\r', '\n']));
        assert!(content.html.contains("&lt;b&gt;Ada&lt;/b&gt;") && content.html.contains("se&lt;cr&gt;et"));
        assert!(content.html.contains("&amp; Co"));
        assert!(content.text.contains("    se<cr>et\n"));
    }

    #[test]
    fn a_notice_links_to_the_page_where_it_is_known() {
        let letter = Letter::TokenExpiring { days: 1, expires: 1_760_000_000_000 };
        let content = render(&letter, "Acme", Some("https://scim.example/page?a=1&b=2"), "");
        assert_eq!(content.subject, "The SCIM token of Acme expires in 1 day");
        assert!(content.text.contains("expires on 2025-10-09 08:53 UTC."));
        assert!(content.html.contains("href=\"https://scim.example/page?a=1&amp;b=2\""));
    }
}
