//! Messages in a folder, and to SMTP servers that misbehave.

mod config;
mod folder;
mod letter;
mod server;
mod smtp;

use super::Sender;
use crate::capability::email::Message;
use crate::capability::storage::OrganizationId;

fn acme() -> OrganizationId {
    OrganizationId::parse("acme").unwrap()
}

fn sender() -> Sender {
    Sender::new("Insomnia <no-reply@insomnia.example>", None, None).unwrap()
}

fn message(id: &str) -> Message {
    Message {
        id: id.into(),
        date: 1_763_830_800_123,
        to: "ada@acme.example".into(),
        subject: "Welcome to Insomnia".into(),
        text: "Hello Ada".into(),
        html: "<p>Hello Ada</p>".into(),
    }
}
