//! Whether a message that lies in a folder names somebody: its parts are encoded as MIME has it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use insomnia_scim_contract::occurs_as_word;

/// Whether the message is addressed to somebody of these names, or has one of them in its texts. The names are in small
/// letters. The message is one that [`super::letter`] has written.
pub(super) fn names_any(message: &[u8], names: &[String]) -> bool {
    let text = readable(&String::from_utf8_lossy(message)).to_lowercase();
    names.iter().any(|name| occurs_as_word(&text, name))
}

/// The header fields and texts of a message without their encodings.
fn readable(message: &str) -> String {
    let (mut text, mut base64, mut is_base64, mut is_body) = (String::new(), String::new(), false, false);
    for line in message.lines() {
        if line.starts_with("--") {
            text.push_str(&decoded(&std::mem::take(&mut base64)));
            (is_base64, is_body) = (false, false);
        } else if line.is_empty() && !is_body {
            is_body = true;
        } else if !is_body && line.to_ascii_lowercase().starts_with("content-transfer-encoding: base64") {
            is_base64 = true;
        } else if is_body && is_base64 {
            base64.push_str(line.trim());
            continue;
        }
        // A line of quoted-printable that ends with an equals sign goes on in the next (RFC 2045 §6.7).
        let (line, end) = line.strip_suffix('=').filter(|_| is_body).map_or((line, "\n"), |line| (line, ""));
        text.push_str(&unquoted(line));
        text.push_str(end);
    }
    text.push_str(&decoded(&base64));
    text
}

/// What stands in base64; nothing if it is none.
fn decoded(base64: &str) -> String {
    STANDARD.decode(base64).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// The line with the bytes that quoted-printable writes as `=C3`.
fn unquoted(line: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(line.len()), line);
    while let Some((before, after)) = rest.split_once('=') {
        bytes.extend_from_slice(before.as_bytes());
        rest = match after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                after.get(2..).unwrap_or_default()
            }
            None => {
                bytes.push(b'=');
                after
            }
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}
