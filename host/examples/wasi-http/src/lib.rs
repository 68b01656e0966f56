//! SCIM provisioning as one component that any host of `wasi:http` can serve.
//!
//! The component of this repository imports a storage, secrets, email and HTTP, and exports functions. This package has what
//! makes a server of it, in three more components (`components/`), and [`compose`](mod@compose) plugs the four together:
//!
//! - `storage` keeps one organization in a folder, over `wasi:filesystem`;
//! - `capabilities` has secrets, email and outgoing requests;
//! - `adapter` exports `wasi:http/incoming-handler` and calls the component.
//!
//! # The storage
//!
//! A host of `wasi:http` makes a new instance for each request, and many at once, all over one folder. WASI 0.2 has neither
//! locks of files nor shared memory, so the databases that could be embedded, SQLite among them, can't keep these
//! instances apart: their locks are not there, and a lock of one's own in a file would stay behind after a crash. What WASI does
//! have is a step that succeeds for one of many: making a link (`link-at`) fails if the name is taken. So each commit is a
//! file of its own, which is written whole, forced to the disk and then linked to the next number. Whoever is late reads the
//! commit that was faster, looks at the conditions again, and tries the number after it. No instance waits for another, and
//! a crash leaves either a whole commit or none.
//!
//! ```text
//! current            the number of the newest epoch; a hint, which may be one too low
//! epoch-7/table      all items as they were when the epoch began, sorted; never changed
//! epoch-7/1, 2, …    the commits since then; the last one says that it is the last
//! epoch-8/table      made of the table and the commits of epoch 7, by whoever comes first
//! ```
//!
//! Folders of epochs that are over are removed after an hour, and an instance looks for the newest epoch again after ten
//! minutes. An instance that stood still for 50 minutes in the middle of a commit would therefore be the only way to lose one.

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
