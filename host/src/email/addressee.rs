//! The addressees of a message in a folder.

use insomnia_scim_contract::occurs_as_word;

/// Whether the message is addressed to somebody with one of these addresses, which are in lower case. [`super::letter`]
/// has written the message. Names that are no addresses are ignored, and so are the texts of the message.
pub(super) fn is_addressed_to(message: &[u8], names: &[String]) -> bool {
    let to = recipients(&String::from_utf8_lossy(message)).to_lowercase();
    names.iter().any(|name| name.contains('@') && occurs_as_word(&to, name))
}

/// The header fields of a message that name its recipients, unfolded (RFC 5322 §2.2.3).
fn recipients(message: &str) -> String {
    let (mut found, mut is_recipient) = (String::new(), false);
    for line in message.lines().take_while(|line| !line.is_empty()) {
        if !line.starts_with([' ', '\t']) {
            let name = line.split(':').next().unwrap_or_default();
            is_recipient = ["to", "cc", "bcc"].iter().any(|field| name.eq_ignore_ascii_case(field));
        }
        if is_recipient {
            found.push_str(line);
            found.push('\n');
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p9_who_is_addressed_is_found_and_who_is_named_is_not() {
        let names = ["ada@acme.example".to_owned(), "ada lovelace".to_owned()];
        for message in
            ["To: Ada <ADA@acme.example>\r\n\r\nHello", "Subject: x\r\nTo: Somebody\r\n <ada@acme.example>\r\n\r\n"]
        {
            assert!(is_addressed_to(message.as_bytes(), &names), "{message}");
        }
        for message in [
            "To: bob@acme.example\r\nSubject: ada@acme.example\r\n\r\nTo: ada@acme.example",
            "To: Ada Lovelace <al@acme.example>\r\n\r\n",
            "To: nada@acme.example\r\n\r\n",
        ] {
            assert!(!is_addressed_to(message.as_bytes(), &names), "{message}");
        }
    }
}
