#!/usr/bin/env bash
# A body made by the channel of http-body-util can end without its last frame, and without an error.
# A provider that streams an export, a list or a log to its client often writes it in one task and lets the HTTP server
# read it in another: `http_body_util::channel::Channel` 0.1.5 (crates.io) exists for that. One would guess that every frame
# for which `send_data` returned Ok comes out before the end, as of any queue. The channel has two queues, one for frames
# and one for an error, and its reader looks into them one after the other: where the writer sends its last frame and is
# dropped in between, the reader has seen no frame, sees the end of the second queue, and takes it for the end of the body.
# Over HTTP/1.1 the client gets a complete chunked body whose last part is missing. A file of JSON Lines is still valid
# then, so only a count or a line that says "end" shows it. A provider should send frames and error through one queue.
# The program below sends bodies of three frames between two threads until one comes out short.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'END'
[package]
name = "seen"
version = "0.0.0"
edition = "2021"
[dependencies]
bytes = "1"
http-body-util = { version = "=0.1.5", features = ["channel"] }
tokio = { version = "1", features = ["rt-multi-thread", "macros"] }
[profile.dev]
opt-level = 1
END
cat >src/main.rs <<'END'
use bytes::Bytes;
use http_body_util::{channel::Channel, BodyExt};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    for _ in 0..20_000_000_u64 {
        let (mut sender, body) = Channel::<Bytes>::new(2);
        let writer = tokio::spawn(async move {
            for part in ["first ", "second ", "last"] {
                sender.send_data(Bytes::from(part)).await.expect("taken");
            }
        });
        let body = body.collect().await.expect("no error").to_bytes();
        writer.await.expect("all three were taken");
        if body != "first second last" {
            println!("three frames were taken, no error was told, and {:?} came out", String::from_utf8_lossy(&body));
            return;
        }
    }
    println!("every body was whole");
}
END
cargo run --quiet >seen
cat >expected <<'END'
three frames were taken, no error was told, and "first second " came out
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
