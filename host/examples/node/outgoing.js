// The import `http`: one HTTPS request to a public address, with a deadline and a size limit.
//
// The address to which the connection goes is checked, not the name. So it does not matter if the name resolves to another
// address a moment later. Redirects are not followed, so none can lead to an unchecked address. The component gets the
// redirect as the response.

import { lookup } from "node:dns";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { BlockList, isIP } from "node:net";

import { Refusal } from "./refusal.js";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const MILLISECONDS = 30_000;
const RESPONSE_BYTES = 1 << 20;

// Networks that are not public: those of the special-purpose registries of RFC 6890, and multicast.
const NOT_PUBLIC = new BlockList();
for (const network of [
  "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
  "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
  "224.0.0.0/3",
]) {
  const [address, prefix] = network.split("/");
  NOT_PUBLIC.addSubnet(address, Number(prefix), "ipv4");
}

/** Sends requests. `private` permits `http:` and addresses that are not public, for tests on one machine. */
export class Outgoing {
  constructor({ private: permitsPrivate = false } = {}) {
    this.permitsPrivate = permitsPrivate;
  }

  /** Sends the request and reads the whole response, of whatever status. */
  async send({ method, url, headers, body, timeoutMilliseconds }) {
    const target = URL.parse(url);
    if (!METHODS.includes(method) || !["https:", "http:"].includes(target?.protocol)) {
      throw new Refusal("invalid", "the method or the URL");
    }
    if (target.protocol === "http:" && !this.permitsPrivate) throw new Refusal("not-allowed", "only https is permitted");
    const host = target.hostname.replace(/^\[|\]$/g, "");
    // An address in the URL is not looked up, so `lookup` below never sees it.
    if (isIP(host) && !this.#permits(host)) throw new Refusal("not-allowed", `${host} is not public`);
    const send = target.protocol === "https:" ? requestHttps : requestHttp;
    const { promise, resolve, reject } = Promise.withResolvers();
    try {
      const request = send(target, {
        method,
        headers: Object.fromEntries(headers),
        lookup: (name, options, found) => this.#lookup(name, options, found),
        agent: false,
        signal: AbortSignal.timeout(Math.min(MILLISECONDS, timeoutMilliseconds ?? MILLISECONDS)),
      });
      request.once("response", (response) => read(response).then(resolve, reject)).once("error", reject);
      request.end(body);
      return await promise;
    } catch (error) {
      throw translate(error);
    }
  }

  #lookup(name, options, found) {
    lookup(name, { ...options, all: true }, (error, addresses) => {
      const forbidden = addresses?.find(({ address }) => !this.#permits(address));
      if (forbidden) error = new Refusal("not-allowed", `${forbidden.address} is not public`);
      if (error) found(error);
      else if (options.all) found(null, addresses);
      else found(null, addresses[0].address, addresses[0].family);
    });
  }

  #permits(address) {
    return this.permitsPrivate || isPublic(address);
  }
}

/** Whether the address belongs to the public internet. */
export function isPublic(address) {
  if (isIP(address) === 4) return !NOT_PUBLIC.check(address, "ipv4");
  // In IPv6, 2000::/3 is public, except 2001:db8::/32 for documentation and networks that embed or tunnel IPv4 addresses.
  const special = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];
  const inside = (network) => {
    const list = new BlockList();
    const [start, prefix] = network.split("/");
    list.addSubnet(start, Number(prefix), "ipv6");
    return list.check(address, "ipv6");
  };
  return inside("2000::/3") && !special.some(inside);
}

async function read(response) {
  const chunks = [];
  let size = 0;
  for await (const chunk of response) {
    size += chunk.length;
    if (size > RESPONSE_BYTES) throw new Refusal("too-large");
    chunks.push(chunk);
  }
  const headers = [];
  for (let at = 0; at < response.rawHeaders.length; at += 2) {
    headers.push([response.rawHeaders[at].toLowerCase(), response.rawHeaders[at + 1]]);
  }
  return { status: response.statusCode, headers, body: new Uint8Array(Buffer.concat(chunks)) };
}

function translate(error) {
  if (error instanceof Refusal) return error;
  if (error.name === "AbortError" || error.name === "TimeoutError") return new Refusal("timeout");
  if (error.code?.startsWith("ERR_")) return new Refusal("invalid", error.message);
  return new Refusal("unreachable", error.message);
}
