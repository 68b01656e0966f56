//! Where what is sealed lies in the storage: all of it, since a place that is not here would keep the old key needed, unseen.

/// A place of one organization's space.
pub(super) struct Place {
    /// What it is, for people.
    pub(super) what: &'static str,
    /// What the keys of its documents begin with. The documents are JSON, with what is sealed as texts in base64.
    pub(super) begins: &'static str,
    /// The sources of the component that seal what lies here.
    #[cfg_attr(not(test), allow(dead_code, reason = "a test compares them with the sources"))]
    pub(super) sealed_by: &'static [&'static str],
}

/// All places of an organization's space. The host's own space has answers to requests with an idempotency key beside them.
pub(super) const PLACES: [Place; 7] = [
    Place {
        what: "the access to the identity provider's API",
        begins: "idp-api",
        sealed_by: &["connector/refresh/configure.rs"],
    },
    Place {
        what: "a token that is being installed in the identity provider",
        begins: "refresh",
        sealed_by: &["connector/refresh/attempt.rs"],
    },
    Place { what: "the keys of the webhook's signatures", begins: "webhook", sealed_by: &["journal/webhook.rs"] },
    Place { what: "the keys that sign Security Event Tokens", begins: "signing-keys", sealed_by: &["streams/keys.rs"] },
    Place { what: "the authorization of streams' receivers", begins: "settings", sealed_by: &["streams/manage.rs"] },
    Place {
        what: "emails that wait",
        begins: "outbox/",
        sealed_by: &["provisioning/letters.rs", "provisioning/reset.rs", "store/sealed.rs"],
    },
    Place { what: "emails that could not be sent", begins: "outbox-parked/", sealed_by: &["store/sealed.rs"] },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The sources that seal something with the host's key: what the component's own key seals is a `key.seal(`.
    fn seal(folder: &Path, root: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() && name != "tests" {
                seal(&path, root, found);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                if ["secrets.seal(", "store.seal(", " seal(host,"].iter().any(|call| code.contains(call)) {
                    found.insert(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
                }
            }
        }
    }

    #[test]
    fn every_source_that_seals_something_says_where_it_lies() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest/src");
        let mut found = BTreeSet::new();
        seal(&root, &root, &mut found);
        let known: BTreeSet<String> =
            PLACES.iter().flat_map(|place| place.sealed_by).map(|file| (*file).to_owned()).collect();
        assert_eq!(found, known, "add the place to PLACES, or what is sealed there is lost with the old key");
    }
}
