//! [`KINDS`]: every kind of source, and which of them fits a target.

use super::{Fit, SourceKind, TargetSpec, pprof_http::PprofHttp};

/// Every kind; help, README and the choice below read this list. Of kinds that fit a target equally
/// well the first is tried first.
pub const KINDS: &[&dyn SourceKind] = &[&PprofHttp];

/// The kind of that name.
pub fn kind_by_name(name: &str) -> Option<&'static dyn SourceKind> {
    KINDS.iter().copied().find(|kind| kind.spec().name == name)
}

/// The kinds that may watch `target`, the surest first.
pub fn kinds_for(target: &TargetSpec) -> Vec<&'static dyn SourceKind> {
    let mut fitting: Vec<_> = KINDS.iter().map(|kind| (kind.recognise(target), *kind)).collect();
    fitting.retain(|(fit, _)| *fit != Fit::No);
    fitting.sort_by_key(|(fit, _)| std::cmp::Reverse(*fit));
    fitting.into_iter().map(|(_, kind)| kind).collect()
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

    #[test]
    fn an_endpoint_is_watched_by_its_kind_and_a_word_by_none() {
        let kinds = kinds_for(&TargetSpec::Address("http://localhost:6060/debug/pprof".into()));
        assert_eq!(kinds.first().map(|kind| kind.spec().name), Some("pprof"));
        assert!(kinds_for(&TargetSpec::Address("nowhere".into())).is_empty());
    }
}
