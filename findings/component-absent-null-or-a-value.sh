#!/usr/bin/env bash
# A merge patch's "absent, null or a value", written in WIT as option<option<u32>>, is none of the three in JavaScript
# and Python: a caller has to build tagged values, and may leave nothing out.
# One would guess that undefined or a missing field is the outer "none", null the inner one and 5 the value, as an
# option<u32> takes undefined and 5. @bytecodealliance/jco-transpile 0.15.0 (npm) wants { tag: 'none' } even for "not
# given" and fails with a TypeError about "tag" at undefined, null and a missing field; wasmtime 50.0.1 (PyPI) refuses
# None and 5 for a Variant. An inner "none" comes back as { tag: 'some', val: undefined }, which JSON.stringify makes
# the same as a val that is missing. A provider that is embedded as a component should have changes as a variant with
# names for the three cases (keep, reset, set), which both check by name, or a list of the fields that change.
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
  record change { limit: option<option<u32>> }
  variant way { keep, reset, set(u32) }
  once: func(limit: option<u32>) -> u32;
  patch: func(change: change) -> u32;
  named: func(limit: way) -> u32;
  give: func() -> option<option<u32>>;
}
world demo { export api; }`;
const sum = (name) => `(func (export "demo:host/api#${name}") (param i32 i32) (result i32) (i32.add (i32.mul (local.get 0) (i32.const 10)) (local.get 1)))`;
const binary = await parse(`(module (memory (export "memory") 1) (data (i32.const 64) "\\01") ${sum('once')} ${sum('named')}
  (func (export "demo:host/api#give") (result i32) (i32.const 64))
  (func (export "demo:host/api#patch") (param i32 i32 i32) (result i32)
    (i32.add (i32.add (i32.mul (local.get 0) (i32.const 100)) (i32.mul (local.get 1) (i32.const 10))) (local.get 2))))`);
writeFileSync('demo.wasm', await componentNew(await componentEmbed({ binary, witSource })));
await writeFiles((await transpile('demo.wasm', { name: 'demo', outDir: 'out' })).files);
writeFileSync('out/package.json', '{"type":"module"}');
const { api } = await import('./out/demo.js');
for (const [name, value] of [['once', undefined], ['once', null], ['once', 5], ['patch', {}], ['patch', { limit: null }], ['patch', { limit: 5 }],
  ['patch', { limit: { tag: 'none' } }], ['patch', { limit: { tag: 'some', val: null } }], ['patch', { limit: { tag: 'some', val: 5 } }],
  ['named', { tag: 'reset' }], ['named', { tag: 'set', val: 5 }]])
  try { console.log('jco', name, inspect(value), '=>', api[name](value)); }
  catch (error) { console.log('jco', name, inspect(value), 'refused:', error.constructor.name); }
console.log('jco gives', inspect(api.give()), 'as JSON', JSON.stringify(api.give()));
END
cat >try.py <<'END'
from wasmtime import Engine, Store
from wasmtime.component import Component, Linker, Record, Variant
engine = Engine()
component = Component.from_file(engine, "demo.wasm")
def call(name, *values):
    store = Store(engine)
    instance = Linker(engine).instantiate(store, component)
    return instance.get_func(store, instance.get_export_index(store, name, instance.get_export_index(store, "demo:host/api")))(store, *values)
for value in (None, 5, Variant("none"), Variant("some", None), Variant("some", 5)):
    change = Record()
    change.limit = value
    try:
        print("wasmtime patch", value, "=>", call("patch", change))
    except TypeError as error:
        print("wasmtime patch", value, "refused:", error)
print("wasmtime once", None, "=>", call("once", None), "and it gives", call("give"))
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
jco once undefined => 0
jco once null => 0
jco once 5 => 15
jco patch {} refused: TypeError
jco patch { limit: null } refused: TypeError
jco patch { limit: 5 } refused: TypeError
jco patch { limit: { tag: 'none' } } => 0
jco patch { limit: { tag: 'some', val: null } } => 100
jco patch { limit: { tag: 'some', val: 5 } } => 115
jco named { tag: 'reset' } => 10
jco named { tag: 'set', val: 5 } => 25
jco gives { tag: 'some', val: undefined } as JSON {"tag":"some"}
wasmtime patch None refused: expected Variant type
wasmtime patch 5 refused: expected Variant type
wasmtime patch Variant(tag='none', payload=None) => 0
wasmtime patch Variant(tag='some', payload=None) => 100
wasmtime patch Variant(tag='some', payload=5) => 115
wasmtime once None => 0 and it gives Variant(tag='some', payload=None)
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
