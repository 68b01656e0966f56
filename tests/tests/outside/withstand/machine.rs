//! If a request meets a limit of the machine, the request fails, but the process goes on (F22).

use insomnia_scim_tests::client::Request;
use insomnia_scim_tests::person::Person;
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Server, Surroundings};

#[test]
fn f22_a_limit_of_file_sizes_refuses_writes_and_ends_nothing() {
    // In blocks of 512 bytes: 2 MiB.
    let server = Server::start_in(&Surroundings { limits: "ulimit -f 4096", ..Surroundings::default() }, &[]);
    let client = server.client();
    let mut created = 0;
    let refused = loop {
        let mut user = seed::user_request(&Person::new("much"));
        user["title"] = "x".repeat(20_000).into();
        let answer = client.send(&Request::new("POST", "/Users").body(user.to_string()));
        if answer.status != 201 {
            break answer;
        }
        created += 1;
        assert!(created < 1_000, "there is no limit");
    };
    refused.error(503);
    // Reads go on, and nothing that was acknowledged is lost.
    assert!(client.get("/Users?count=0").list().total >= created);
}
