//! Damaged files: whatever is read is what was written, and what is missing is told.

use crate::directory;
use crate::sample::{events, write};
use flametop::feed::Event;
use flametop::record::{Place, Reader};
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// A recording of a few seconds: its bytes, and what is in it.
fn recording() -> &'static (Vec<u8>, Vec<Event>) {
    static RECORDING: OnceLock<(Vec<u8>, Vec<Event>)> = OnceLock::new();
    RECORDING.get_or_init(|| {
        let directory = directory();
        let path = write(&Place::File(directory.path().join("x.ftrec")), &events(3));
        (fs::read(path).expect("reads"), events(3))
    })
}

/// Reads the bytes as a recording: either they are refused, or every event is one of the originals, in
/// order, and a loss is told.
fn check(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("writes");
    let Ok(mut reader) = Reader::open(path) else { return };
    let (mut read, mut errors) = (Vec::new(), usize::from(!reader.about().finished));
    let mut calls = 0;
    let mut last = String::new();
    while let Some(next) = reader.next_event() {
        match next {
            Ok(event) => read.push(event),
            Err(error) => {
                assert!(error.hint().is_some(), "{error}");
                errors += 1;
                last = error.to_string();
            }
        }
        calls += 1;
        assert!(calls < 1000, "no end: {last}");
    }
    let mut originals = recording().1.iter();
    for event in &read {
        assert!(originals.any(|original| original == event), "not what was written: {event:?}");
    }
    assert!(read.len() == recording().1.len() || errors > 0, "a loss was not told");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn flipped_bytes_are_found(flips in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..6)) {
        let directory = directory();
        let mut bytes = recording().0.clone();
        for (place, flip) in flips {
            *place.get_mut(&mut bytes) ^= flip;
        }
        check(&directory.path().join("x"), &bytes);
    }

    #[test]
    fn cut_files_give_what_is_left(length in any::<prop::sample::Index>()) {
        let directory = directory();
        let bytes = &recording().0;
        check(&directory.path().join("x"), &bytes[..length.index(bytes.len())]);
    }

    #[test]
    fn scrambled_stretches_are_found(from in any::<prop::sample::Index>(), noise in prop::collection::vec(any::<u8>(), 1..4096)) {
        let directory = directory();
        let mut bytes = recording().0.clone();
        let from = 100 + from.index(bytes.len() - 100);
        for (byte, noise) in bytes[from..].iter_mut().zip(noise) {
            *byte = noise;
        }
        check(&directory.path().join("x"), &bytes);
    }
}

#[test]
fn a_file_cut_at_a_page_gives_what_lies_before() {
    let directory = directory();
    let path = directory.path().join("x");
    let bytes = &recording().0;
    let mut most = 0;
    for pages in 1..bytes.len() / 4096 {
        check(&path, &bytes[..pages * 4096]);
        let readable = Reader::open(&path)
            .map_or(0, |mut reader| std::iter::from_fn(|| reader.next_event()).flatten().count());
        most = most.max(readable);
    }
    assert!(most > 2, "nothing was saved of any cut file");
}
