// The HTTP server: `/scim/v2/ORGANIZATION/…` is the connector URL of an organization.
//
// It speaks plain HTTP. Put a proxy that ends TLS in front of it. In your backend, `serve` becomes a route.

import { randomBytes } from "node:crypto";
import { createServer } from "node:http";

const PREFIX = "/scim/v2/";
// The largest body that the component accepts.
const BODY_BYTES = 16 << 20;
// Larger bodies are read only from callers with a token.
const STRANGERS_BODY_BYTES = 64 << 10;

/** A request that never reaches the component. The status says why. */
class RequestRefused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** A server over these organizations, a `Map` by id. `baseUrl()` is what clients see before the prefix. */
export function server(organizations, baseUrl) {
  return createServer(async (request, response) => {
    const requestId = randomBytes(16).toString("hex");
    try {
      await serve(request, response, organizations, baseUrl(), requestId);
    } catch (error) {
      if (!(error instanceof RequestRefused)) console.error(`the request ${requestId} failed:`, error.message);
      const detail = error instanceof RequestRefused ? error.message : `Internal error of the request ${requestId}.`;
      refuse(response, error instanceof RequestRefused ? error.status : 500, detail);
      // The unread part of the body is still in the connection.
      if (!request.complete) response.once("finish", () => request.destroy());
    }
  });
}

async function serve(request, response, organizations, baseUrl, requestId) {
  const mark = request.url.indexOf("?");
  const path = mark < 0 ? request.url : request.url.slice(0, mark);
  const [, id, rest] = path.match(/^\/scim\/v2\/([^/]*)(.*)$/) ?? [];
  const organization = organizations.get(id);
  if (organization === undefined) throw new RequestRefused(404, "There is no such organization.");
  const answer = await organization.requests.call("scim", "handle", {
    method: request.method,
    path: rest,
    query: mark < 0 ? undefined : request.url.slice(mark + 1),
    headers: headers(request),
    body: await body(request, organization),
    baseUrl: `${baseUrl}${PREFIX}${id}`,
    requestId,
    senderAddress: request.socket.remoteAddress,
  });
  response.writeHead(answer.status, answer.headers.flat());
  response.end(answer.body);
}

function headers({ rawHeaders }) {
  const pairs = [];
  for (let at = 0; at < rawHeaders.length; at += 2) pairs.push([rawHeaders[at].toLowerCase(), rawHeaders[at + 1]]);
  return pairs;
}

/** The request's body. A large body is read only from a caller with a valid token. */
async function body(request, organization) {
  const chunks = [];
  let size = 0;
  let isAdmitted = false;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > BODY_BYTES) throw new RequestRefused(413, "The body is larger than 16 MiB.");
    if (size > STRANGERS_BODY_BYTES && !isAdmitted) {
      isAdmitted = await organization.requests.call("scim", "admits", request.headers.authorization);
      if (!isAdmitted) throw new RequestRefused(401, "The token is missing or not valid.");
    }
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function refuse(response, status, detail) {
  if (response.headersSent) return response.destroy();
  const error = { schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"], status: String(status), detail };
  response.writeHead(status, { "content-type": "application/scim+json" });
  response.end(JSON.stringify(error));
}
