//! A simulated life of an organization: 400 days with a mail system and a webhook that fail at random, and hosts that
//! crash at random. In the end each expected email and event has arrived, under one id, and no secret is anywhere.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::RunContext;
use crate::capability::{
    EmailError, Host, HttpClient, HttpError, HttpRequest, HttpResponse, Item, Key, KeyValue, Mailer, Message, Page,
    Random, Scanned, Storage, StorageError, Transaction,
};
use crate::connector::{self, Window};
use crate::journal;
use crate::testing::organization::{DAY, TestOrganization};

const HOUR: u64 = 3_600_000;
const ADMINISTRATORS: [&str; 2] = [TestOrganization::OWNER, TestOrganization::CO_OWNER];

/// The servers that the organization depends on; they fail at random.
struct World<'o> {
    organization: &'o TestOrganization,
    /// The host crashes after this number of commits; a negative number means that it does not crash.
    crash_in: Cell<i64>,
    /// The mail system is out of order until then, in milliseconds since the Unix epoch.
    mail_out_until: Cell<u64>,
    webhook_out_until: Cell<u64>,
    /// Every email that arrived, even if the answer was lost.
    mails: RefCell<Vec<Message>>,
    posts: RefCell<Vec<HttpRequest>>,
}

impl World<'_> {
    fn host(&self) -> Host<'_> {
        Host { storage: self, mailer: self, http: self, ..self.organization.host.host() }
    }

    fn now(&self) -> u64 {
        self.organization.host.host().clock.now()
    }

    /// A number below `end`.
    fn random(&self, end: u64) -> u64 {
        let mut bytes = [0; 8];
        self.organization.host.fill(&mut bytes);
        u64::from_le_bytes(bytes) % end
    }

    fn is_crashed(&self) -> bool {
        self.crash_in.get() == 0
    }

    /// Runs the jobs whenever they are due, on hosts that crash now and then.
    fn live_until(&self, end: u64, due: &Cell<Option<u64>>) {
        loop {
            let now = self.now();
            due.set([due.get(), self.organization.host.take_wake()].into_iter().flatten().min());
            let Some(at) = due.get().filter(|at| *at <= end) else { break };
            self.organization.host.set_now(at.max(now));
            // The scheduler keeps the due time until the call has succeeded.
            if self.random(4) == 0 {
                self.crash_in.set(i64::try_from(self.random(5)).unwrap());
            }
            let next = crate::jobs::run_due(self.host(), &RunContext::default());
            let crashed = self.is_crashed();
            self.crash_in.set(-1);
            match next {
                Ok(next) if !crashed => due.set(next.map(|next| next.max(self.now() + 20))),
                _ => due.set(Some(self.now() + 1_000)),
            }
        }
        self.organization.host.set_now(end.max(self.now()));
    }
}

impl Storage for World<'_> {
    fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StorageError> {
        if self.is_crashed() {
            Err(StorageError::Unavailable("crashed".into()))
        } else {
            self.organization.host.get(keys)
        }
    }

    fn scan(&self, pages: &[Page]) -> Result<Vec<Scanned>, StorageError> {
        if self.is_crashed() {
            Err(StorageError::Unavailable("crashed".into()))
        } else {
            self.organization.host.scan(pages)
        }
    }

    fn commit(&self, transaction: Transaction) -> Result<u64, StorageError> {
        match self.crash_in.get() {
            0 => return Err(StorageError::Unavailable("crashed".into())),
            more if more > 0 => self.crash_in.set(more - 1),
            _ => {}
        }
        let committed = self.organization.host.commit(transaction);
        // The last commit before the crash is stored, but its answer is lost.
        if self.is_crashed() { Err(StorageError::Unavailable("crashed".into())) } else { committed }
    }

    fn append(&self, entries: &[KeyValue]) -> Result<(), StorageError> {
        self.organization.host.append(entries)
    }
}

impl Mailer for World<'_> {
    fn send(&self, email: &Message) -> Result<(), EmailError> {
        // A host that has crashed sends nothing.
        if self.is_crashed() {
            return Err(EmailError::Unavailable("crashed".into()));
        }
        if self.now() < self.mail_out_until.get() || self.random(10) == 0 {
            return Err(EmailError::Unavailable("4.3.2".into()));
        }
        self.mails.borrow_mut().push(email.clone());
        // The mail system accepts the email, but sometimes the answer is lost.
        if self.random(20) == 0 { Err(EmailError::Unavailable("connection lost".into())) } else { Ok(()) }
    }
}

impl HttpClient for World<'_> {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        if self.is_crashed() || self.now() < self.webhook_out_until.get() {
            return Err(HttpError::Unreachable("down".into()));
        }
        if self.random(10) == 0 {
            return Ok(HttpResponse { status: 503, ..HttpResponse::default() });
        }
        self.posts.borrow_mut().push(request.clone());
        if self.random(20) == 0 {
            Err(HttpError::Timeout)
        } else {
            Ok(HttpResponse { status: 204, ..HttpResponse::default() })
        }
    }
}

/// Distinct ids, each with its recipient and subject: an id stands for one message only.
fn by_id(mails: &[Message]) -> BTreeMap<String, (String, String)> {
    let mut by_id = BTreeMap::new();
    for mail in mails {
        let told = (mail.to.clone(), mail.subject.clone());
        let before = by_id.insert(mail.id.clone(), told.clone());
        assert!(before.is_none_or(|before| before == told));
    }
    by_id
}

#[test]
fn a_life_of_400_days_sends_exactly_the_expected_emails_and_events() {
    let mut organization = TestOrganization::new(12, Window::Days90).unwrap();
    let start = organization.store().now();
    let secret = journal::set_webhook(&organization.store(), &organization.host, "https://backend.example").unwrap();
    let due = Cell::new(None);
    let (mut mails, mut posts, mut secrets) = (Vec::new(), Vec::new(), vec![secret, organization.token.clone()]);
    let mut expected: BTreeMap<(String, String), usize> = BTreeMap::new();
    let welcome = "Your Insomnia account at Example";
    let mut last_refusal = None::<u64>;
    let (mut ids, mut created, mut down_days) = (Vec::new(), 0, 0);
    let mut refreshed = start;
    for day in 0..400_u64 {
        let world = World {
            organization: &organization,
            crash_in: Cell::new(-1),
            mail_out_until: Cell::new(0),
            webhook_out_until: Cell::new(0),
            mails: RefCell::default(),
            posts: RefCell::default(),
        };
        let midnight = start + day * DAY;
        // Each outage takes hours, which is less than the three days after which deliveries are parked.
        if world.random(6) == 0 {
            world.mail_out_until.set(midnight + world.random(20) * HOUR);
        }
        if world.random(6) == 0 {
            world.webhook_out_until.set(midnight + world.random(20) * HOUR);
        }
        world.live_until(midnight + 6 * HOUR, &due);
        // All hosts are down for the rest of the day.
        let is_down = world.random(25) == 0;
        down_days += u64::from(is_down);
        if world.random(3) == 0 {
            let name = format!("u{created}@example.com");
            let (status, body) =
                organization.scim_over(world.host(), "POST", "/Users", Some(json!({"userName": name})));
            match status {
                201 => {
                    created += 1;
                    ids.push((body["id"].as_str().unwrap().to_owned(), name.clone()));
                    expected.insert((name, welcome.to_owned()), 1);
                }
                403 => {
                    if last_refusal.is_none_or(|last| world.now() >= last + DAY) {
                        last_refusal = Some(world.now());
                        for to in ADMINISTRATORS {
                            let subject = "Example has no free Insomnia seat".to_owned();
                            *expected.entry((to.to_owned(), subject)).or_default() += 1;
                        }
                    }
                }
                other => assert_eq!((other, day >= 90), (401, true), "{body}"),
            }
        }
        if world.random(12) == 0 && !ids.is_empty() {
            let (id, name) = ids.remove(usize::try_from(world.random(ids.len() as u64)).unwrap());
            let (status, _) = organization.scim_over(world.host(), "DELETE", &format!("/Users/{id}"), None);
            assert!(status == 204 || status == 401);
            let is_told = |mails: &[Message]| mails.iter().any(|mail| mail.to == name);
            if status == 401 {
                ids.push((id, name));
            } else if !is_told(&mails) && !is_told(&world.mails.borrow()) {
                // The member was deleted before the passphrase was sent, so it is not sent.
                expected.remove(&(name, welcome.to_owned()));
            }
        }
        if !is_down {
            world.live_until(midnight + DAY, &due);
        } else {
            organization.host.set_now(midnight + DAY);
        }
        let (new_mails, new_posts) = (world.mails.take(), world.posts.take());
        mails.extend(new_mails);
        posts.extend(new_posts);
        // The administrator lets the token expire now and then.
        if day % 95 == 94 {
            let new = connector::refresh(
                &organization.store(),
                ADMINISTRATORS[0],
                Some(TestOrganization::PASSPHRASE),
                None,
                0,
            );
            organization.token = new.unwrap().token;
            secrets.push(organization.token.clone());
            refreshed = organization.store().now();
        }
    }
    assert!(created > 10 && down_days > 3 && refreshed > start, "it was a life");
    // Days without trouble, in which waiting deliveries arrive.
    organization.host.set_now(start + 400 * DAY);
    {
        let world = World {
            organization: &organization,
            crash_in: Cell::new(-1),
            mail_out_until: Cell::new(0),
            webhook_out_until: Cell::new(0),
            mails: RefCell::default(),
            posts: RefCell::default(),
        };
        world.live_until(start + 402 * DAY, &due);
        mails.extend(world.mails.take());
        posts.extend(world.posts.take());
    }

    let sent = by_id(&mails);
    assert!(mails.len() > sent.len(), "answers were lost, and emails repeated");
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    sent.values().for_each(|told| *counts.entry(told.clone()).or_default() += 1);
    // If no host runs for a day, the next warning about the token may replace one, so only those that were sent count.
    let (warnings, others): (Vec<_>, Vec<_>) =
        counts.into_iter().partition(|((_, subject), _)| subject.contains("SCIM token"));
    assert_eq!(
        others.into_iter().collect::<BTreeMap<_, _>>(),
        expected,
        "each expected email under one id, and no other"
    );
    let events: Vec<Value> = organization.events();
    for to in ADMINISTRATORS {
        let told = |part: &str| {
            let mine = warnings.iter().filter(|((address, subject), _)| address == to && subject.contains(part));
            mine.map(|(_, count)| count).sum::<usize>()
        };
        assert_eq!(told("has expired"), 4, "four tokens have expired");
        for days in ["20 days", "10 days", "5 days", "2 days", "1 day"] {
            assert!((2..=4).contains(&told(&format!("expires in {days}"))), "{days}: {}", told(days));
        }
    }

    let mut by_event: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut order = Vec::new();
    for post in &posts {
        let id = post.headers.iter().find(|(name, _)| name == "webhook-id").unwrap().1.clone();
        match by_event.insert(id.clone(), post.body.clone()) {
            Some(before) => assert_eq!(before, post.body, "an id stands for one event"),
            None => order.push(id),
        }
    }
    assert!(posts.len() > order.len(), "answers were lost, and events repeated");
    assert!(order.is_sorted(), "events arrive in order");
    let recent: BTreeSet<String> = events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect();
    assert!(recent.iter().all(|id| by_event.contains_key(id)), "none is missing");
    let kinds = |kind: &str| {
        let is = |body: &&Vec<u8>| serde_json::from_slice::<Value>(body).unwrap()["type"] == kind;
        by_event.values().filter(is).count()
    };
    assert_eq!(kinds("member.created"), created);
    assert_eq!(kinds("token.refreshed"), 4);
    assert_eq!(kinds("token.expired"), 4);

    let dump = organization.host.dump();
    assert!(!dump.contains("event-due/") && !dump.contains("event-parked/"), "all events were delivered");
    assert!(!dump.contains("outbox"), "all emails were sent");
    secrets.push(TestOrganization::PASSPHRASE.to_owned());
    let passphrase = |mail: &Message| mail.text.lines().find_map(|line| line.strip_prefix("    ")).map(str::to_owned);
    let passphrases: Vec<String> = mails.iter().filter_map(passphrase).collect();
    assert!(passphrases.len() >= created);
    for secret in secrets.iter().chain(&passphrases) {
        assert!(!dump.contains(secret.as_str()), "no secret is stored");
        let bodies = posts.iter().map(|post| String::from_utf8_lossy(&post.body).into_owned());
        assert!(!bodies.into_iter().any(|body| body.contains(secret.as_str())), "no secret is in an event");
    }
    for secret in &secrets {
        assert!(!mails.iter().any(|mail| mail.text.contains(secret) || mail.html.contains(secret)), "nor in an email");
    }
}
