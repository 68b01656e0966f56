//! Connections that send nothing keep nobody else out, however few file descriptors there are (F17).

use std::net::TcpStream;

use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Server, Surroundings};

#[test]
fn f17_silent_connections_do_not_shut_the_door() {
    let server = Server::start_in(&Surroundings { limits: "ulimit -n 256", ..Surroundings::default() }, &[]);
    let kept = server.client();
    let _ = seed::someone(&kept, "kept");
    let silent: Vec<TcpStream> =
        (0..600).map(|_| TcpStream::connect(server.authority()).expect("a connection")).collect();
    for _ in 0..5 {
        let _ = seed::someone(&server.client(), "new");
    }
    let _ = seed::someone(&kept, "kept");
    drop(silent);
}

#[test]
fn f17_the_soft_limit_of_file_descriptors_is_raised() {
    let limits = "ulimit -H -n 1024 && ulimit -S -n 64";
    let server = Server::start_in(&Surroundings { limits, ..Surroundings::default() }, &[]);
    let clients: Vec<_> = (0..200).map(|_| server.client()).collect();
    for client in &clients {
        client.get("/Users?count=0").is(200);
    }
    // All are open at the same time.
    for client in &clients {
        client.get("/Users?count=0").is(200);
    }
}
