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
    with: {
        "insomnia:scim/directory-types": insomnia_scim_contract,
    },
});
