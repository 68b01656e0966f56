//! The layout of emails: the same parts as text and as HTML.

/// An email's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// A part of an email.
pub(super) enum Part {
    Paragraph(String),
    /// A code that the recipient copies.
    Code(String),
    /// A list.
    Items(Vec<String>),
    /// A URL and its label.
    Link(String, &'static str),
}

/// Makes an email of these parts. `why` tells the recipient at its end why the email was sent.
pub(super) fn content(subject: String, parts: Vec<Part>, why: &str) -> Content {
    Content { text: text(&parts, why), html: html(&subject, &parts, why), subject }
}

fn text(parts: &[Part], why: &str) -> String {
    let part = |part: &Part| match part {
        Part::Paragraph(text) => text.clone(),
        Part::Code(text) => format!("    {text}"),
        Part::Items(items) => items.iter().map(|item| format!("- {item}")).collect::<Vec<_>>().join("\n"),
        Part::Link(url, label) => format!("{label}: {url}"),
    };
    let parts = parts.iter().map(part).collect::<Vec<_>>().join("\n\n");
    // These three characters at the end of a line begin a signature, which mail programs show as such.
    format!("{parts}\n\n-- \nInsomnia\n{why}\n")
}

fn html(subject: &str, parts: &[Part], why: &str) -> String {
    let part = |part: &Part| match part {
        Part::Paragraph(text) => format!("<p style=\"margin:0 0 16px\">{}</p>", escaped(text)),
        Part::Code(text) => format!(
            "<p style=\"margin:0 0 16px\"><code style=\"display:inline-block;padding:8px 12px;border:1px solid #8888;\
             border-radius:6px;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:18px\">{}</code></p>",
            escaped(text)
        ),
        Part::Items(items) => {
            let items: String = items.iter().map(|item| format!("<li>{}</li>", escaped(item))).collect();
            format!("<ul style=\"margin:0 0 16px;padding-left:24px\">{items}</ul>")
        }
        // The address is also shown as text, so that a careful recipient can read it before following the link.
        Part::Link(url, label) => format!(
            "<p style=\"margin:0 0 16px\"><a href=\"{url}\" style=\"display:inline-block;padding:10px 16px;border-radius:6px;\
             background:#5849be;color:#ffffff;text-decoration:none;font-weight:600\">{label}</a><br>\
             <span style=\"font-size:12px;word-break:break-all\">{url}</span></p>",
            url = escaped(url),
            label = escaped(label)
        ),
    };
    let body = parts.iter().map(part).collect::<Vec<_>>().join("\n");
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{}</title></head>\n\
         <body style=\"margin:0;padding:24px 16px;font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;\
         font-size:16px;line-height:1.5\">\n\
         <div style=\"max-width:560px;margin:0 auto\">\n\
         <p style=\"margin:0 0 24px;font-size:20px;font-weight:700\">Insomnia</p>\n{body}\n\
         <p style=\"margin:32px 0 0;padding-top:16px;border-top:1px solid #8888;font-size:12px\">{}</p>\n\
         </div></body></html>\n",
        escaped(subject),
        escaped(why)
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
