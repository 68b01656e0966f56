//! The checks of keys: the host key and its rotation, and the operator's API keys.

use crate::api_keys::{ApiKey, ApiKeyHolder, ApiKeyStatus};
use crate::capability::clock::{Clock as _, SystemClock};
use crate::capability::storage::StorageError;
use crate::host_key::{Keeper, Keyring, Note, count};
use crate::provisioner::Provisioner;
use crate::timestamp::date;

use super::super::config::Settings;
use super::super::data_files;
use super::Finding;

const DAY: u64 = 24 * 60 * 60 * 1_000;
/// A key that expires within this many days is reported, as tokens are.
const SOON: u64 = 20;
/// A key that was not used for this many days is reported: nobody may need it any more.
const UNUSED: u64 = 90;
/// After this many days, a new host key should be made.
const YEAR: u64 = 365;
/// The most keys that a finding names.
const NAMED: usize = 5;

/// The state of the rotation of the host key.
#[derive(Default)]
struct Rotation {
    /// The fingerprints of the keys in the file, newest first.
    file: Vec<String>,
    /// The fingerprint of the key that seals.
    sealing: String,
    /// Since when this key seals, in milliseconds since the Unix epoch; 0 if it is the first key.
    since: u64,
    /// Whether a rotation is under way: the database still notes the former key.
    under_way: bool,
    /// How many sealed items need an older key.
    items: u64,
    /// How many running servers seal with an older key.
    servers: usize,
}

/// The finding about the host keys, which says how far a rotation is.
pub(super) async fn host_key(settings: &Settings, provisioner: &Provisioner) -> Finding {
    match rotation(settings, provisioner).await {
        Ok(rotation) => of_rotation(&rotation, SystemClock.now()),
        Err(error) => Finding::bad(ROTATION, error, "do what the message says"),
    }
}

const ROTATION: &str = "rotation";

async fn rotation(settings: &Settings, provisioner: &Provisioner) -> Result<Rotation, String> {
    let storage = provisioner.storage();
    let of_storage = |error: StorageError| error.to_string();
    let keyring = Keyring::in_file(&settings.data.join(data_files::KEY)).map_err(|error| error.to_string())?;
    let mut rotation = Rotation { file: keyring.fingerprints(), sealing: keyring.sealing(), ..Rotation::default() };
    let Some(note) = Note::read(provisioner.registry()).await.map_err(of_storage)? else { return Ok(rotation) };
    keyring.seal_with(&note.key).map_err(|error| error.to_string())?;
    rotation.under_way = !note.older.is_empty();
    (rotation.sealing, rotation.since) = (note.key.clone(), note.since);
    if rotation.under_way {
        let sealed = count(storage, provisioner.registry(), &keyring).await.map_err(of_storage)?;
        rotation.items = sealed.older;
        let otherwise = Keeper::sealing_otherwise(storage, &note.key, SystemClock.now());
        rotation.servers = otherwise.await.map_err(of_storage)?;
    }
    Ok(rotation)
}

fn of_rotation(rotation: &Rotation, now: u64) -> Finding {
    let Rotation { file, sealing, since, under_way, items, servers } = rotation;
    let place = file.iter().position(|key| key == sealing);
    let said = match since {
        0 => format!("the key {sealing} seals"),
        since => format!("the key {sealing} seals since {}", date(*since)),
    };
    match (under_way, place) {
        (_, None) => Finding::bad(
            ROTATION,
            format!("the file secret.key does not hold the key {sealing}, which seals"),
            "copy secret.key from another server on this database, or restore it from a backup",
        ),
        (true, _) if *servers > 0 => Finding::warning(
            ROTATION,
            format!("{said}; {servers} running servers still seal with the one before"),
            "copy secret.key to the data directories of all servers; half a minute later they seal with the new key",
        ),
        (true, _) if *items > 0 => Finding::warning(
            ROTATION,
            format!("{said}; {items} sealed items still need the one before"),
            "leave a server running, which seals them again, then run: insomnia-scim key retire",
        ),
        (true, _) => Finding::warning(
            ROTATION,
            format!("{said}; nothing needs the one before any more"),
            "run: insomnia-scim key retire",
        ),
        (false, Some(1..)) => Finding::warning(
            ROTATION,
            format!("{said}; a newer key is prepared, and seals nothing yet"),
            "copy secret.key to the other servers, then run: insomnia-scim key rotate --copied",
        ),
        (false, Some(0)) if file.len() > 1 => Finding::warning(
            ROTATION,
            format!("{said}; an older key, which nothing needs, is still in secret.key"),
            "run: insomnia-scim key retire",
        ),
        (false, _) if *since > 0 && now.saturating_sub(*since) > YEAR * DAY => {
            Finding::warning(ROTATION, said, "it is older than a year: insomnia-scim key rotate makes another one")
        }
        (false, _) => Finding::good(ROTATION, said),
    }
}

const API_KEYS: &str = "API keys";

/// The findings about the operator's API keys.
pub(super) async fn api_keys(provisioner: &Provisioner) -> Vec<Finding> {
    match provisioner.api_keys().list(&ApiKeyHolder::Operator).await {
        Ok(keys) => of_keys(&keys, SystemClock.now()),
        Err(error) => vec![Finding::bad(API_KEYS, error.to_string(), "see the log")],
    }
}

fn of_keys(keys: &[ApiKey], now: u64) -> Vec<Finding> {
    let valid: Vec<&ApiKey> = keys.iter().filter(|key| key.status == ApiKeyStatus::Valid).collect();
    let is_soon = |key: &ApiKey| key.expires.is_some_and(|end| end.saturating_sub(now) <= SOON * DAY);
    let is_unused = |key: &ApiKey| now.saturating_sub(key.last_used.unwrap_or(key.created)) > UNUSED * DAY;
    let of = |is: &dyn Fn(&ApiKey) -> bool| valid.iter().filter(|key| is(key)).copied().collect::<Vec<_>>();
    let mut findings = Vec::new();
    for (said, keys, advice) in [
        (
            "expire within 20 days",
            of(&is_soon),
            "make others before (`insomnia-scim api-key create NAME --operator --expires 1y`), and give them to who \
             uses these",
        ),
        (
            "never expire",
            of(&|key| key.expires.is_none()),
            "make others that do (`insomnia-scim api-key create NAME --operator --expires 1y`), then revoke these \
             (`insomnia-scim api-key revoke ID --operator`)",
        ),
        (
            "were not used for 90 days",
            of(&is_unused),
            "revoke those that nobody needs: insomnia-scim api-key revoke ID --operator",
        ),
    ] {
        if !keys.is_empty() {
            findings.push(Finding::warning(API_KEYS, format!("{} {said}: {}", keys.len(), named(&keys)), advice));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::good(API_KEYS, format!("{} of the operator are valid", valid.len())));
    }
    findings
}

fn named(keys: &[&ApiKey]) -> String {
    let names: Vec<String> = keys.iter().take(NAMED).map(|key| format!("{} ({})", key.name, key.id)).collect();
    let more = if keys.len() > NAMED { ", …" } else { "" };
    format!("{}{more}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;
    use crate::api_keys::ApiScope;

    const NOW: u64 = 1_000 * DAY;

    fn found(rotation: Rotation) -> (State, String) {
        let rotation = Rotation { sealing: "new".into(), ..rotation };
        let finding = of_rotation(&rotation, NOW);
        (finding.state, format!("{} {}", finding.found, finding.advice.unwrap_or_default()))
    }

    #[test]
    fn p9_each_stage_of_a_rotation_is_told_with_the_next_step() {
        let file = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        let (under_way, since) = (true, NOW - DAY);
        let both = || Rotation { file: file(&["new", "old"]), under_way, since, ..Rotation::default() };
        let one = || Rotation { file: file(&["new"]), ..Rotation::default() };
        for (rotation, state, said) in [
            (one(), State::Good, "seals"),
            (Rotation { since, ..one() }, State::Good, "since"),
            (Rotation { since: NOW - 366 * DAY, ..one() }, State::Warning, "key rotate makes another one"),
            (Rotation { servers: 2, items: 7, ..both() }, State::Warning, "copy secret.key"),
            (Rotation { items: 7, ..both() }, State::Warning, "7 sealed items"),
            (both(), State::Warning, "key retire"),
            (Rotation { under_way: false, ..both() }, State::Warning, "key retire"),
            (Rotation { file: file(&["next", "new"]), ..one() }, State::Warning, "key rotate --copied"),
            (Rotation { file: file(&["old"]), ..one() }, State::Bad, "copy secret.key from another server"),
        ] {
            let (found, text) = found(rotation);
            assert_eq!(found, state, "{text}");
            assert!(text.contains(said), "{said}: {text}");
        }
    }

    #[test]
    fn p9_api_keys_that_end_soon_or_never_or_are_used_by_nobody_are_told_with_what_to_do() {
        let key = |name: &str, expires: Option<u64>, last_used: Option<u64>| ApiKey {
            id: format!("id-{name}"),
            name: name.to_owned(),
            status: ApiKeyStatus::Valid,
            scopes: vec![ApiScope::EVERYTHING],
            created: NOW - 200 * DAY,
            expires,
            last_used,
            revoked: None,
        };
        let later = Some(NOW + 100 * DAY);
        let text = |keys: &[ApiKey]| {
            let findings = of_keys(keys, NOW);
            findings.into_iter().map(|found| (found.state, found.found)).collect::<Vec<_>>()
        };
        let good = |count: u32| vec![(State::Good, format!("{count} of the operator are valid"))];
        assert_eq!(text(&[]), good(0));
        assert_eq!(text(&[key("well", later, Some(NOW - DAY))]), good(1));
        let over = ApiKey { status: ApiKeyStatus::Expired, ..key("over", Some(NOW - DAY), None) };
        assert_eq!(text(&[over]), good(0), "what opens nothing needs nobody");
        let troubled = [
            key("soon", Some(NOW + 20 * DAY), Some(NOW)),
            key("never", None, Some(NOW)),
            key("forgotten", later, Some(NOW - 91 * DAY)),
            key("unused", later, None),
        ];
        let warned = |said: &str| (State::Warning, said.to_owned());
        assert_eq!(
            text(&troubled),
            [
                warned("1 expire within 20 days: soon (id-soon)"),
                warned("1 never expire: never (id-never)"),
                warned("2 were not used for 90 days: forgotten (id-forgotten), unused (id-unused)"),
            ]
        );
        let young = ApiKey { created: NOW - DAY, ..key("young", later, None) };
        assert_eq!(text(&[young]), good(1), "a new key may wait for its first use");
        let many: Vec<ApiKey> = (0..6).map(|number| key(&number.to_string(), None, Some(NOW))).collect();
        assert!(text(&many)[0].1.ends_with(", …"), "five are named");
    }
}
