//! Emails in the form in which people read them.

/// The text part of a message, with its transfer encoding undone (RFC 2045 §6.7).
pub(crate) fn text_of(message: &str) -> String {
    let (_, part) = message.split_once("Content-Type: text/plain").expect("a text part");
    let (fields, rest) = part.split_once("\r\n\r\n").expect("the end of its header");
    let body = rest.split("\r\n--").next().unwrap_or_default();
    if fields.contains("quoted-printable") {
        return unquoted(body);
    }
    assert!(!fields.contains("base64"), "the text is in base64:\n{message}");
    body.to_owned()
}

/// The first word of the text that begins so.
pub(crate) fn word<'t>(text: &'t str, begin: &str) -> &'t str {
    let found = text.split_whitespace().find(|word| word.starts_with(begin));
    found.unwrap_or_else(|| panic!("no word begins with {begin:?}:\n{text}"))
}

fn unquoted(body: &str) -> String {
    let joined = body.replace("=\r\n", "");
    let mut parts = joined.split('=');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).expect("two hexadecimal digits"));
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).expect("text in UTF-8")
}

/// The passphrase of a letter that welcomes a member: a line of its own.
pub(crate) fn passphrase(text: &str) -> &str {
    let line = text.lines().find(|line| line.starts_with("    "));
    line.unwrap_or_else(|| panic!("there is no passphrase:\n{text}")).trim()
}
