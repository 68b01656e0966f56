//! SCIM provisioning as one component that any host of `wasi:http` can serve.
//!
//! The component of this repository imports a storage, secrets, email and HTTP, and exports functions. Three more components
//! (`components/`) make a server of it, and [`compose`](mod@compose) connects the four:
//!
//! - `storage` stores one organization in a folder, over `wasi:filesystem`;
//! - `capabilities` provides secrets, email and outgoing requests;
//! - `adapter` exports `wasi:http/incoming-handler` and calls the component.
//!
//! # The storage
//!
//! A host of `wasi:http` makes a new instance for each request, and many at once, all over one folder. WASI 0.2 has neither
//! locks of files nor shared memory. So embedded databases such as SQLite can't keep these instances apart: their locks do not
//! exist here, and a lock in a file would stay behind after a crash. But WASI has one step that succeeds for only one of many:
//! making a link (`link-at`) fails if the name is taken. So each commit is a file of its own, which is written as a whole,
//! forced to the disk and then linked to the next number. An instance that is late reads the commit that was faster, checks
//! the conditions again, and tries the next number. No instance waits for another, and a crash leaves either a whole commit or
//! none.
//!
//! ```text
//! current            the number of the newest epoch; a hint, which may be one too low
//! epoch-7/table      all items as they were when the epoch began, sorted; never changed
//! epoch-7/1, 2, …    the commits since then; the last one says that it is the last
//! epoch-8/table      made of the table and the commits of epoch 7, by whoever comes first
//! ```
//!
//! The folder of an epoch is removed an hour after the epoch is over, and an instance looks for the newest epoch again after
//! ten minutes. So a commit could be lost only if an instance stood still for 50 minutes in the middle of it.

mod bounds;
mod bytes;
mod commit;
#[cfg(not(target_family = "wasm"))]
pub mod compose;
mod files;
mod folder;
mod merge;
mod table;
mod times;
mod view;

pub use folder::Folder;
pub use times::{Claim, LONGEST_PAUSE};
