// The demo organization: the data that a backend tells the component about one of its customers.

/** The actor of a change. This backend authenticates nobody: it acts as the operator or for the owner. */
export function act(tag) {
  return { actor: { tag }, source: { face: "backend", address: undefined, credential: undefined, requestId: undefined, traceparent: undefined } };
}

/** Tells the component the organization's data, adds its owner, and enables SCIM. Returns the token. */
export async function createDemo(organization, seats) {
  await organization.requests.call("directory", "putOrganization", act("operator"), {
    name: "Acme",
    plan: "enterprise",
    seats,
    domains: [{ name: "acme.example", verified: true }],
    singleSignOn: "okta",
    options: "{}",
  });
  await organization.requests.call("directory", "addMember", act("operator"), {
    email: "owner@acme.example",
    displayName: "Olive Owner",
    role: "owner",
    passphrase: undefined,
  });
  const { token } = await organization.requests.call("connector", "enable", act("owner"), { tag: "okta" }, "days90");
  return token;
}

/** Issues a new token; the old one stops at once. The operator needs no passphrase. */
export async function replaceToken(organization) {
  const issued = await organization.requests.call("connector", "refresh", act("operator"), undefined, undefined, 0);
  return issued.token;
}
