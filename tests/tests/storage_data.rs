//! The rules of storage that are files with data (`tests/conformance`), tested on the storages of the host. Hosts in
//! other languages test theirs with the same files.

use std::collections::HashMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::{fs, iter};

use insomnia_scim::capability::schedule::Claim;
use insomnia_scim::capability::storage::{
    BoundedAdd, Change, Condition, Item, KeyRange, OrganizationId, Page, Scanned, Storage, StorageError, Transaction,
};
use insomnia_scim::storage::{MemoryStorage, SqliteStorage};
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_storage_keeps_the_rules_that_are_data() {
    keeps_the_rules_that_are_data(|| {
        let storage = Arc::new(MemoryStorage::new());
        // What is in memory ends with the process, so there is nothing to open again.
        Box::new(move || {
            let storage = Arc::clone(&storage) as Arc<dyn Storage>;
            Box::pin(async move { storage })
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_storage_keeps_the_rules_that_are_data() {
    keeps_the_rules_that_are_data(|| {
        let directory = TempDir::new().unwrap();
        Box::new(move || {
            let path = directory.path().join("data.db");
            Box::pin(async move { Arc::new(SqliteStorage::open(&path).unwrap()) as Arc<dyn Storage> })
        })
    })
    .await;
}

#[test]
fn the_data_has_every_rule_once_and_no_rule_without_steps() {
    let rules = rules();
    let mut names: Vec<_> = rules.iter().map(|rule| rule.name.as_str()).collect();
    assert!(names.len() > 70, "{} rules", names.len());
    assert!(rules.iter().all(|rule| !rule.steps.is_empty()), "a rule without steps shows nothing");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), rules.len(), "a rule's name names it alone");
}

/// A rule of the files, with the steps that show it.
struct Rule {
    name: String,
    steps: Vec<Value>,
}

fn rules() -> Vec<Rule> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    let files: [PathBuf; 2] = ["storage.jsonl", "schedule.jsonl"].map(|name| folder.join(name));
    let mut rules: Vec<Rule> = Vec::new();
    for file in files {
        for line in fs::read_to_string(&file).unwrap().lines() {
            let step: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            match step["rule"].as_str() {
                Some(name) => rules.push(Rule { name: name.to_owned(), steps: Vec::new() }),
                None => rules.last_mut().expect("the first line names a rule").steps.push(step),
            }
        }
    }
    rules
}

/// Opens the storage of a rule, the first time and after each stop of the host.
pub(crate) type Open = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Arc<dyn Storage>> + Send>> + Send>;

/// Runs all rules, each over a storage of its own: `empty` makes one that holds nothing, and returns what opens it.
pub(crate) async fn keeps_the_rules_that_are_data(empty: impl Fn() -> Open) {
    for rule in rules() {
        let open = empty();
        let storage = Some(open().await);
        let mut world =
            World { storage, open, generations: HashMap::new(), names: HashMap::new(), place: String::new() };
        for step in &rule.steps {
            world.place = format!("{}: {:.300}", rule.name, step.to_string());
            world.step(step).await;
        }
        // What was appended last may still be on its way.
        world.storage().flush().await.unwrap();
    }
}

/// The storage of a rule, and what its steps have named.
struct World {
    /// `None` only while it is opened again.
    storage: Option<Arc<dyn Storage>>,
    open: Open,
    generations: HashMap<String, u64>,
    names: HashMap<String, u64>,
    place: String,
}

/// What a call answers.
#[derive(Debug)]
enum Answer {
    Nothing,
    Items(Vec<Option<Item>>),
    Pages(Vec<Scanned>),
    Number(u64),
    Organizations(Vec<String>),
    Time(Option<u64>),
    Claim(Option<Claim>),
    Truth(bool),
}

impl World {
    fn storage(&self) -> Arc<dyn Storage> {
        Arc::clone(self.storage.as_ref().expect("the storage is open"))
    }

    async fn step(&mut self, step: &Value) {
        if let Some(names) = step["grows"].as_array() {
            let numbers: Vec<_> = names.iter().map(|name| self.names[name.as_str().unwrap()]).collect();
            assert!(numbers.is_sorted_by(|before, after| before < after), "{}: {numbers:?}", self.place);
            return;
        }
        match step["call"].as_str().unwrap() {
            "reopen" => {
                // As a host that stops does; and the old one must be gone before the new one begins.
                self.storage().flush().await.unwrap();
                self.storage = None;
                self.storage = Some((self.open)().await);
            }
            "settle" => self.storage().flush().await.unwrap(),
            "delete-and-make-again" => {
                let organization = self.organization(step);
                self.storage().delete_organization(&organization).await.unwrap();
                *self.generations.entry(organization.as_str().to_owned()).or_default() += 1;
            }
            _ if step["at-once"].is_u64() => self.at_once(step).await,
            _ => {
                let answer = call(self.storage(), self.organization(step), &self.names, step, None).await;
                self.check(step, answer);
            }
        }
    }

    fn organization(&self, step: &Value) -> OrganizationId {
        let name = step["organization"].as_str().unwrap_or("a");
        let generation = self.generations.get(name).copied().unwrap_or_default();
        OrganizationId::parse(name).unwrap().with_generation(generation)
    }

    /// Makes the same call from many tasks, and counts what comes of it.
    async fn at_once(&self, step: &Value) {
        let mut tasks = JoinSet::new();
        for n in 0..step["at-once"].as_u64().unwrap() {
            let (storage, organization) = (self.storage(), self.organization(step));
            let (names, step) = (self.names.clone(), step.clone());
            tasks.spawn(async move { call(storage, organization, &names, &step, Some(n)).await });
        }
        let mut outcomes: HashMap<&str, u64> = HashMap::new();
        for answer in tasks.join_all().await {
            let outcome = match &answer {
                Ok(Answer::Claim(None)) => "none",
                Ok(_) => "ok",
                Err(error) => tag(error),
            };
            *outcomes.entry(outcome).or_default() += 1;
        }
        assert_eq!(serde_json::to_value(&outcomes).unwrap(), step["outcomes"], "{}", self.place);
    }

    fn check(&mut self, step: &Value, answer: Result<Answer, StorageError>) {
        let place = self.place.clone();
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let (wanted, key) = match &step["err"] {
                    Value::String(wanted) => (wanted.as_str(), None),
                    Value::Object(_) => {
                        let (wanted, key) = only(&step["err"]);
                        (wanted, Some(bytes(key, None)))
                    }
                    _ => panic!("{place}: refused: {error}"),
                };
                assert_eq!(tag(&error), wanted, "{place}: {error}");
                if let (Some(key), StorageError::Conflict(found) | StorageError::Limit(found)) = (key, &error) {
                    assert_eq!(*found, key, "{place}");
                }
                return;
            }
        };
        assert!(step["err"].is_null(), "{place}: it is not refused: {answer:.300?}");
        let Some(expected) = step.get("ok") else { return };
        match answer {
            Answer::Items(items) => {
                let expected = numbered(expected, None);
                assert_eq!(items.len(), expected.len(), "{place}");
                for (item, (each, _)) in iter::zip(&items, expected) {
                    self.item(item.as_ref().map(|item| (item.value.as_slice(), item.version)), each);
                }
            }
            Answer::Pages(pages) => {
                let each = numbered(expected, None);
                assert_eq!(pages.len(), each.len(), "{place}");
                for (scanned, (expected, _)) in iter::zip(&pages, each) {
                    self.scanned(scanned, expected);
                }
                let entries = pages.iter().flat_map(|page| &page.entries);
                let size: usize = entries.map(|entry| entry.key.len() + entry.value.len()).sum();
                assert!(step["at-most-bytes"].as_u64().is_none_or(|most| size as u64 <= most), "{place}: {size} bytes");
            }
            Answer::Number(number) => self.number(number, expected),
            Answer::Organizations(organizations) => assert_eq!(Value::from(organizations), *expected, "{place}"),
            Answer::Time(time) => assert_eq!(time, number(expected), "{place}"),
            Answer::Claim(None) => assert!(expected.is_null(), "{place}: there is no claim"),
            Answer::Claim(Some(claim)) => {
                assert!(expected.is_object(), "{place}: {claim:?}");
                self.number(claim.number, &expected["number"]);
                assert_eq!(claim.until, number(&expected["until"]).unwrap_or(claim.until), "{place}");
            }
            Answer::Truth(truth) => assert_eq!(Some(truth), expected.as_bool(), "{place}"),
            Answer::Nothing => panic!("{place}: this call answers nothing"),
        }
    }

    /// An item's value and version, against a text, or an object with one of them or both, or null.
    fn item(&mut self, item: Option<(&[u8], u64)>, expected: &Value) {
        let Some((value, version)) = item else {
            assert!(expected.is_null(), "{}: the item is absent", self.place);
            return;
        };
        assert!(!expected.is_null(), "{}: the item is there", self.place);
        let wanted = if expected.is_string() { Some(expected) } else { expected.get("value") };
        if let Some(wanted) = wanted {
            let wanted = bytes(wanted, None);
            assert!(value == wanted, "{}: {:.100?} instead of {:.100?}", self.place, value, wanted);
        }
        if let Some(name) = expected.get("version") {
            self.number(version, name);
        }
    }

    fn scanned(&mut self, scanned: &Scanned, expected: &Value) {
        assert_eq!(Some(scanned.more), expected["more"].as_bool(), "{}", self.place);
        if let Some(keys) = expected["keys"].as_array() {
            let keys: Vec<_> = keys.iter().map(|key| bytes(key, None)).collect();
            let found: Vec<_> = scanned.entries.iter().map(|entry| entry.key.clone()).collect();
            assert_eq!(found, keys, "{}", self.place);
        }
        if let Some(entries) = expected["entries"].as_array() {
            assert_eq!(scanned.entries.len(), entries.len(), "{}", self.place);
            for (entry, each) in iter::zip(&scanned.entries, entries) {
                assert_eq!(entry.key, bytes(&each["key"], None), "{}", self.place);
                self.item(Some((&entry.value, entry.version)), each);
            }
        }
        let count = &expected["count"];
        let (least, most) = match count.as_array() {
            Some(bounds) => (number(&bounds[0]), number(&bounds[1])),
            None => (number(count), number(count)),
        };
        let found = scanned.entries.len() as u64;
        assert!(least.is_none_or(|least| found >= least), "{}: {found} entries", self.place);
        assert!(most.is_none_or(|most| found <= most), "{}: {found} entries", self.place);
    }

    /// The number that is named so; a name that is new is given to it.
    fn number(&mut self, found: u64, name: &Value) {
        let named = *self.names.entry(name.as_str().unwrap().to_owned()).or_insert(found);
        assert_eq!(found, named, "{}: {name}", self.place);
    }
}

async fn call(
    storage: Arc<dyn Storage>,
    organization: OrganizationId,
    names: &HashMap<String, u64>,
    step: &Value,
    n: Option<u64>,
) -> Result<Answer, StorageError> {
    let now = || number(&step["now"]).unwrap();
    let claim = || names[step["number"].as_str().unwrap()];
    match step["call"].as_str().unwrap() {
        "get" => {
            let keys = numbered(&step["keys"], n).into_iter().map(|(key, n)| bytes(key, n)).collect();
            storage.get(&organization, keys).await.map(Answer::Items)
        }
        "scan" => {
            let pages = numbered(&step["pages"], n).into_iter().map(|(each, n)| page(each, n)).collect();
            storage.scan(&organization, pages).await.map(Answer::Pages)
        }
        "commit" => {
            let conditions = numbered(&step["conditions"], n).into_iter();
            let changes = numbered(&step["changes"], n).into_iter();
            let transaction = Transaction {
                conditions: conditions.map(|(each, n)| condition(each, names, n)).collect(),
                changes: changes.map(|(each, n)| change(each, n)).collect(),
                wake_at: number(&step["wake-at"]),
            };
            storage.commit(&organization, transaction).await.map(Answer::Number)
        }
        "append" => {
            let entries = numbered(&step["entries"], n).into_iter();
            let entries = entries.map(|(each, n)| (bytes(&each[0], n), bytes(&each[1], n))).collect();
            storage.append(&organization, entries).await.map(|()| Answer::Nothing)
        }
        "due" => {
            let due = storage.due(now(), 100).await?;
            Ok(Answer::Organizations(due.iter().map(|organization| organization.as_str().to_owned()).collect()))
        }
        "next-due" => storage.next_due(now()).await.map(Answer::Time),
        "claim" => storage.claim(&organization, now()).await.map(Answer::Claim),
        "renew" => storage.renew(&organization, claim(), now()).await.map(Answer::Claim),
        "release" => storage.release(&organization, claim(), number(&step["next"])).await.map(Answer::Truth),
        other => panic!("a step calls {other}, which this runner does not know"),
    }
}

/// The name of the refusal in the WIT.
fn tag(error: &StorageError) -> &'static str {
    match error {
        StorageError::Conflict(_) => "conflict",
        StorageError::Limit(_) => "limit",
        StorageError::TooLarge => "too-large",
        StorageError::Unavailable(_) => "unavailable",
        StorageError::Full(_) => "full",
        StorageError::Deleted => "deleted",
        StorageError::Other(_) => "other",
    }
}

fn page(page: &Value, n: Option<u64>) -> Page {
    let bounded = |name: &str, default| number(&page[name]).map_or(default, |number| u32::try_from(number).unwrap());
    Page {
        range: KeyRange {
            start: page.get("start").map(|start| bytes(start, n)).unwrap_or_default(),
            end: bytes(&page["end"], n),
        },
        reverse: page["reverse"].as_bool().unwrap_or_default(),
        skip: bounded("skip", 0),
        limit: bounded("limit", 1_000),
    }
}

fn condition(condition: &Value, names: &HashMap<String, u64>, n: Option<u64>) -> Condition {
    match only(condition) {
        ("exists", key) => Condition::Exists(bytes(key, n)),
        ("absent", key) => Condition::Absent(bytes(key, n)),
        ("version", pair) => {
            let named = pair[1].as_str().and_then(|name| names.get(name)).copied();
            Condition::version(bytes(&pair[0], n), named.or_else(|| number(&pair[1])).unwrap())
        }
        (other, _) => panic!("there is no condition {other}"),
    }
}

fn change(change: &Value, n: Option<u64>) -> Change {
    match only(change) {
        ("put", pair) => Change::put(bytes(&pair[0], n), bytes(&pair[1], n)),
        ("delete", key) => Change::Delete(bytes(key, n)),
        ("delete-range", range) => {
            Change::DeleteRange(KeyRange { start: bytes(&range[0], n), end: bytes(&range[1], n) })
        }
        ("add", add) => Change::Add(BoundedAdd {
            key: bytes(&add["key"], n),
            delta: signed(&add["delta"]).unwrap(),
            min: signed(&add["min"]),
            max: signed(&add["max"]),
        }),
        (other, _) => panic!("there is no change {other}"),
    }
}

/// The name and the value of an object's only member.
fn only(value: &Value) -> (&str, &Value) {
    let (name, value) = value.as_object().unwrap().iter().next().unwrap();
    (name, value)
}

/// The elements of a list, with `{"times", "of"}` written out; each with the number that `{n}` stands for.
fn numbered(values: &Value, n: Option<u64>) -> Vec<(&Value, Option<u64>)> {
    let mut out = Vec::new();
    for value in values.as_array().into_iter().flatten() {
        match value.get("of") {
            Some(of) => out.extend((0..value["times"].as_u64().unwrap()).map(|number| (of, Some(number)))),
            None => out.push((value, n)),
        }
    }
    out
}

/// The bytes that are written as a text, in hex, or as a text so many times.
fn bytes(value: &Value, n: Option<u64>) -> Vec<u8> {
    if let Some(text) = value.as_str() {
        return n.map_or_else(|| text.to_owned(), |n| text.replace("{n}", &format!("{n:06}"))).into_bytes();
    }
    if let Some(hex) = value["hex"].as_str() {
        let digits = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
        return hex.as_bytes().chunks(2).map(digits).collect();
    }
    let times = usize::try_from(value["times"].as_u64().unwrap()).unwrap();
    value["bytes"].as_str().unwrap().repeat(times).into_bytes()
}

/// A number, which is a text where JavaScript's numbers would not be exact.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn signed(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}
