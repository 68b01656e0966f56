//! The receivers of what the hosts deliver: a receiver of webhooks and a mail server. Both note what they get, and
//! whether another host delivered to the same organization at the same time.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::outside::commands::read_request;

/// How long each delivery takes: without it two hosts would hardly ever be seen at the same time.
const DELIVERY: Duration = Duration::from_millis(5);

/// What was delivered.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) organization: String,
    /// The same in every attempt.
    pub(super) id: String,
    /// The event as JSON, or the email.
    pub(super) body: String,
}

/// What both receivers have been given, in the order of arrival.
#[derive(Default)]
pub(super) struct Received {
    deliveries: Mutex<Vec<Delivery>>,
    /// How many deliveries are under way, by organization.
    under_way: Mutex<HashMap<String, usize>>,
    overlaps: Mutex<Vec<String>>,
}

/// While it lives, a delivery to the organization is under way.
struct UnderWay<'r>(&'r Received, String);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        *self.0.under_way.lock().unwrap().entry(self.1.clone()).or_default() -= 1;
    }
}

impl Received {
    /// All that came, also what came again.
    pub(super) fn all(&self) -> Vec<Delivery> {
        self.deliveries.lock().unwrap().clone()
    }

    /// Where two deliveries to one organization were under way at the same time.
    pub(super) fn overlaps(&self) -> Vec<String> {
        self.overlaps.lock().unwrap().clone()
    }

    fn begin(&self, organization: &str, what: &str) -> UnderWay<'_> {
        let mut under_way = self.under_way.lock().unwrap();
        let count = under_way.entry(organization.to_owned()).or_default();
        if *count > 0 {
            self.overlaps.lock().unwrap().push(format!("{organization}: {what} comes while another is under way"));
        }
        *count += 1;
        UnderWay(self, organization.to_owned())
    }

    fn take(&self, organization: &str, id: String, body: String) {
        self.deliveries.lock().unwrap().push(Delivery { organization: organization.to_owned(), id, body });
    }
}

/// Takes events at `/ORGANIZATION`; returns the port.
pub(super) fn take_webhooks() -> (u16, Arc<Received>) {
    listen(|connection, received| {
        let request = read_request(&connection);
        let Some((head, body)) = request.split_once("\r\n\r\n") else { return };
        let Some(organization) = head.split_whitespace().nth(1).map(|path| path.trim_start_matches('/')) else {
            return;
        };
        let Ok(event) = serde_json::from_str::<Value>(body) else { return };
        let id = event["id"].as_str().unwrap_or_default().to_owned();
        let under_way = received.begin(organization, &id);
        thread::sleep(DELIVERY);
        received.take(organization, id, body.to_owned());
        // Before the answer: whoever has it may deliver the next one at once.
        drop(under_way);
        let mut connection = connection;
        let _ = write!(connection, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    })
}

/// Takes email to addresses at `ORGANIZATION.example`; returns the port.
pub(super) fn take_email() -> (u16, Arc<Received>) {
    listen(|connection, received| {
        let _ = talk(connection, received);
    })
}

fn talk(connection: TcpStream, received: &Received) -> std::io::Result<()> {
    let mut answers = connection.try_clone()?;
    let mut lines = BufReader::new(connection).lines();
    write!(answers, "220 test ESMTP\r\n")?;
    let mut organization = String::new();
    while let Some(line) = lines.next() {
        let line = line?;
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        match verb.as_str() {
            "EHLO" => write!(answers, "250-test\r\n250 8BITMIME\r\n")?,
            "QUIT" => return write!(answers, "221 bye\r\n"),
            "RCPT" => {
                let domain = line.split('@').nth(1).unwrap_or_default();
                organization = domain.split(".example").next().unwrap_or_default().to_owned();
                write!(answers, "250 ok\r\n")?;
            }
            "DATA" => {
                let under_way = received.begin(&organization, "an email");
                write!(answers, "354 go ahead\r\n")?;
                let mut message = String::new();
                loop {
                    let Some(line) = lines.next() else { return Ok(()) };
                    match line?.as_str() {
                        "." => break,
                        line => message += &format!("{line}\n"),
                    }
                }
                thread::sleep(DELIVERY);
                let id = message.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap_or_default();
                received.take(&organization, id.to_owned(), message.clone());
                drop(under_way);
                write!(answers, "250 taken\r\n")?;
            }
            _ => write!(answers, "250 ok\r\n")?,
        }
    }
    Ok(())
}

fn listen(serve: fn(TcpStream, &Received)) -> (u16, Arc<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("the port").port();
    let received = Arc::new(Received::default());
    let noted = Arc::clone(&received);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(connection) = connection else { continue };
            let received = Arc::clone(&noted);
            thread::spawn(move || serve(connection, &received));
        }
    });
    (port, received)
}
