//! [`KINDS`]: every kind of source, and which of them fits a target.

use super::{SourceKind, file::FILE_KIND, node::NODE_KIND, pprof_http::PprofHttp};

/// Every kind; help, README and [`super::open`] read this list. Of kinds that fit a target equally
/// well the first is tried first.
pub const KINDS: &[&dyn SourceKind] = &[NODE_KIND, &PprofHttp, FILE_KIND];

/// The kind of that name.
pub fn kind_by_name(name: &str) -> Option<&'static dyn SourceKind> {
    KINDS.iter().copied().find(|kind| kind.spec().name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for (at, kind) in KINDS.iter().enumerate() {
            let spec = kind.spec();
            assert!(KINDS[..at].iter().all(|other| other.spec().name != spec.name));
            assert_eq!(kind_by_name(spec.name).map(|kind| kind.spec().name), Some(spec.name));
        }
    }
}
