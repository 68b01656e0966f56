//! A component for tests that does what the request's path asks for: it loops, takes memory, traps, waits, or floods
//! the log.
//!
//! All exports but `scim.handle` and `scim.admits` trap. They are generated from `wit/`, so that a new export needs no
//! change here. The tests in `tests/` use this file too.
#![allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "if this component can't be made, the test must fail"
)]

use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

/// The WASI interfaces that the component imports in addition to the contract.
const WASI: [&str; 5] = [
    "package wasi:io@0.2.0;
    interface error { resource error; }
    interface poll { resource pollable { block: func(); } }
    interface streams {
        use error.{error};
        variant stream-error { last-operation-failed(error), closed }
        resource output-stream {
            blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
        }
    }",
    "package wasi:clocks@0.2.0;
    interface monotonic-clock { use wasi:io/poll@0.2.0.{pollable}; subscribe-duration: func(when: u64) -> pollable; }",
    "package wasi:cli@0.2.0;
    interface stderr { use wasi:io/streams@0.2.0.{output-stream}; get-stderr: func() -> output-stream; }",
    "package wasi:random@0.2.0;
    interface random { get-random-bytes: func(len: u64) -> list<u8>; }",
    "package insomnia:faults;
    world faults {
        include insomnia:scim/provisioner@1.0.0;
        import wasi:clocks/monotonic-clock@0.2.0;
        import wasi:cli/stderr@0.2.0;
        import wasi:random/random@0.2.0;
    }",
];

/// The imports that the code below calls, and their names in it.
const CALLED: [(&str, &str, &str); 8] = [
    ("insomnia:scim/secrets@1.0.0", "seal", "$seal"),
    ("insomnia:scim/storage@1.0.0", "get", "$get"),
    ("insomnia:scim/storage@1.0.0", "commit", "$commit"),
    ("wasi:cli/stderr@0.2.0", "get-stderr", "$stderr"),
    ("wasi:clocks/monotonic-clock@0.2.0", "subscribe-duration", "$timer"),
    ("wasi:io/poll@0.2.0", "[method]pollable.block", "$block"),
    ("wasi:io/streams@0.2.0", "[method]output-stream.blocking-write-and-flush", "$print"),
    ("wasi:random/random@0.2.0", "get-random-bytes", "$random"),
];

/// `scim.handle` answers with status 200 and the number of earlier calls of the instance. Before that it does what the
/// second byte of the path asks for. The request is a record in memory, whose second field is the path. `cabi_realloc`
/// allocates memory from the second page on, and never frees it.
const HANDLE: &str = r#"
  (global $calls (mut i32) (i32.const 0))
  (global $free (mut i32) (i32.const 65536))
  (global $body (mut i32) (i32.const 0))
  (global $fields (mut i32) (i32.const 0))
  (func $forever (loop $again (br $again)))
  (func $fill (loop $more (drop (memory.grow (i32.const 16))) (br $more)))
  (func $deep (result i32) (i32.add (call $deep) (i32.const 1)))
  (func $descend (drop (call $deep)))
  (func $fail (unreachable))
  ;; Writes, at the address $at, the change that puts the value under the key (variant `put` in `storage.wit`).
  (func $put (param $at i32) (param $key i32) (param $length i32) (param $value i32) (param $size i32)
    (i32.store8 (local.get $at) (i32.const 0))
    (i32.store offset=8 (local.get $at) (local.get $key))
    (i32.store offset=12 (local.get $at) (local.get $length))
    (i32.store offset=16 (local.get $at) (local.get $value))
    (i32.store offset=20 (local.get $at) (local.get $size)))
  ;; Commits $count changes, which stand in memory from the address 2048 on.
  (func $write (param $count i32)
    (call $commit (i32.const 0) (i32.const 0) (i32.const 2048) (local.get $count) (i32.const 0) (i64.const 0)
      (i32.const 64)))
  (func (export "insomnia:scim/scim@1.0.0#handle")
    (param $request i32) (result i32)
    (local $verb i32)
    (local.set $verb (i32.load8_u offset=1 (i32.load offset=8 (local.get $request))))
    (if (i32.eq (local.get $verb) (i32.const 108)) ;; l: loop
      (then (call $forever)))
    (if (i32.eq (local.get $verb) (i32.const 109)) ;; m: memory
      (then (call $fill)))
    (if (i32.eq (local.get $verb) (i32.const 111)) ;; o: overflow of the stack
      (then (call $descend)))
    (if (i32.eq (local.get $verb) (i32.const 116)) ;; t: trap
      (then (call $fail)))
    (if (i32.eq (local.get $verb) (i32.const 115)) ;; s: seal, which waits for the host
      (then (call $seal (i32.const 0) (i32.const 1) (i32.const 64))))
    (if (i32.eq (local.get $verb) (i32.const 119)) ;; w: wrong status, 101
      (then (global.set $calls (i32.const -99))))
    (if (i32.eq (local.get $verb) (i32.const 103)) ;; g: giant answer, 200 MiB
      (then
        (drop (memory.grow (i32.const 3500)))
        (global.set $body (i32.const 209715200))))
    (if (i32.eq (local.get $verb) (i32.const 98)) ;; b: beyond its memory, an answer of 2 GiB
      (then (global.set $body (i32.const 2147483647))))
    (if (i32.eq (local.get $verb) (i32.const 104)) ;; h: host calls without end
      (then (loop $again (call $get (i32.const 0) (i32.const 0) (i32.const 64)) (br $again))))
    (if (i32.eq (local.get $verb) (i32.const 114)) ;; r: reads outside its memory
      (then (call $get (i32.const -64) (i32.const 1000000) (i32.const 64))))
    (if (i32.eq (local.get $verb) (i32.const 107)) ;; k: key that is too long
      (then
        (call $put (i32.const 2048) (i32.const 4096) (i32.const 513) (i32.const 4096) (i32.const 1))
        (call $write (i32.const 1))))
    (if (i32.eq (local.get $verb) (i32.const 118)) ;; v: value that is too large
      (then
        (drop (memory.grow (i32.const 64)))
        (call $put (i32.const 2048) (i32.const 4096) (i32.const 1) (i32.const 4096) (i32.const 1048577))
        (call $write (i32.const 1))))
    (if (i32.eq (local.get $verb) (i32.const 97)) ;; a: a commit of more than a call may pass
      (then (call $write (i32.const 70000000))))
    (if (i32.eq (local.get $verb) (i32.const 112)) ;; p: a put, and a trap in the middle of the same commit
      (then
        (call $put (i32.const 2048) (i32.const 4096) (i32.const 1) (i32.const 4096) (i32.const 1))
        (call $put (i32.const 2104) (i32.const -64) (i32.const 100) (i32.const 4096) (i32.const 1))
        (call $write (i32.const 2))))
    (if (i32.eq (local.get $verb) (i32.const 100)) ;; d: sleeps past its deadline, an hour
      (then (call $block (call $timer (i64.const 3600000000000)))))
    (if (i32.eq (local.get $verb) (i32.const 110)) ;; n: noise in the log without end
      (then
        (local.set $verb (call $stderr))
        (loop $again (call $print (local.get $verb) (i32.const 0) (i32.const 4096) (i32.const 64)) (br $again))))
    (if (i32.eq (local.get $verb) (i32.const 120)) ;; x: more random bytes than there may be at once
      (then (call $random (i64.const 1000000000000) (i32.const 64))))
    (if (i32.eq (local.get $verb) (i32.const 121)) ;; y: random bytes without end, into the same memory
      (then (loop $again
        (global.set $free (i32.const 65536))
        (call $random (i64.const 4096) (i32.const 64))
        (br $again))))
    (if (i32.eq (local.get $verb) (i32.const 117)) ;; u: a header field that is not UTF-8
      (then
        (i32.store8 (i32.const 1024) (i32.const 255))
        (i32.store (i32.const 128) (i32.const 1024))
        (i32.store (i32.const 132) (i32.const 1))
        (i32.store (i32.const 136) (i32.const 1024))
        (i32.store (i32.const 140) (i32.const 1))
        (global.set $fields (i32.const 1))))
    (if (i32.eq (local.get $verb) (i32.const 102)) ;; f: a billion header fields
      (then (global.set $fields (i32.const 1000000000))))
    (i32.store16 (i32.const 0) (i32.add (i32.const 200) (global.get $calls)))
    (i32.store (i32.const 4) (i32.const 128))
    (i32.store (i32.const 8) (global.get $fields))
    (i32.store (i32.const 12) (i32.const 0))
    (i32.store (i32.const 16) (global.get $body))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (global.set $free (i32.const 65536))
    (i32.const 0))
  ;; Lets nobody in, so that the component passes the examination before it is stored.
  (func (export "insomnia:scim/scim@1.0.0#admits") (param i32 i32 i32) (result i32) (i32.const 0))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $taken i32)
    (local.set $taken (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $taken) (local.get 3)))
    (local.get $taken))
"#;

/// The component, which does what the path of a request asks for.
#[must_use]
pub fn component() -> Vec<u8> {
    component_that("")
}

/// A component that also runs a function whenever it is instantiated. `start` is the name of a function in [`HANDLE`],
/// such as `$forever`.
#[must_use]
pub fn component_that_begins_with(start: &str) -> Vec<u8> {
    component_that(&format!("(start {start})"))
}

fn component_that(starts: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit")).unwrap();
    let packages = WASI.map(|text| resolve.push_str("fault.wit", text).unwrap());
    let world = resolve.select_world(&packages[4..], Some("faults")).unwrap();
    let dummy = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    let replaced = [
        "(export \"insomnia:scim/scim@1.0.0#handle\"",
        "(export \"insomnia:scim/scim@1.0.0#admits\"",
        "(export \"cabi_realloc\"",
    ];
    let named = |line: &str| {
        let is = |interface: &str, function: &str| line.contains(&format!("\"{interface}\" \"{function}\""));
        let name = CALLED.iter().find(|(interface, function, _)| is(interface, function)).map(|(_, _, name)| name);
        name.map_or_else(|| line.to_owned(), |name| line.replace("(func ", &format!("(func {name} ")))
    };
    let text = wasmprinter::print_bytes(&dummy).unwrap();
    let text: String = text
        .lines()
        .filter(|line| !replaced.iter().any(|export| line.trim_start().starts_with(export)))
        .map(|line| match line.trim() {
            "(memory (;0;) 0)" => "(memory (;0;) 4)\n".to_owned(),
            _ => format!("{}\n", named(line)),
        })
        .collect();
    let text = format!("{}{HANDLE}{starts})", text.trim_end().strip_suffix(')').unwrap());
    let mut module = wat::parse_str(&text).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}
