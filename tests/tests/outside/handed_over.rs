//! A restart behind a socket that the service manager keeps open (sd_listen_fds(3)): no client is refused meanwhile.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use insomnia_scim_tests::server::binary;

/// Starts the server as systemd does: with the socket as descriptor 3. It has begun when it says where it listens.
fn start(data: &Path, socket: &TcpListener) -> Child {
    let socket = OwnedFd::from(socket.try_clone().unwrap());
    let mut child = Command::new("sh")
        .args(["-c", "export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$0\" \"$@\" 3<&0 </dev/null"])
        .arg(binary())
        .args(["serve", "--log", "info", "--data"])
        .arg(data)
        .stdin(socket)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let begun = lines.by_ref().map_while(Result::ok).find(|line| line.contains("listening on"));
    assert!(begun.is_some(), "the server has ended");
    thread::spawn(move || lines.for_each(drop));
    child
}

fn stop(mut child: Child) {
    let terminated = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(terminated.success());
    assert!(child.wait().unwrap().success());
}

/// Asks over a new connection, and says what came back.
fn ask(address: SocketAddr) -> String {
    let asked = TcpStream::connect(address).and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    });
    asked.unwrap_or_else(|error| error.to_string())
}

#[test]
fn p9_a_restart_behind_a_socket_that_stays_open_refuses_no_request() {
    let data = tempfile::tempdir().unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let mut server = start(data.path(), &socket);
    let (over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..3)
        .map(|_| {
            let (over, answered) = (Arc::clone(&over), Arc::clone(&answered));
            thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let answer = ask(address);
                    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for _ in 0..2 {
        let before = answered.load(Ordering::Relaxed);
        while answered.load(Ordering::Relaxed) < before + 20 {
            assert!(clients.iter().all(|client| !client.is_finished()), "a request was refused");
            thread::sleep(Duration::from_millis(10));
        }
        stop(server);
        server = start(data.path(), &socket);
    }
    over.store(true, Ordering::Relaxed);
    clients.into_iter().for_each(|client| client.join().unwrap());
    stop(server);
}
