//! The trace to which a request belongs: the `traceparent` of W3C Trace Context.

use std::fmt;

/// How long a `traceparent` of version 00 is, in bytes.
const LENGTH: usize = 55;

/// A `traceparent` ([W3C Trace Context](https://www.w3.org/TR/trace-context/) §3.2): the trace, and the span that caused the
/// following work.
///
/// ```
/// use insomnia_scim_contract::TraceParent;
///
/// let parent = TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
/// assert!(parent.sampled);
/// assert_eq!(TraceParent::parse("00-0-0-01"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceParent {
    /// The id of the trace; not all of its bytes are 0.
    pub trace: [u8; 16],
    /// The id of the span; not all of its bytes are 0.
    pub span: [u8; 8],
    /// Whether the caller may have recorded the span.
    pub sampled: bool,
}

impl TraceParent {
    /// Reads the header field. The result is `None` if it is not valid: the specification then ignores it and begins a new
    /// trace. Of a later version than 00, only the parts that version 00 has are read.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (known, rest) = text.as_bytes().split_at_checked(LENGTH)?;
        let mut parts = known.split(|byte| *byte == b'-');
        let version: [u8; 1] = digits(parts.next()?)?;
        let (trace, span, flags): ([u8; 16], [u8; 8], [u8; 1]) =
            (digits(parts.next()?)?, digits(parts.next()?)?, digits(parts.next()?)?);
        let ends = match version {
            [0] => rest.is_empty(),
            [255] => false,
            _ => rest.is_empty() || rest.starts_with(b"-"),
        };
        let is_valid = ends && parts.next().is_none() && trace != [0; 16] && span != [0; 8];
        is_valid.then_some(Self { trace, span, sampled: flags == [flags[0] | 1] })
    }
}

/// The header field, in version 00.
impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |f: &mut fmt::Formatter<'_>, bytes: &[u8]| bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"));
        f.write_str("00-")?;
        hex(f, &self.trace)?;
        f.write_str("-")?;
        hex(f, &self.span)?;
        write!(f, "-{:02x}", u8::from(self.sampled))
    }
}

/// As many bytes as there must be, from lower-case hexadecimal digits.
fn digits<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(text.as_chunks().0) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn p9_a_traceparent_is_read_and_written_as_it_was() {
        let parent = TraceParent::parse(VALID).unwrap();
        assert_eq!((parent.trace[0], parent.span[7], parent.sampled), (0x4b, 0xb7, true));
        assert_eq!(parent.to_string(), VALID);
        let unsampled = VALID.replace("-01", "-00");
        assert_eq!(TraceParent::parse(&unsampled).unwrap().to_string(), unsampled);
        // Flags that are not known yet say nothing, but the last bit does.
        assert!(TraceParent::parse(&VALID.replace("-01", "-ff")).unwrap().sampled);
        assert!(!TraceParent::parse(&VALID.replace("-01", "-fe")).unwrap().sampled);
    }

    #[test]
    fn p9_of_a_later_version_the_known_parts_are_read() {
        for text in [VALID.replacen("00", "cc", 1), VALID.replacen("00", "cc", 1) + "-what-the-future-will-be-like"] {
            assert_eq!(TraceParent::parse(&text), TraceParent::parse(VALID), "{text}");
        }
        assert_eq!(TraceParent::parse(&(VALID.replacen("00", "cc", 1) + ".what")), None);
    }

    #[test]
    fn p9_a_traceparent_that_is_not_valid_is_none() {
        let (zero_trace, zero_span) = ("0".repeat(32), "0".repeat(16));
        for text in [
            String::new(),
            "00".into(),
            VALID[1..].into(),
            VALID.to_uppercase(),
            VALID.replacen("00", "ff", 1),
            VALID.replacen("00", "0+", 1),
            VALID.replace('-', "_"),
            VALID.replace("4bf92f3577b34da6a3ce929d0e0e4736", &zero_trace),
            VALID.replace("00f067aa0ba902b7", &zero_span),
            format!("{VALID}-"),
            format!("{VALID}-01"),
            format!(" {VALID}"),
            VALID.replace("4bf9", "4b-9"),
            VALID.replace("4bf9", "4bé"),
            VALID.replace("4bf9", "4bfg"),
        ] {
            assert_eq!(TraceParent::parse(&text), None, "{text:?}");
        }
    }
}
