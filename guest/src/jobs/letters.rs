//! The texts of emails: who sends them and why, what to do, and what to do if the email was not expected.

use super::letter_form::{Content, Part, content};
use crate::protocol::timestamp;
use crate::provisioning::guard::Waiting;
use crate::store::{AddedBy, Letter, Sealed};

/// The longest name in a subject, in characters.
const LONGEST_NAME: usize = 100;
/// Says what to do about a client's secret that expires.
const NEW_SECRET: &str = "In Insomnia, open Enterprise Controls > SCIM > Automatic refresh and choose New secret. Then paste \
                          the new secret into your identity provider.";
/// Says what to do about a token that expires.
const NEW_TOKEN: &str = "In Insomnia, open Enterprise Controls > SCIM and choose Refresh Token. Then paste the new token into \
                         your identity provider.";

use Part::{Code, Items, Link, Paragraph};

/// The facts that an email needs in addition to its letter.
pub(super) struct Facts<'f> {
    /// The organization's name.
    pub(super) organization: &'f str,
    /// The recipient's address.
    pub(super) to: &'f str,
    /// The address of the SCIM page, where owners manage SCIM and where a new member signs in for the first time.
    pub(super) page_url: Option<&'f str>,
    /// The decrypted secret of the letter; see [`secret`].
    pub(super) secret: &'f str,
    /// The removals that the guard holds, for the letter about them.
    pub(super) waiting: Option<&'f Waiting>,
}

/// The encrypted secret of a letter.
pub(super) fn secret(letter: &Letter) -> Option<&Sealed> {
    match letter {
        Letter::InitialPassphrase { passphrase, .. } => Some(passphrase),
        Letter::PassphraseReset { link, .. } => Some(link),
        _ => None,
    }
}

/// The letter's content.
pub(super) fn render(letter: &Letter, facts: &Facts<'_>) -> Content {
    let of = one_line(facts.organization);
    match letter {
        Letter::InitialPassphrase { name, added_by, .. } => welcome(&of, name, added_by.as_ref(), facts),
        Letter::PassphraseReset { name, .. } => reset(&of, name, facts),
        notice => self::notice(&of, notice, facts),
    }
}

fn welcome(of: &str, name: &str, added_by: Option<&AddedBy>, facts: &Facts<'_>) -> Content {
    let who = match added_by {
        Some(AddedBy::IdentityProvider(provider)) => {
            format!(
                "{of} has added you to its organization in Insomnia, through its identity provider {}.",
                one_line(provider)
            )
        }
        Some(AddedBy::Administrator(name)) => {
            format!("{} has added you to the organization {of} in Insomnia.", one_line(name))
        }
        None => format!("{of} has added you to its organization in Insomnia."),
    };
    let mut parts = vec![
        Paragraph(greeting(name)),
        Paragraph(who),
        Paragraph(format!("Sign in with your email address, {}, and this initial passphrase:", one_line(facts.to))),
        Code(facts.secret.to_owned()),
    ];
    parts.extend(facts.page_url.map(|url| Link(url.to_owned(), "Sign in to Insomnia")));
    parts.push(Paragraph(
        "When you sign in for the first time you are asked to choose a passphrase of your own. Nobody else has the \
         initial one; pass it on to nobody."
            .into(),
    ));
    parts.push(Paragraph(format!(
        "If you did not expect this email, you need not do anything. If you do not know {of}, do not sign in; delete this \
         email."
    )));
    content(format!("Your Insomnia account at {of}"), parts, &format!("Insomnia has sent this email for {of}."))
}

fn reset(of: &str, name: &str, facts: &Facts<'_>) -> Content {
    let parts = vec![
        Paragraph(greeting(name)),
        Paragraph(format!(
            "Somebody, probably you, asked to reset the passphrase of your Insomnia account at {of}. This link works once, \
             within 24 hours:"
        )),
        Link(facts.secret.to_owned(), "Choose a new passphrase"),
        Paragraph("If it was not you, you need not do anything: your passphrase stays as it is.".into()),
    ];
    content("Reset your Insomnia passphrase".into(), parts, &format!("Insomnia has sent this email for {of}."))
}

/// The content of a letter to administrators.
fn notice(of: &str, letter: &Letter, facts: &Facts<'_>) -> Content {
    let no_access_lost = |of_what: &str| {
        format!(
            "Nobody loses access because of it, but members who come or go are not synced until there is a new {of_what}."
        )
    };
    let (subject, mut parts) = match letter {
        Letter::TokenExpiring { days, expires } => (
            format!("The SCIM token of {of} expires in {}", in_days(*days)),
            vec![
                Paragraph(format!("The SCIM token of {of} in Insomnia expires on {}.", time(*expires))),
                Paragraph("After that your identity provider can no longer add, change or remove members. Nobody loses access because of it.".into()),
                Paragraph(NEW_TOKEN.into()),
            ],
        ),
        Letter::TokenExpired { expires } => (
            format!("The SCIM token of {of} has expired: syncing has stopped"),
            vec![
                Paragraph(format!("The SCIM token of {of} in Insomnia expired on {}. Every request of your identity provider is refused now.", time(*expires))),
                Paragraph(no_access_lost("token")),
                Paragraph(NEW_TOKEN.into()),
            ],
        ),
        Letter::ClientSecretExpiring { name, days, expires } => (
            format!("The secret of the OAuth client {} of {of} expires in {}", one_line(name), in_days(*days)),
            vec![
                Paragraph(format!("The secret of the OAuth client {} of {of} in Insomnia expires on {}.", one_line(name), time(*expires))),
                Paragraph("After that your identity provider gets no access tokens, and can no longer add, change or remove members. Nobody loses access because of it.".into()),
                Paragraph(NEW_SECRET.into()),
            ],
        ),
        Letter::ClientSecretExpired { name, expires } => (
            format!("The secret of the OAuth client {} of {of} has expired: syncing has stopped", one_line(name)),
            vec![
                Paragraph(format!("The secret of the OAuth client {} of {of} in Insomnia expired on {}. Your identity provider gets no access tokens now.", one_line(name), time(*expires))),
                Paragraph(no_access_lost("secret")),
                Paragraph(NEW_SECRET.into()),
            ],
        ),
        Letter::NoFreeSeat { seats } => (
            format!("{of} has no free Insomnia seat"),
            vec![
                Paragraph(format!("Your identity provider tried to add a member to {of} in Insomnia, but all {seats} seats are taken. The member was not added.")),
                Paragraph("Free a seat or buy more; your identity provider will try again. You get this email at most once a day.".into()),
            ],
        ),
        // The other letters are not sent to administrators.
        Letter::GuardHeld | Letter::InitialPassphrase { .. } | Letter::PassphraseReset { .. } => held(of, facts.waiting),
    };
    parts.extend(facts.page_url.map(|url| Link(url.to_owned(), "Open the SCIM page")));
    let why = format!("You get this email because you are the owner or a co-owner of {of} in Insomnia Enterprise.");
    content(subject, parts, &why)
}

fn held(of: &str, waiting: Option<&Waiting>) -> (String, Vec<Part>) {
    let mut parts = vec![Paragraph(format!(
        "Your identity provider deactivates or deletes more members of {of} in an hour than you allow. The removals \
         beyond that number are held: none of these members has lost access."
    ))];
    if let Some(waiting) = waiting {
        let what = match (waiting.deactivations, waiting.deletions) {
            (some, 0) => format!("{} would be deactivated", members(some)),
            (0, some) => format!("{} would be deleted", members(some)),
            (some, others) => format!("{} would be deactivated, and {others} deleted", members(some)),
        };
        let at_least = if waiting.more { "At least " } else { "" };
        parts.push(Paragraph(format!("{at_least}{what}. Removals have been held since {}.", time(waiting.since))));
        let mut named: Vec<String> = waiting.named.iter().map(|name| one_line(name)).collect();
        let count = waiting.deactivations + waiting.deletions;
        let left = count.saturating_sub(u64::try_from(named.len()).unwrap_or(u64::MAX));
        if left > 0 {
            named.push(format!("and {left} more"));
        }
        parts.push(Items(named));
    }
    parts.push(Paragraph(
        "In Insomnia, open Enterprise Controls > SCIM > Guard, and allow or refuse the removals. If you did not \
         expect them, look at your identity provider first: a changed filter or assignment is the usual cause."
            .into(),
    ));
    (format!("{of}: many members would lose access"), parts)
}

fn members(count: u64) -> String {
    if count == 1 { "1 member".into() } else { format!("{count} members") }
}

fn greeting(name: &str) -> String {
    format!("Hello {},", one_line(name))
}

fn in_days(days: u32) -> String {
    if days == 1 { "1 day".into() } else { format!("{days} days") }
}

/// A time such as `2026-01-31 12:00 UTC`.
fn time(milliseconds: u64) -> String {
    let text = timestamp::format(milliseconds);
    let (day, clock) = (text.get(..10).unwrap_or_default(), text.get(11..16).unwrap_or_default());
    format!("{day} {clock} UTC")
}

/// A name without line breaks, which would end a header field, and not longer than a subject allows. Characters that
/// change the direction of writing are removed: they would mirror the text beside the name.
fn one_line(name: &str) -> String {
    let turns = |character: &char| matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain = |character: char| if character.is_control() { ' ' } else { character };
    name.chars().filter(|character| !turns(character)).map(plain).take(LONGEST_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts<'f>(organization: &'f str, page_url: Option<&'f str>, secret: &'f str) -> Facts<'f> {
        Facts { organization, to: "ada@example.com", page_url, secret, waiting: None }
    }

    fn initial(name: &str, added_by: Option<AddedBy>) -> Letter {
        let passphrase = Sealed::Plain(String::new());
        Letter::InitialPassphrase { member: String::new(), name: name.into(), passphrase, added_by }
    }

    #[test]
    fn names_are_escaped_in_html_and_can_not_end_a_header() {
        let letter = initial("<b>Ada</b>\u{202e}", None);
        let content = render(&letter, &facts("Acme\r\nBcc: x@example.com & Co", None, "se<cr>et"));
        assert!(!content.subject.contains(['\r', '\n']) && !content.text.contains('\u{202e}'));
        assert!(content.html.contains("&lt;b&gt;Ada&lt;/b&gt;") && content.html.contains("se&lt;cr&gt;et"));
        assert!(content.html.contains("&amp; Co"));
        assert!(content.text.contains("    se<cr>et\n"));
    }

    #[test]
    fn a_notice_links_to_the_page_where_it_is_known() {
        let letter = Letter::TokenExpiring { days: 1, expires: 1_760_000_000_000 };
        let content = render(&letter, &facts("Acme", Some("https://scim.example/page?a=1&b=2"), ""));
        assert_eq!(content.subject, "The SCIM token of Acme expires in 1 day");
        assert!(content.text.contains("expires on 2025-10-09 08:53 UTC."));
        assert!(content.html.contains("href=\"https://scim.example/page?a=1&amp;b=2\""));
    }

    #[test]
    fn p4_a_welcome_says_who_added_the_member_where_to_sign_in_and_what_to_do_if_it_was_not_expected() {
        let page = Some("https://scim.example/page");
        let by = |added_by| render(&initial("Ada", added_by), &facts("Acme", page, "secret"));
        let content = by(Some(AddedBy::IdentityProvider("Okta".into())));
        for (part, kind) in [(&content.text, "text"), (&content.html, "html")] {
            for said in [
                "Insomnia",
                "Acme has added you",
                "through its identity provider Okta",
                "ada@example.com",
                "secret",
                "https://scim.example/page",
                "If you did not expect this email",
            ] {
                assert!(part.contains(said), "{kind}: {said}: {part}");
            }
        }
        let text = by(Some(AddedBy::Administrator("Olive".into()))).text;
        assert!(text.contains("Olive has added you to the organization Acme"), "{text}");
        assert!(by(None).text.contains("Acme has added you"));
    }

    #[test]
    fn p4_the_guards_letter_says_how_many_who_and_since_when() {
        let named = (0..10).map(|number| format!("u{number}@example.com")).collect();
        let waiting = Waiting { since: 1_760_000_000_000, deactivations: 12, deletions: 3, more: false, named };
        let content = render(&Letter::GuardHeld, &Facts { waiting: Some(&waiting), ..facts("Acme", None, "") });
        for part in [&content.text, &content.html] {
            assert!(part.contains("12 members would be deactivated, and 3 deleted. "), "{part}");
            assert!(part.contains("since 2025-10-09 08:53 UTC"), "{part}");
            assert!(part.contains("u0@example.com") && part.contains("u9@example.com"), "{part}");
            assert!(part.contains("and 5 more"), "{part}");
        }
    }
}
