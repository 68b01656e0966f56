//! A mail system that stores what it accepts. A test can make it refuse an email, or lose its answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use insomnia_scim::OrganizationId;
use insomnia_scim::capability::email::{MailError, Mailer, Message};

use crate::rules::faults::Faults;

/// What becomes of an attempt to send.
pub(crate) enum Fate {
    /// It is taken.
    Take,
    /// It is taken, and the sender does not hear of it.
    TakeAndBreak,
    /// It is refused in this way.
    Refuse(MailError),
}

type Decide = Box<dyn FnMut(&Message) -> Fate + Send>;

/// The mail system.
pub(crate) struct Mailbox {
    faults: Arc<Faults>,
    decide: Mutex<Decide>,
    taken: Mutex<Vec<Message>>,
    attempts: Mutex<usize>,
}

impl Mailbox {
    pub(crate) fn new(faults: Arc<Faults>) -> Self {
        let take: Decide = Box::new(|_| Fate::Take);
        Self { faults, decide: Mutex::new(take), taken: Mutex::default(), attempts: Mutex::default() }
    }

    /// From now on this decides.
    pub(crate) fn decide(&self, decide: impl FnMut(&Message) -> Fate + Send + 'static) {
        *self.decide.lock().unwrap() = Box::new(decide);
    }

    /// From now on nothing is taken.
    pub(crate) fn break_down(&self) {
        self.decide(|_| Fate::Refuse(MailError::Unavailable("4.3.2 out of order".into())));
    }

    /// From now on everything is taken.
    pub(crate) fn recover(&self) {
        self.decide(|_| Fate::Take);
    }

    /// How often something was sent, taken or not.
    pub(crate) fn attempts(&self) -> usize {
        *self.attempts.lock().unwrap()
    }

    /// All that was taken, in order; what was sent twice stands there twice.
    pub(crate) fn taken(&self) -> Vec<Message> {
        self.taken.lock().unwrap().clone()
    }

    /// The messages, each id once. One id must stand for one message.
    pub(crate) fn messages(&self) -> Vec<Message> {
        let mut seen: BTreeMap<String, Message> = BTreeMap::new();
        let mut messages = Vec::new();
        for message in self.taken() {
            match seen.insert(message.id.clone(), message.clone()) {
                Some(before) => assert_eq!(before, message, "two messages have one id"),
                None => messages.push(message),
            }
        }
        messages
    }

    /// The subjects of the messages to this address, each id once.
    pub(crate) fn subjects_to(&self, address: &str) -> Vec<String> {
        self.messages().into_iter().filter(|message| message.to == address).map(|message| message.subject).collect()
    }

    /// The passphrase or link in a message's text: the only line that is indented or behind a label.
    pub(crate) fn passphrase_in(message: &Message) -> Option<String> {
        message.text.lines().find_map(|line| line.strip_prefix("    ")).map(str::to_owned)
    }
}

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, _: &OrganizationId, message: Message) -> Result<(), MailError> {
        if self.faults.is_crashed() {
            return Err(MailError::Unavailable("the host has crashed".into()));
        }
        *self.attempts.lock().unwrap() += 1;
        let fate = self.decide.lock().unwrap()(&message);
        match fate {
            Fate::Take => {
                self.taken.lock().unwrap().push(message);
                Ok(())
            }
            Fate::TakeAndBreak => {
                self.taken.lock().unwrap().push(message);
                Err(MailError::Unavailable("the connection was lost".into()))
            }
            Fate::Refuse(error) => Err(error),
        }
    }
}
