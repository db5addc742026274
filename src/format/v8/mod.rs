//! V8's profiles: as they come over the wire of the inspector, and as Node and browsers write them.
//!
//! One parser for both. A live source folds window after window ([`cpu_profile`], [`heap_profile`]);
//! [`call_frame`] is the door for every name.

pub mod call_frame;
pub mod cpu_json;
pub mod cpu_profile;
mod envelope;
pub mod heap_profile;
mod paths;
mod stacks;
mod timeline;
mod write;

pub use cpu_json::{Finished, ProfileError};
pub use cpu_profile::{Border, Taking};
pub(super) use envelope::find_profile;
pub use heap_profile::HeapTaking;
pub(super) use timeline::Gathered;
pub(super) use write::{CallFrameOut, Scripts};
