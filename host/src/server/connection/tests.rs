//! Tests of which connections must end, and when.

use std::time::Duration;

use tokio::time::advance;

use super::*;
use crate::ledger::Ledger;
use crate::server::bill::Bill;
use crate::server::connection::all::Entered;

fn connections(strangers: usize, descriptors: u64) -> (Arc<Connections>, Ledger) {
    let ledger = Ledger::new(1 << 30, strangers);
    (Connections::new(ledger.clone(), Some(descriptors)), ledger)
}

/// Whether the connection is told to end.
fn goes(entered: &Entered) -> bool {
    let mut evicted = std::pin::pin!(entered.connection.evicted());
    evicted.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_ready()
}

#[tokio::test]
async fn there_are_fewer_connections_than_file_descriptors() {
    for descriptors in [8, 1_024, 4_096, 1 << 20] {
        let (connections, _) = connections(1 << 20, descriptors);
        assert!(connections.most() >= 1 && (connections.most() as u64) < descriptors, "{descriptors}");
    }
    assert!(connections(1, 1_024).0.most() >= 800);
}

#[tokio::test]
async fn when_strangers_are_too_many_those_that_came_first_and_ask_nothing_go() {
    let (connections, _) = connections(1 << 30, 512);
    let all: Vec<Entered> = (0..connections.most() / 2).map(|_| connections.enter(0)).collect();
    let asking = all[0].connection.begin();
    assert!(!all.iter().any(goes));
    let last = connections.enter(0);
    assert!(!goes(&all[0]) && goes(&all[1]) && !goes(&last) && !goes(all.last().unwrap()));
    drop(asking);
}

#[tokio::test]
async fn a_stranger_finds_room_and_whoever_holds_the_most_goes() {
    let (connections, ledger) = connections(1 << 20, 4_096);
    let (greedy, idle, next) = (connections.enter(0), connections.enter(0), connections.enter(0));
    let held = Bill::begin(&ledger, Some(&greedy.connection), 0).unwrap();
    while held.take(1 << 10).is_ok() {}
    assert!(ledger.strangers().held() <= 1 << 20);
    // The connection that uses the most gets no more, and pushes out none that uses less.
    assert!(!goes(&greedy) && !goes(&idle) && !goes(&next));
    drop(Bill::begin(&ledger, Some(&next.connection), 10_000).unwrap());
    assert!(goes(&greedy) && !goes(&next));
}

#[tokio::test]
async fn what_a_stranger_sends_is_noted_and_becomes_the_organizations_when_it_is_known() {
    let (connections, ledger) = connections(1 << 20, 4_096);
    let entered = connections.enter(0);
    assert_eq!(ledger.strangers().held(), BASE);
    entered.connection.received(20_000).unwrap();
    assert!(ledger.strangers().held() >= 20_000);
    // However much arrives, the HTTP library buffers no more than `UNREAD` bytes.
    for _ in 0..100 {
        entered.connection.received(100_000).unwrap();
    }
    assert!(ledger.strangers().held() <= BASE + UNREAD);
    let account = ledger.open(1 << 20);
    let bill = Bill::begin(&ledger, Some(&entered.connection), 300).unwrap();
    bill.is_of(&account);
    assert_eq!(ledger.strangers().held(), 0);
    assert!(account.held() > BASE);
    drop((bill, entered));
    assert_eq!(ledger.held(), 0);
}

#[tokio::test]
async fn one_connection_of_a_stranger_holds_a_bounded_amount() {
    let (connections, ledger) = connections(1 << 30, 4_096);
    let entered = connections.enter(0);
    let bill = Bill::begin(&ledger, Some(&entered.connection), 0).unwrap();
    while bill.take(10_000).is_ok() {}
    assert!(ledger.strangers().held() <= BASE + OF_STRANGER);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_no_answer_or_too_little_is_given_up() {
    let (connections, _) = connections(1 << 20, 4_096);
    for rate in [0, 1, 1_000, MIN_RATE * 2] {
        let entered = connections.enter(0);
        let _open = entered.connection.begin();
        entered.connection.owes(1 << 20);
        let mut given_up = false;
        for _ in 0..20 {
            advance(LOOK).await;
            entered.connection.written.fetch_add(rate * LOOK.as_secs(), Ordering::Relaxed);
            given_up |= matches!(entered.connection.verdict(false), Verdict::GiveUp(_));
        }
        assert_eq!(given_up, rate < MIN_RATE, "{rate}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_waits_less_for_who_takes_nothing() {
    let (connections, _) = connections(1 << 20, 4_096);
    let entered = connections.enter(0);
    let _open = entered.connection.begin();
    entered.connection.owes(1);
    assert_eq!(entered.connection.verdict(true), Verdict::Stay);
    advance(PATIENCE_AT_END).await;
    assert!(matches!(entered.connection.verdict(true), Verdict::GiveUp(_)));
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_every_answer_is_never_given_up_for_it() {
    let (connections, _) = connections(1 << 20, 4_096);
    let entered = connections.enter(0);
    for _ in 0..100 {
        let open = entered.connection.begin();
        open.owes(100);
        assert_eq!(entered.connection.verdict(false), Verdict::Stay);
        open.owes_no_more(100);
        drop(open);
        advance(Duration::from_secs(3)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_request_ends_in_time_and_one_that_is_known_stays_longer() {
    let (connections, ledger) = connections(1 << 20, 4_096);
    let silent = connections.enter(0);
    advance(FIRST_REQUEST).await;
    assert!(matches!(silent.connection.verdict(false), Verdict::GiveUp(_)));
    let (stranger, known) = (connections.enter(0), connections.enter(0));
    known.connection.is_of(&ledger.open(1 << 20));
    drop((stranger.connection.begin(), known.connection.begin()));
    advance(IDLE_STRANGER).await;
    assert_eq!(stranger.connection.verdict(false), Verdict::Finish);
    assert_eq!(known.connection.verdict(false), Verdict::Stay);
    advance(IDLE_KNOWN - IDLE_STRANGER).await;
    assert!(matches!(stranger.connection.verdict(false), Verdict::GiveUp(_)));
    assert_eq!(known.connection.verdict(false), Verdict::Finish);
}
