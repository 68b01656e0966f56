// The import `email`: each message becomes a file in a folder, named by its id. A real host passes it to its mail system
// instead. A message whose id comes again is the same message.

import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Refusal } from "./refusal.js";

const ID = /^[A-Za-z0-9._-]{1,200}$/;

/** Writes messages of one organization. */
export class MailFolder {
  constructor(folder, sender = "insomnia@localhost") {
    this.folder = folder;
    this.sender = sender;
    mkdirSync(folder, { recursive: true });
  }

  /** Writes the message. The file is written as a whole or not at all. */
  send({ id, date, to, subject, text, html }) {
    if (!ID.test(id)) throw new Refusal("rejected", "the message's id is not fit for a file's name");
    if (/[\r\n]/.test(to)) throw new Refusal("rejected", "the recipient is no address");
    const boundary = `=_${id}`;
    const letter = [
      `From: ${this.sender}`,
      `To: ${to}`,
      `Subject: ${encodedWords(subject)}`,
      `Message-ID: <${id}@localhost>`,
      `Date: ${new Date(Number(date)).toUTCString().replace("GMT", "+0000")}`,
      "MIME-Version: 1.0",
      `Content-Type: multipart/alternative; boundary="${boundary}"`,
      "",
      ...part(boundary, "text/plain", text),
      ...part(boundary, "text/html", html),
      `--${boundary}--`,
      "",
    ];
    const unfinished = join(this.folder, `${id}.unfinished`);
    writeFileSync(unfinished, letter.join("\r\n"));
    renameSync(unfinished, join(this.folder, `${id}.eml`));
  }
}

function part(boundary, type, content) {
  const lines = Buffer.from(content).toString("base64").match(/.{1,76}/g) ?? [];
  return [`--${boundary}`, `Content-Type: ${type}; charset=utf-8`, "Content-Transfer-Encoding: base64", "", ...lines];
}

/** A header's text by RFC 2047, in words of whole characters. */
function encodedWords(text) {
  const words = [""];
  for (const character of text) {
    if (Buffer.byteLength(words.at(-1) + character) > 42) words.push("");
    words[words.length - 1] += character;
  }
  return words.map((word) => `=?utf-8?B?${Buffer.from(word).toString("base64")}?=`).join("\r\n ");
}
