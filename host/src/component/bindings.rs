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
        "insomnia:scim/storage-types": storage_types,
        "insomnia:scim/streams-types": insomnia_scim_contract,
    },
});

/// What `bindgen!` asks of an interface that is imported. This one has types only, so there is nothing to implement and nothing
/// to link.
#[allow(dead_code, reason = "used by what is generated for the whole world, which nothing here calls")]
pub mod storage_types {
    pub use insomnia_scim_contract::*;
    use wasmtime::component::{HasData, Linker};

    pub trait HostWithStore<T>: HasData {}

    impl<T, D: HasData + ?Sized> HostWithStore<T> for D {}

    pub trait Host {}

    impl<H: ?Sized> Host for H {}

    pub fn add_to_linker<T, D: HostWithStore<T>>(
        _: &mut Linker<T>,
        _: fn(&mut T) -> D::Data<'_>,
    ) -> wasmtime::Result<()>
    where
        T: 'static,
    {
        Ok(())
    }
}
