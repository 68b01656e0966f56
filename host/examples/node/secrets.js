// The import `secrets`: encryption at rest, by AES-256-GCM with a key of the host.
//
// A sealed text consists of a byte that names this form, a nonce of 12 bytes, the encrypted text, and a tag of 16 bytes. The
// organization's id is authenticated with it, so a text that was sealed for one organization can't be opened for another.

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

import { Refusal } from "./refusal.js";

const ALGORITHM = "aes-256-gcm";
const FORM = 1;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Seals and opens for one organization. */
export class Secrets {
  constructor(key, organization) {
    this.key = key;
    this.organization = Buffer.from(organization);
  }

  /** Encrypts and authenticates, under a new random nonce. */
  seal(plain) {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.key, nonce, { authTagLength: TAG_BYTES }).setAAD(this.organization);
    const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
    return new Uint8Array(Buffer.concat([Buffer.of(FORM), nonce, encrypted, cipher.getAuthTag()]));
  }

  /** Undoes `seal`. */
  open(sealed) {
    if (sealed[0] !== FORM || sealed.length < 1 + NONCE_BYTES + TAG_BYTES) throw new Refusal("not-authentic");
    const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
    const encrypted = sealed.subarray(1 + NONCE_BYTES, -TAG_BYTES);
    const decipher = createDecipheriv(ALGORITHM, this.key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(this.organization).setAuthTag(sealed.subarray(-TAG_BYTES));
    try {
      return new Uint8Array(Buffer.concat([decipher.update(encrypted), decipher.final()]));
    } catch {
      throw new Refusal("not-authentic");
    }
  }
}

/**
 * Reads the key in the file, which is created at the first start. In production, keep it in a key management service, and
 * never on the disk with the data.
 */
export function loadKey(path) {
  try {
    writeFileSync(path, randomBytes(KEY_BYTES), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  const key = readFileSync(path);
  if (key.length !== KEY_BYTES) throw new Error(`${path} is no key of ${KEY_BYTES} bytes`);
  return key;
}
