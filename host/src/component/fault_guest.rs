//! A component for tests that does what its request's path says: loops, takes memory, traps, waits.
//!
//! All exports but `scim.handle` trap; they come from `wit/`, so that a new one needs no change here.

use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

/// `scim.handle` answers with status 200 and how often the instance was called before; but first it does what the
/// second byte of the path asks for. The request is a record in memory, whose second field is the path. `cabi_realloc` hands out memory from the second page on, and never takes it back.
const HANDLE: &str = r#"
  (global $calls (mut i32) (i32.const 0))
  (global $free (mut i32) (i32.const 65536))
  (func (export "insomnia:scim/scim@1.0.0#handle")
    (param $request i32) (result i32)
    (local $verb i32)
    (local.set $verb (i32.load8_u offset=1 (i32.load offset=8 (local.get $request))))
    (if (i32.eq (local.get $verb) (i32.const 108)) ;; l: loop
      (then (loop $forever (br $forever))))
    (if (i32.eq (local.get $verb) (i32.const 109)) ;; m: memory
      (then (loop $more (drop (memory.grow (i32.const 16))) (br $more))))
    (if (i32.eq (local.get $verb) (i32.const 116)) ;; t: trap
      (then (unreachable)))
    (if (i32.eq (local.get $verb) (i32.const 115)) ;; s: seal, which waits for the host
      (then (call $seal (i32.const 0) (i32.const 1) (i32.const 64))))
    (if (i32.eq (local.get $verb) (i32.const 119)) ;; w: wrong status, 101
      (then (global.set $calls (i32.const -99))))
    (i32.store16 (i32.const 0) (i32.add (i32.const 200) (global.get $calls)))
    (i64.store (i32.const 4) (i64.const 0))
    (i64.store (i32.const 12) (i64.const 0))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (global.set $free (i32.const 65536))
    (i32.const 0))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $taken i32)
    (local.set $taken (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $taken) (local.get 3)))
    (local.get $taken))
)"#;

/// The component.
pub(crate) fn component() -> Vec<u8> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit")).unwrap();
    let world = resolve.select_world(&[package], Some("provisioner")).unwrap();
    let dummy = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    let replaced = ["(export \"insomnia:scim/scim@1.0.0#handle\"", "(export \"cabi_realloc\""];
    let text = wasmprinter::print_bytes(&dummy).unwrap();
    let text: String = text
        .lines()
        .filter(|line| !replaced.iter().any(|export| line.trim_start().starts_with(export)))
        .map(|line| match line.trim() {
            "(memory (;0;) 0)" => "(memory (;0;) 4)\n".to_owned(),
            import if import.contains("secrets@1.0.0\" \"seal\"") => line.replace("(func ", "(func $seal ") + "\n",
            _ => format!("{line}\n"),
        })
        .collect();
    let text = format!("{}{HANDLE}", text.trim_end().strip_suffix(')').unwrap());
    let mut module = wat::parse_str(&text).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}
