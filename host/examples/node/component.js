// The component as JavaScript. jco writes it as core modules and the glue around them, which are compiled once.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Where the build of this repository leaves the component. */
export const COMPONENT = fileURLToPath(
  new URL("../../../target/guest/wasm32-wasip2/guest/insomnia_scim_guest.wasm", import.meta.url),
);
// The release of jco-transpile in package.json, and the options below. Other ones write other code, so this is a part of the
// cache's key.
const TRANSPILER = "0.15.0 wrapped errors";
const NAME = "scim";

/**
 * Returns the parts from which a thread makes an instance: the URL of the glue, and the compiled modules by name. Transpiling
 * takes some seconds, so the result is kept in `cache` by the component's hash.
 */
export async function compile(path, cache) {
  const bytes = readFileSync(path);
  const hash = createHash("sha256").update(`${TRANSPILER} ${process.version} `).update(bytes).digest("hex");
  const folder = join(cache, hash.slice(0, 32));
  if (!existsSync(folder)) await transpileInto(folder, bytes);
  const names = JSON.parse(readFileSync(join(folder, "modules.json"), "utf8"));
  const modules = await Promise.all(
    names.map(async (name) => [name, await WebAssembly.compile(readFileSync(join(folder, name)))]),
  );
  return { glue: pathToFileURL(join(folder, `${NAME}.js`)).href, modules: new Map(modules) };
}

async function transpileInto(folder, bytes) {
  // Only the first start needs the transpiler.
  const { transpileBytes } = await import("@bytecodealliance/jco-transpile");
  const { files } = await transpileBytes(bytes, {
    name: NAME,
    // Each instance is made with the imports of its organization.
    instantiation: "async",
    // The error of a result is thrown with its value as `payload`, which distinguishes it from a trap.
    noComponentErrorWrapping: false,
    outDir: "",
    emitTypescriptDeclarations: false,
  });
  mkdirSync(dirname(folder), { recursive: true });
  const unfinished = mkdtempSync(`${folder}-`);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(unfinished, name), content);
  writeFileSync(join(unfinished, "package.json"), '{"type":"module"}');
  const modules = Object.keys(files).filter((name) => name.endsWith(".wasm"));
  writeFileSync(join(unfinished, "modules.json"), JSON.stringify(modules));
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true });
    // Another host may have been faster.
    if (!existsSync(folder)) throw error;
  }
}
