#!/usr/bin/env bash
# A component's function called from JavaScript takes text where bytes are expected, as an empty list, and a
# missing field as zero, both without an error.
# The Component Model is typed, and one would guess that the bindings of @bytecodealliance/jco-transpile 0.15.0
# (npm) refuse a value of another type. They do for text, for an enum and for the items of a list that is given as
# an array. But a string given as list<u8> has no byteLength and arrives empty, so that a SCIM request whose body
# is JSON.stringify(…) has no body. A field that is absent or misspelt becomes 0 or false, so that a limit which
# was forgotten is 0, and the text "false" becomes true. The generated TypeScript finds these; a caller in
# JavaScript, or one that passes on parsed JSON, has to look for itself. wasmtime 50.0.1 (PyPI) refuses all of
# these, and like jco it takes a single integer that is too large: 300 as u8 is 44.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund @bytecodealliance/jco-transpile@0.15.0
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'wasmtime==50.0.1'
cat >try.mjs <<'END'
import { writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { transpile, writeFiles } from '@bytecodealliance/jco-transpile';
import { componentEmbed, componentNew, parse } from '@bytecodealliance/jco-transpile/wasm-tools';
const witSource = `package demo:host;
interface api {
  record plan { seats: u32, strict: bool }
  enum kind { user, group }
  bytes: func(body: list<u8>) -> u32;
  text: func(body: string) -> u32;
  sort: func(kind: kind) -> u32;
  small: func(number: u8) -> u32;
  seats: func(plan: plan) -> u32;
  strict: func(plan: plan) -> u32;
}
world demo { export api; }`;
const take = (name, which, ...types) => `(func (export "demo:host/api#${name}") (param ${types.join(' ')}) (result i32) (local.get ${which}))`;
const binary = await parse(`(module (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  ${take('bytes', 1, 'i32', 'i32')} ${take('text', 1, 'i32', 'i32')} ${take('sort', 0, 'i32')} ${take('small', 0, 'i32')}
  ${take('seats', 0, 'i32', 'i32')} ${take('strict', 1, 'i32', 'i32')})`);
writeFileSync('demo.wasm', await componentNew(await componentEmbed({ binary, witSource })));
await writeFiles((await transpile('demo.wasm', { name: 'demo', outDir: 'out' })).files);
writeFileSync('out/package.json', '{"type":"module"}');
const { api } = await import('./out/demo.js');
for (const [name, value] of [['bytes', Buffer.from('{"a":1}')], ['bytes', '{"a":1}'], ['bytes', [300]], ['text', 7], ['sort', 'Group'],
  ['small', 300], ['seats', { seats: 5, strict: true }], ['seats', { seat: 5, strict: true }], ['strict', { seats: 5 }], ['strict', { seats: 5, strict: 'false' }]])
  try { console.log('jco', name, inspect(value), '=>', api[name](value)); }
  catch (error) { console.log('jco', name, inspect(value), 'refused:', error.message); }
END
cat >try.py <<'END'
from wasmtime import Engine, Store
from wasmtime.component import Component, Linker, Record
engine = Engine()
component = Component.from_file(engine, "demo.wasm")
def record(**fields):
    made = Record()
    made.__dict__.update(fields)
    return made
for name, value in (("bytes", b"{}"), ("bytes", "{}"), ("text", 7), ("small", 300), ("small", -1), ("seats", record(seats=5, strict=True)),
                    ("seats", record(strict=True)), ("strict", record(seats=5, strict="false"))):
    store = Store(engine)
    instance = Linker(engine).instantiate(store, component)
    function = instance.get_func(store, instance.get_export_index(store, name, instance.get_export_index(store, "demo:host/api")))
    shown = vars(value) if isinstance(value, Record) else repr(value)
    try:
        print("wasmtime", name, shown, "=>", function(store, value))
    except (AttributeError, TypeError) as error:
        print("wasmtime", name, shown, "refused:", error)
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
jco bytes <Buffer 7b 22 61 22 3a 31 7d> => 7
jco bytes '{"a":1}' => 0
jco bytes [ 300 ] refused: invalid u8 value [300]
jco text 7 refused: expected a string, received [number]
jco sort 'Group' refused: "Group" is not one of the cases of kind
jco small 300 => 44
jco seats { seats: 5, strict: true } => 5
jco seats { seat: 5, strict: true } => 0
jco strict { seats: 5 } => 0
jco strict { seats: 5, strict: 'false' } => 1
wasmtime bytes b'{}' => 2
wasmtime bytes '{}' refused: expected bytes value
wasmtime text 7 refused: expected string type
wasmtime small 300 => 44
wasmtime small -1 => 255
wasmtime seats {'seats': 5, 'strict': True} => 5
wasmtime seats {'strict': True} refused: 'Record' object has no attribute 'seats'
wasmtime strict {'seats': 5, 'strict': 'false'} refused: expected bool for Bool type
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
