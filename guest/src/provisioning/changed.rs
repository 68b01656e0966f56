//! Names the attributes that a change has changed, for the SCIM log.

use serde_json::Value;

use crate::protocol::document::Document;
use crate::sentence::Sentence;

/// The most attributes that are named.
const MOST_NAMED: usize = 20;

/// The names of the attributes that differ, never their values. Attributes of extensions are named without the
/// extension's URN. `None` if nothing differs.
pub(super) fn changed(old: &Document, new: &Document) -> Option<String> {
    let mut names = Vec::new();
    collect(old, new, &mut names);
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(MOST_NAMED);
    names.truncate(MOST_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!names.is_empty()).then(|| Sentence::Changed { names: names.join(", ") + &more }.into())
}

fn collect<'d>(old: &'d Document, new: &'d Document, names: &mut Vec<&'d str>) {
    let empty = Document::new();
    for (name, value) in old.iter().chain(new) {
        let (before, after) = (old.get(name), new.get(name));
        if before == after || name == "schemas" {
            continue;
        }
        match value {
            // The attributes of an extension are named one by one.
            Value::Object(_) if name.contains(':') => {
                let part = |part: Option<&'d Value>| part.and_then(Value::as_object);
                let (before, after) = (part(before), part(after));
                let differs = |name: &str, one: Option<&Document>, other: Option<&Document>| {
                    one.unwrap_or(&empty).get(name) != other.unwrap_or(&empty).get(name)
                };
                let keys = before.into_iter().chain(after).flat_map(Document::keys);
                names.extend(keys.map(String::as_str).filter(|name| differs(name, before, after)));
            }
            _ => names.push(name),
        }
    }
}
