//! What `wasmtime::component::bindgen!` makes of `wit/`: the traits that the host implements and the calls it makes.
#![allow(
    clippy::all,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    reason = "generated code; the interfaces are documented in wit/"
)]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "provisioner",
    // Plain functions to the guest; the host suspends the guest's stack while it waits.
    imports: { default: async },
    exports: { default: async },
    // The types of the contract; wasmtime makes the calls and the imports only.
    with: {
        "insomnia:scim/types": insomnia_scim_contract,
        "insomnia:scim/scim-types": insomnia_scim_contract,
        "insomnia:scim/connector-types": insomnia_scim_contract,
        "insomnia:scim/directory-types": insomnia_scim_contract,
        "insomnia:scim/journal-types": insomnia_scim_contract,
        "insomnia:scim/jobs-types": insomnia_scim_contract,
        "insomnia:scim/oauth-types": insomnia_scim_contract,
        "insomnia:scim/overview-types": insomnia_scim_contract,
        "insomnia:scim/schemas-types": insomnia_scim_contract,
        "insomnia:scim/streams-types": insomnia_scim_contract,
    },
});
