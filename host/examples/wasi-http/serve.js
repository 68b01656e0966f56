// A host of wasi:http in Node, for users who have none: `node serve.js COMPONENT DATA [ADDRESS:PORT]`.
//
// The component gets the folder DATA as /data, and the variables of this process that begin with INSOMNIA_SCIM_. One instance
// serves one request after another. After a fault there is a new instance. Several processes may serve one folder.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { transpileBytes } from "@bytecodealliance/jco-transpile";
import { types } from "@bytecodealliance/preview2-shim/filesystem";
import { HTTPServer } from "@bytecodealliance/preview2-shim/http";
import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";

const [component, data, listen = "127.0.0.1:8080"] = process.argv.slice(2);
if (data === undefined) {
  console.error("node serve.js COMPONENT DATA [ADDRESS:PORT]");
  process.exit(2);
}
// Emails contain passphrases, and WASI sets no modes of files.
process.umask(0o077);
mkdirSync(data, { recursive: true });

// Rust's library opens every file that it writes with the flag mutate-directory, which has no meaning for files. This release
// of the shim refuses the flag.
const { openAt } = types.Descriptor.prototype;
types.Descriptor.prototype.openAt = function (pathFlags, path, openFlags, flags) {
  return openAt.call(this, pathFlags, path, openFlags, { ...flags, mutateDirectory: false });
};

const { instantiate, modules } = await compile(component);
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith("INSOMNIA_SCIM_")));
const wasi = new WASIShim({ sandbox: { env, args: [], preopens: { "/data": data } } });
const imports = wasi.getImportObject();

let instance;
const server = new HTTPServer({
  handle(request, out) {
    instance ??= instantiate((name) => modules.get(name), imports);
    try {
      instance.incomingHandler.handle(request, out);
    } catch (error) {
      instance = undefined;
      throw error;
    }
  },
});
const [, address, port] = listen.match(/^(.*):(\d+)$/);
server.listen(Number(port), address);
console.log(`serving http://${address}:${server.address().port}`);

/** The component as JavaScript, and its modules, compiled. */
async function compile(path) {
  const { files } = await transpileBytes(readFileSync(path), {
    name: "scim",
    instantiation: "sync",
    outDir: "",
    emitTypescriptDeclarations: false,
  });
  const folder = mkdtempSync(join(tmpdir(), "wasi-http-"));
  try {
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    writeFileSync(join(folder, "scim.js"), files["scim.js"]);
    const { instantiate } = await import(pathToFileURL(join(folder, "scim.js")));
    const names = Object.keys(files).filter((name) => name.endsWith(".wasm"));
    const compiled = await Promise.all(names.map(async (name) => [name, await WebAssembly.compile(files[name])]));
    return { instantiate, modules: new Map(compiled) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
