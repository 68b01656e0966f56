// An instance of the component, bound to one organization's imports.

import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";

import { Refusal } from "./refusal.js";

// The release of the contract that this host serves.
const VERSION = "1.0.0";

// On a Node without this function, jco's glue waits 150 milliseconds for it in each instance. Nothing here is asynchronous.
WebAssembly.promising ??= (exported) => exported;

/** An export refused a call: a case of the WIT's `action-error`. */
export class ActionRefused extends Error {
  constructor({ tag, val }) {
    super(val === undefined ? tag : `${tag}: ${JSON.stringify(val)}`);
    this.payload = { tag, val };
  }
}

/** Serves one call at a time. After any exception but `ActionRefused` it must not be used again. */
export class Instance {
  /** `imports` has the functions of each interface. */
  static async create({ glue, modules }, imports) {
    const { instantiate } = await import(glue);
    // There are no arguments, no environment and no files. Only faults are written, to the host's stderr.
    const wasi = new WASIShim({ sandbox: { env: {}, args: [], preopens: {}, enableNetwork: false } });
    // jco's glue looks up imports by their names without the version.
    const own = Object.entries(imports).map(([name, functions]) => [`insomnia:scim/${name}`, guarded(name, functions)]);
    const exports = await instantiate((name) => modules.get(name), {
      ...wasi.getImportObject(),
      ...Object.fromEntries(own),
    });
    return new Instance(exports);
  }

  constructor(exports) {
    this.exports = exports;
  }

  /** Calls an export. Names are jco's: the function `run-due` is `runDue`. */
  call(name, functionName, ...parameters) {
    const exported = this.exports[`insomnia:scim/${name}@${VERSION}`]?.[functionName];
    if (exported === undefined) throw new Error(`the component has no ${name}.${functionName} of version ${VERSION}`);
    try {
      return exported(...parameters);
    } catch (error) {
      // The error of a result has a payload. Everything else is a trap.
      if (error !== null && typeof error === "object" && Object.hasOwn(error, "payload")) {
        throw new ActionRefused(error.payload);
      }
      throw error;
    }
  }
}

/** The imports as the component calls them. A refusal is returned as a value, and any other fault as `other`. */
function guarded(name, functions) {
  const entries = Object.entries(functions).map(([functionName, work]) => [
    functionName,
    (...parameters) => {
      try {
        return work(...parameters);
      } catch (error) {
        if (error instanceof Refusal) throw error;
        console.error(`the import ${name}.${functionName} failed:`, error);
        throw new Refusal("other", String(error));
      }
    },
  ]);
  return Object.fromEntries(entries);
}
