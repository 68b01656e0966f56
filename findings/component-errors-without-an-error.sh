#!/usr/bin/env bash
# A component's function that fails throws a value that is no Error in JavaScript, and throws nothing in Python.
# WIT has result<ok, err>. For JavaScript one would guess an exception of the class ComponentError whose "payload"
# is the error, as in the code that @bytecodealliance/jco-transpile 0.15.0 (npm) itself consists of. What it makes
# throws the bare value: a string for an enum, a number, a plain object, and "undefined" for a result without an
# error type, so that error.message in the handler is itself a TypeError. Its .d.ts declares the ok type and no
# exception. wasmtime 50.0.1 (PyPI) returns the error like any value, with a tag only where both sides could be
# the same Python type: the error of result<u32, enum> is its bare name, that of result<u32> is None. A provider
# that is embedded as a component should make each error a variant or a record, at least an object in JavaScript,
# and show in its examples how to tell the two sides apart in Python.
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
interface api {
  enum reason { conflict, not-found }
  variant cause { not-found, other(u32) }
  by-none: func() -> result<u32>;
  by-number: func() -> result<u32, u32>;
  by-enum: func() -> result<u32, reason>;
  by-variant: func() -> result<u32, cause>;
}
world demo { export api; }`;
const fail = (name) => `(func (export "demo:host/api#${name}") (result i32) (i32.const 64))`;
const binary = await parse(`(module (memory (export "memory") 1)
  (data (i32.const 64) "\\01\\00\\00\\00\\01\\00\\00\\00\\07\\00\\00\\00")
  ${['by-none', 'by-number', 'by-enum', 'by-variant'].map(fail).join('\n')})`);
writeFileSync('demo.wasm', await componentNew(await componentEmbed({ binary, witSource })));
await writeFiles((await transpile('demo.wasm', { name: 'demo', outDir: 'out' })).files);
writeFileSync('out/package.json', '{"type":"module"}');
const { api } = await import('./out/demo.js');
for (const name of ['byNone', 'byNumber', 'byEnum', 'byVariant'])
  try { api[name](); }
  catch (thrown) { console.log('jco', name, 'throws', typeof thrown, JSON.stringify(thrown), 'an Error:', thrown instanceof Error); }
console.log('jco', readFileSync('out/interfaces/demo-host-api.d.ts', 'utf8').match(/.*byEnum.*/)[0]);
END
cat >try.py <<'END'
from wasmtime import Engine, Store
from wasmtime.component import Component, Linker
engine = Engine()
store = Store(engine)
instance = Linker(engine).instantiate(store, Component.from_file(engine, "demo.wasm"))
api = instance.get_export_index(store, "demo:host/api")
for name in ("by-none", "by-number", "by-enum", "by-variant"):
    print("wasmtime", name, "returns", repr(instance.get_func(store, instance.get_export_index(store, name, api))(store)))
END
node try.mjs >seen
venv/bin/python try.py >>seen
cat >expected <<'END'
jco byNone throws undefined undefined an Error: false
jco byNumber throws number 1 an Error: false
jco byEnum throws string "not-found" an Error: false
jco byVariant throws object {"tag":"other","val":7} an Error: false
jco export function byEnum(): number;
wasmtime by-none returns None
wasmtime by-number returns Variant(tag='err', payload=1)
wasmtime by-enum returns 'not-found'
wasmtime by-variant returns Variant(tag='err', payload=7)
END
diff -u expected seen && echo "unchanged: $(basename "$0")"
