//! What wit-bindgen generates from `wit/`: the one place where wasm needs `unsafe`.

#![expect(unsafe_code, reason = "the generated glue passes memory between the component and its host")]
#![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]

wit_bindgen::generate!({
    world: "provisioner",
    path: "../wit",
});

export!(Component with_types_in self);

use super::Component;
