//! The code that `wasmtime::component::bindgen!` generates from `wit/`: the traits that the host implements and the
//! calls that it makes.
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
    // Imports are plain functions for the guest. The host suspends the guest's stack while it waits.
    imports: { default: async },
    exports: { default: async },
    // The types come from the contract's crate; wasmtime only generates the calls and the imports.
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

/// The module that `bindgen!` requires for an imported interface. This interface only has types, so there is nothing to
/// implement or to link.
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
