// SCIM for Insomnia in a host written in JavaScript: `npm start` makes a demo organization and serves it.
//
// It prints the connector URL and the token, which is shown only once. README.md beside this file explains each module.

import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { COMPONENT, compile } from "./component.js";
import { createDemo, replaceToken } from "./demo.js";
import { Jobs } from "./jobs.js";
import { Organization } from "./organization.js";
import { Outgoing } from "./outgoing.js";
import { loadKey } from "./secrets.js";
import { server } from "./server.js";

const DEMO = "acme";
const HELP = `Serve a demo organization over SCIM: npm start -- [OPTIONS]

  --component FILE   the component; 'make run' at the top builds it
  --data FOLDER      where the database, the key, emails and the transpiled component are; ./data
  --listen ADDRESS   address and port, 127.0.0.1:8080; port 0 takes a free one
  --base-url URL     what clients see before /scim/v2/…, if a proxy stands in front
  --new-token        replace the token, which is shown only once
  --private-network  webhooks may go to addresses that are not public`;

async function main() {
  const { values: options } = parseArgs({
    options: {
      component: { type: "string", default: COMPONENT },
      data: { type: "string", default: "data" },
      listen: { type: "string", default: "127.0.0.1:8080" },
      "base-url": { type: "string" },
      "new-token": { type: "boolean", default: false },
      "private-network": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (options.help) return console.log(HELP);
  if (!existsSync(options.component)) {
    throw new Error(`${options.component} is not there: build it with 'make run' at the top, or name another --component`);
  }
  mkdirSync(options.data, { recursive: true });
  const host = {
    compiled: await compile(options.component, join(options.data, "component")),
    data: options.data,
    database: join(options.data, "host.db"),
    key: loadKey(join(options.data, "secrets.key")),
    outgoing: new Outgoing({ private: options["private-network"] }),
  };
  const acme = new Organization(host, DEMO);
  const organizations = new Map([[acme.id, acme]]);

  let token;
  const known = await acme.requests.call("directory", "getOrganization");
  if (known === undefined) token = await createDemo(acme, 50);
  else if (options["new-token"]) token = await replaceToken(acme);

  const [, address, port] = options.listen.match(/^(.*):(\d+)$/);
  let baseUrl = options["base-url"];
  const listener = server(organizations, () => baseUrl);
  listener.listen(Number(port), address);
  await once(listener, "listening");
  baseUrl ??= `http://${address}:${listener.address().port}`;
  const jobs = new Jobs(host.database, organizations);
  jobs.start();
  console.log(`Connector URL: ${baseUrl}/scim/v2/${acme.id}`);
  console.log(`Token: ${token ?? "was shown at the first start; --new-token replaces it"}`);

  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  listener.close();
  await jobs.end();
  await acme.close();
  listener.closeAllConnections();
}

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
