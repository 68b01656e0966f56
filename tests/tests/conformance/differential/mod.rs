//! This server, in its tolerant and in its strict mode, and scim2-server, an independent one, get the same requests and
//! must give the same answers.
//!
//! The requests are made from a seed. `DIFFERENTIAL_SEED` sets another seed, and `DIFFERENTIAL_REQUESTS` another number
//! of requests. Statuses, error types and resources are compared, but not ids, times, versions and URLs, which each
//! server makes for itself. Where the servers differ for a reason, [`differences`] has the reason.

mod compare;
mod dice;
mod differences;
mod reads;
mod reference;
mod sequence;

use std::env;

use insomnia_scim_tests::client::{Client, Response};
use insomnia_scim_tests::server;

use self::compare::{Names, Side};
use self::reference::Reference;
use self::sequence::Sequence;

const SEED: u64 = 20_260_101;
const REQUESTS: usize = 240;

/// How many servers are asked: ours in compat mode, ours in strict mode, and the other one.
const SIDES: usize = 3;

#[test]
fn another_server_answers_the_same() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse().expect("a number"));
    let seed: u64 = number("DIFFERENTIAL_SEED").unwrap_or(SEED);
    let requests = number("DIFFERENTIAL_REQUESTS").map_or(REQUESTS, |number| usize::try_from(number).expect("a size"));

    let reference = Reference::start();
    // An organization of its own: lists are compared as a whole.
    let compat = server::shared().another_organization("differential").client();
    let strict = server::shared().organization_with("strict").client();
    let theirs = Client::bare(reference.url()).content_type("application/scim+json");
    let sides: [Side; SIDES] = [Side::new(compat), Side::new(strict), Side::new(theirs)];
    let mut sequence = Sequence::new(seed);
    let mut names = Names::default();
    for at in 0..requests {
        let step = sequence.next();
        let answers: [Response; SIDES] = std::array::from_fn(|side| sides[side].send(side, &step, &names));
        let seen = answers.each_ref().map(|answer| compare::seen(&step, answer, &names));
        let is_created = answers.iter().all(|answer| answer.status == 201);
        let [compat, strict, theirs] = &seen;
        if compat != theirs || strict != theirs {
            panic!(
                "seed {seed}, request {at}: {step}\ncompat: {compat}\nstrict: {strict}\ntheirs: {theirs}\n\n{}\n{}\n{}",
                answers[0], answers[1], answers[2]
            );
        }
        if is_created {
            names.add(step.kind(), answers.each_ref().map(compare::id));
        }
        if let Some(name) = step.deletes().filter(|_| answers[0].status == 204) {
            names.bury(name);
        }
        sequence.settle(&step, answers[0].status);
    }
    assert!(sequence.is_varied(), "some kinds of requests were not made or never succeeded: {sequence}");
}
