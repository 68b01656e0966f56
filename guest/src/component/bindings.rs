//! What wit-bindgen generates from `wit/`: the one place where wasm needs `unsafe`.

#![expect(unsafe_code, reason = "the generated glue passes memory between the component and its host")]
#![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]

wit_bindgen::generate!({
    world: "provisioner",
    path: "../wit",
    with: {
        "insomnia:scim/directory-types@1.0.0/decision": insomnia_scim_contract::Decision,
        "insomnia:scim/directory-types@1.0.0/guard": insomnia_scim_contract::Guard,
        "insomnia:scim/directory-types@1.0.0/guard-status": insomnia_scim_contract::GuardStatus,
        "insomnia:scim/directory-types@1.0.0/held-removal": insomnia_scim_contract::HeldRemoval,
        "insomnia:scim/directory-types@1.0.0/removal": insomnia_scim_contract::Removal,
    },
});

export!(Component with_types_in self);

use super::Component;
