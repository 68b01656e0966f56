//! Rotations over a storage in memory, with documents as the component and the API store them.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::reseal::Sealed;
use super::*;
use crate::api_keys::{ApiKeyHolder, ApiKeys};
use crate::capability::clock::ManualClock;
use crate::capability::secrets::{SecretKey, Secrets};
use crate::capability::storage::{Change, OrganizationId, Storage, Transaction};
use crate::registry::Registry;
use crate::storage::MemoryStorage;

const NOW: u64 = 1_800_000_000_000;

/// Two organizations with something sealed in every place, and what it is.
struct World {
    directory: TempDir,
    storage: Arc<dyn Storage>,
    registry: Registry,
    organizations: Vec<OrganizationId>,
}

impl World {
    async fn new() -> Self {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let (directory, registry) = (tempfile::tempdir().unwrap(), Registry::new(Arc::clone(&storage)));
        let mut organizations = Vec::new();
        for name in ["acme", "beta"] {
            let id = registry.begin(&OrganizationId::parse(name).unwrap(), NOW).await.unwrap();
            registry.complete(&id).await.unwrap();
            organizations.push(id);
        }
        let world = Self { directory, storage, registry, organizations };
        let keyring = world.keyring();
        for organization in &world.organizations {
            world.fill(organization, &keyring).await;
        }
        let note = Note { id: "1".into(), key: keyring.sealing(), older: Vec::new(), since: 0 };
        note.write(&world.registry).await.unwrap();
        world
    }

    fn file(&self) -> &Path {
        self.directory.path()
    }

    /// The keys as another process reads them.
    fn keyring(&self) -> Keyring {
        Keyring::in_file(&self.file().join("secret.key")).unwrap()
    }

    async fn put(&self, organization: &OrganizationId, key: &str, value: Vec<u8>) {
        let transaction = Transaction { changes: vec![Change::put(key.into(), value)], ..Transaction::default() };
        self.storage.commit(organization, transaction).await.unwrap();
    }

    async fn get(&self, organization: &OrganizationId, key: &str) -> Vec<u8> {
        let found = self.storage.get(organization, vec![key.into()]).await.unwrap();
        found.into_iter().next().flatten().unwrap().value
    }

    /// Something in every place; an emails' document for each of the pages.
    async fn fill(&self, organization: &OrganizationId, keyring: &Keyring) {
        let mut sealed = Vec::new();
        for number in 0..8 {
            let plain = format!("secret {number}").into_bytes();
            sealed.push(STANDARD.encode(keyring.seal(organization, plain).await.unwrap()));
        }
        for (key, document) in [
            ("idp-api", json!({"connectorUrl": "https://a.example", "sealed": sealed[0], "configured": 7})),
            ("refresh", json!({"pending": {"generation": 2, "sealed": sealed[1]}, "failures": 0})),
            (
                "webhook",
                json!({"url": "https://b.example", "secret": sealed[2], "previous": {"secret": sealed[3], "until": 5}}),
            ),
            ("signing-keys", json!({"keys": [{"id": "k", "x": "eA", "y": "eQ", "sealed": sealed[4], "created": 1}]})),
            (
                "settings",
                json!({"streams": [{"delivery": {"kind": "push", "authorization": sealed[5]}}], "retentionDays": 90}),
            ),
            ("outbox-parked/1", json!({"letter": {"link": {"sealed": sealed[6]}}})),
            // A text that is as long, and nothing that this host has sealed.
            ("organization", json!({"name": STANDARD.encode([1; 60])})),
        ] {
            self.put(organization, key, document.to_string().into()).await;
        }
        for number in 0..120 {
            let plain = format!("passphrase {number}").into_bytes();
            let sealed = STANDARD.encode(keyring.seal(organization, plain).await.unwrap());
            let document = json!({"letter": {"passphrase": {"sealed": sealed}}, "to": "ada@example.com"});
            self.put(organization, &format!("outbox/{number:03}"), document.to_string().into()).await;
        }
    }

    /// As `key rotate` does; the keyring seals with the new key.
    async fn rotate(&self, keyring: &Keyring) -> Note {
        let before = Note::read(&self.registry).await.unwrap().unwrap();
        let key = keyring.add().unwrap();
        let note = Note { key: key.clone(), older: vec![before.key], since: NOW, id: before.id };
        note.write(&self.registry).await.unwrap();
        assert!(keyring.seal_with(&key).unwrap());
        note
    }

    async fn count(&self, keyring: &Keyring) -> Sealed {
        count(&*self.storage, &self.registry, keyring).await.unwrap()
    }

    async fn reseal(&self, keyring: &Keyring) -> Sealed {
        reseal(&*self.storage, &self.registry, keyring).await.unwrap()
    }
}

/// Of each organization: six places, one of them with two keys, and the emails.
const ITEMS: u64 = 2 * (7 + 120);

#[tokio::test]
async fn all_that_an_older_key_has_sealed_is_sealed_again_and_the_rest_stays_as_it_is() {
    let world = World::new().await;
    let keyring = world.keyring();
    assert_eq!((world.count(&keyring).await.items, world.count(&keyring).await.older), (ITEMS, 0));
    let before = world.get(&world.organizations[0], "webhook").await;
    world.rotate(&keyring).await;
    let counted = world.count(&keyring).await;
    assert_eq!((counted.items, counted.older, counted.places.len(), counted.again), (ITEMS, ITEMS, 7, 0));
    let done = world.reseal(&keyring).await;
    assert_eq!((done.items, done.older, done.again), (ITEMS, 0, ITEMS));
    let counted = world.count(&keyring).await;
    assert_eq!((counted.items, counted.older, counted.places.len()), (ITEMS, 0, 0));
    assert_eq!(world.reseal(&keyring).await.again, 0, "there is nothing left to do");

    let after = world.get(&world.organizations[0], "webhook").await;
    assert_eq!(after.len(), before.len());
    let (mut before, mut after): (Value, Value) =
        (serde_json::from_slice(&before).unwrap(), serde_json::from_slice(&after).unwrap());
    assert_ne!(before["secret"], after["secret"]);
    for document in [&mut before, &mut after] {
        document["secret"].take();
        document["previous"]["secret"].take();
    }
    assert_eq!(before, after);

    // The old key is taken away: what is left is the new one, and it opens everything.
    let old = keyring.retire().unwrap();
    assert_eq!((old.len(), std::fs::metadata(world.file().join("secret.key")).unwrap().len()), (1, 32));
    let fresh = world.keyring();
    assert_eq!(fresh.fingerprints(), [keyring.sealing()]);
    let counted = world.count(&fresh).await;
    assert_eq!((counted.items, counted.older), (ITEMS, 0));
}

#[tokio::test]
async fn a_pass_that_was_broken_off_is_taken_up_by_another_server_and_two_do_no_harm_to_each_other() {
    let world = World::new().await;
    let keyring = world.keyring();
    world.rotate(&keyring).await;
    // Killed after the first organization, where the pass lets others go first.
    tokio::select! {
        biased;
        done = world.reseal(&keyring) => panic!("it was not broken off: {done:?}"),
        () = std::future::ready(()) => {}
    }
    let left = world.count(&keyring).await;
    assert_eq!((left.items, left.older), (ITEMS, ITEMS / 2));
    let (one, two) = (world.keyring(), world.keyring());
    assert!(one.seal_with(&keyring.sealing()).unwrap() && two.seal_with(&keyring.sealing()).unwrap());
    let (first, second) = tokio::join!(world.reseal(&one), world.reseal(&two));
    assert!(first.again + second.again >= left.older, "{first:?} {second:?}");
    let counted = world.count(&world.keyring()).await;
    assert_eq!((counted.items, counted.older), (ITEMS, 0));
}

#[tokio::test]
async fn a_running_server_follows_the_note_opens_with_both_keys_and_seals_again() {
    let world = World::new().await;
    let running = Arc::new(world.keyring());
    let mut keeper = Keeper::new(Arc::clone(&world.storage), Arc::clone(&running));
    keeper.look(NOW).await.unwrap();
    let acme = &world.organizations[0];
    let old = running.seal(acme, b"old".to_vec()).await.unwrap();
    // The command rotates in a process of its own.
    let command = world.keyring();
    let note = world.rotate(&command).await;
    let new = command.seal(acme, b"new".to_vec()).await.unwrap();
    assert_eq!(running.open(acme, new.clone()).await, Ok(b"new".to_vec()), "the file is read again");
    assert_ne!(running.sealing(), note.key, "the server has not looked yet");
    assert_eq!(Keeper::sealing_otherwise(&*world.storage, &note.key, NOW).await, Ok(0));
    keeper.look(NOW + 1).await.unwrap();
    assert_eq!(running.sealing(), note.key);
    assert_eq!(Keeper::sealing_otherwise(&*world.storage, &note.key, NOW + 1).await, Ok(0));
    for (sealed, plain) in [(old, "old"), (new, "new")] {
        assert_eq!(running.open(acme, sealed).await, Ok(plain.as_bytes().to_vec()));
    }
    assert_eq!(world.count(&command).await.older, 0, "it was sealed again when the server looked");
}

#[tokio::test]
async fn a_server_without_the_new_key_is_told_apart_until_it_has_the_file() {
    let world = World::new().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = || std::fs::copy(world.file().join("secret.key"), elsewhere.path().join("secret.key")).unwrap();
    copy();
    let other = Arc::new(Keyring::in_file(&elsewhere.path().join("secret.key")).unwrap());
    let mut keeper = Keeper::new(Arc::clone(&world.storage), Arc::clone(&other));
    let command = world.keyring();
    let note = world.rotate(&command).await;
    keeper.look(NOW).await.unwrap();
    assert_ne!(other.sealing(), note.key);
    assert_eq!(Keeper::sealing_otherwise(&*world.storage, &note.key, NOW + 1_000).await, Ok(1));
    assert_eq!(world.count(&command).await.older, ITEMS, "who lacks the key seals nothing again");
    copy();
    keeper.look(NOW + 2_000).await.unwrap();
    assert_eq!(other.sealing(), note.key);
    assert_eq!(Keeper::sealing_otherwise(&*world.storage, &note.key, NOW + 2_000).await, Ok(0));
    assert_eq!(world.count(&command).await.older, 0);
}

#[tokio::test]
async fn answers_that_the_api_keeps_are_sealed_again_for_whoever_has_the_key() {
    let world = World::new().await;
    let keyring = world.keyring();
    let acme = world.organizations[0].clone();
    let keys = ApiKeys::new(Arc::clone(&world.storage), Arc::new(ManualClock::new(NOW)));
    let (host, mut kept) = (OrganizationId::host(), Vec::new());
    for holder in [ApiKeyHolder::Operator, ApiKeyHolder::Organization(acme.clone())] {
        let id = keys.create(&holder, "key").await.unwrap().key.id;
        let sealed = keyring.seal(&holder.space(), b"answer".to_vec()).await.unwrap();
        let key = format!("idempotency/{id}/answer/abc");
        world.put(&host, &key, sealed).await;
        world.put(&host, &format!("idempotency/{id}/record/abc"), b"{}".to_vec()).await;
        kept.push((key, holder.space()));
    }
    world.rotate(&keyring).await;
    assert_eq!(world.reseal(&keyring).await.again, ITEMS + 2);
    keyring.retire().unwrap();
    for (key, space) in kept {
        let opened = world.keyring().open(&space, world.get(&host, &key).await).await;
        assert_eq!(opened, Ok(b"answer".to_vec()), "{key}");
    }
}

#[tokio::test]
async fn a_key_file_has_one_key_as_before_until_it_is_rotated() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret.key");
    let alone = SecretKey::in_file(&path).unwrap().fingerprint();
    let keyring = Keyring::in_file(&path).unwrap();
    assert_eq!((keyring.sealing(), keyring.fingerprints()), (alone.clone(), vec![alone.clone()]));
    let new = keyring.add().unwrap();
    assert_eq!((keyring.sealing(), keyring.fingerprints()), (alone.clone(), vec![new.clone(), alone.clone()]));
    assert!(!keyring.seal_with("another").unwrap() && keyring.sealing() == alone);
    assert!(SecretKey::in_file(&path).is_err(), "an earlier version refuses it");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    for _ in 0..2 {
        keyring.add().unwrap();
    }
    assert!(keyring.add().is_err(), "four at the most");
}
