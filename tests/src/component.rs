//! The component as a file.

use std::env;
use std::path::PathBuf;

/// The component that the build of the host has made, or the prebuilt one that was named to the build.
///
/// # Panics
/// If the file is absent.
#[must_use]
pub fn built() -> PathBuf {
    if let Some(prebuilt) = option_env!("INSOMNIA_SCIM_PREBUILT_COMPONENT") {
        return PathBuf::from(prebuilt);
    }
    // The tests are in `<target>/<profile>/deps`.
    let tests = env::current_exe().expect("the tests are a program");
    let target = tests.ancestors().nth(3).expect("the tests are in a target directory");
    let component = target.join("guest/wasm32-wasip2/guest/insomnia_scim_guest.wasm");
    assert!(component.is_file(), "{} is not there", component.display());
    component
}
