//! Fuzzes `oauth`: see the function that it calls.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| insomnia_scim_guest_fuzz::oauth::check(data));
