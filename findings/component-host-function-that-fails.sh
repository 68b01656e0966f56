#!/usr/bin/env bash
# A host's function that fails with an exception doesn't give the component the error that WIT declares for it,
# neither in JavaScript nor in Python.
# A component asks its host through imports such as load: func() -> result<u32, string>, and is written to go on where
# a load fails. One would guess that "throw new Error(…)" and "raise" are how a host says so. With
# @bytecodealliance/jco-transpile 0.15.0 (npm) an Error goes past the component to whoever called it, unless it has a
# property "payload"; what is thrown without being an Error is the error, and one that is returned as { tag: 'err' }
# is too. A promise or a forgotten "return" is the number 0. wasmtime 50.0.1 (PyPI) passes the exception on as well
# and lets nobody call the instance again. There the bare text is the error of result<u32, string>, and Variant("err",
# …) is refused, whereas a result whose sides could be the same Python type, as that of "wipe", has to be a Variant,
# also where all went well. A provider that is embedded as a component should show a failing function of the host in
# its examples, and a host should run each failure once.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @bytecodealliance/jco-transpile@0.15.0
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'wasmtime==50.0.1'
cat >try.mjs <<'END'
import { readFileSync, writeFileSync } from 'node:fs';
import { transpile, writeFiles } from '@bytecodealliance/jco-transpile';
import { componentEmbed, componentNew, parse } from '@bytecodealliance/jco-transpile/wasm-tools';
const witSource = `package demo:host;
interface store { load: func() -> result<u32, string>; wipe: func() -> result; }
interface api { load: func() -> u32; wipe: func() -> u32; }
world demo { import store; export api; }`;
// The component gives its caller what it was given by the host: the number, or 1000 for an error.
const binary = await parse(`(module (import "demo:host/store" "load" (func $load (param i32))) (import "demo:host/store" "wipe" (func $wipe (result i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "demo:host/api#load") (result i32) (call $load (i32.const 64))
    (select (i32.const 1000) (i32.load (i32.const 68)) (i32.load8_u (i32.const 64))))
  (func (export "demo:host/api#wipe") (result i32) (i32.mul (i32.const 1000) (call $wipe))))`);
writeFileSync('demo.wasm', await componentNew(await componentEmbed({ binary, witSource })));
await writeFiles((await transpile('demo.wasm', { name: 'demo', outDir: 'out', instantiation: 'sync' })).files);
writeFileSync('out/package.json', '{"type":"module"}');
const { instantiate } = await import('./out/demo.js');
let act;
const { api } = instantiate((path) => new WebAssembly.Module(readFileSync(`out/${path}`)), { 'demo:host/store': { load: () => act(), wipe: () => act() } });
for (const [name, what, host] of [
  ['load', 'return 5', () => 5],
  ['load', "throw new Error('gone')", () => { throw new Error('gone'); }],
  ['load', "throw an Error with the payload 'gone'", () => { throw Object.assign(new Error('lost'), { payload: 'gone' }); }],
  ['load', "throw 'gone'", () => { throw 'gone'; }],
  ['load', "return { tag: 'err', val: 'gone' }", () => ({ tag: 'err', val: 'gone' })],
  ['load', 'return a promise of 5', async () => 5],
  ['load', 'return nothing', () => {}],
  ['wipe', 'return nothing', () => {}],
  ['wipe', "throw new Error('gone')", () => { throw new Error('gone'); }],
  ['wipe', 'throw undefined', () => { throw undefined; }],
  ['wipe', 'return false', () => false]]) {
  act = host;
  try { console.log('jco', name, what, '=>', api[name]()); }
  catch (error) { console.log('jco', name, what, 'throws', error.message); }
}
END
cat >try.py <<'END'
from wasmtime import Engine, Store, WasmtimeError
from wasmtime.component import Component, Linker, Variant
engine = Engine()
component = Component.from_file(engine, "demo.wasm")
def fail():
    raise OSError("gone")
for name, what, host, right in (("load", "return 5", lambda: 5, lambda: 5), ("load", "raise OSError", fail, lambda: 5),
                                ("load", "return 'gone'", lambda: "gone", lambda: 5),
                                ("load", "return Variant('err', 'gone')", lambda: Variant("err", "gone"), lambda: 5),
                                ("wipe", "return None", lambda: None, lambda: Variant("ok")),
                                ("wipe", "return Variant('ok')", lambda: Variant("ok"), lambda: Variant("ok")),
                                ("wipe", "return Variant('err')", lambda: Variant("err"), lambda: Variant("ok"))):
    act, store, linker = [host], Store(engine), Linker(engine)
    with linker.root() as root, root.add_instance("demo:host/store") as given:
        for each in ("load", "wipe"):
            given.add_func(each, lambda *_: act[0]())
    instance = linker.instantiate(store, component)
    function = instance.get_func(store, instance.get_export_index(store, name, instance.get_export_index(store, "demo:host/api")))
    seen = []
    for act[0] in (host, right):
        try:
            seen.append(f"=> {function(store)}")
        except (OSError, TypeError, ValueError) as error:
            seen.append(f"raises {type(error).__name__} {error}")
        except WasmtimeError as error:
            seen.append("can't be called: " + str(error).rsplit("trap: ", 1)[-1])
    print("wasmtime", name, what, seen[0] + ", the next call", seen[1])
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
jco load return 5 => 5
jco load throw new Error('gone') throws gone
jco load throw an Error with the payload 'gone' => 1000
jco load throw 'gone' => 1000
jco load return { tag: 'err', val: 'gone' } => 1000
jco load return a promise of 5 => 0
jco load return nothing => 0
jco wipe return nothing => 0
jco wipe throw new Error('gone') throws gone
jco wipe throw undefined => 1000
jco wipe return false => 0
wasmtime load return 5 => 5, the next call => 5
wasmtime load raise OSError raises OSError gone, the next call can't be called: cannot enter component instance
wasmtime load return 'gone' => 1000, the next call => 5
wasmtime load return Variant('err', 'gone') raises ValueError value not valid for this variant, the next call can't be called: cannot enter component instance
wasmtime wipe return None raises TypeError expected Variant type, the next call can't be called: cannot enter component instance
wasmtime wipe return Variant('ok') => 0, the next call => 0
wasmtime wipe return Variant('err') => 1000, the next call => 0
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
