//! Damaged files: whatever is read is what was written, and what is missing is told.

use crate::directory;
use crate::sample::{events, write};
use flametop::feed::Event;
use flametop::profile::{Moment, Nanos};
use flametop::record::{Bounds, Place, Reader, RecordError, Writer};
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// A recording: its bytes, and what is in it.
type Recording = (Vec<u8>, Vec<Event>);

/// One of a few seconds.
fn recording() -> &'static Recording {
    static RECORDING: OnceLock<Recording> = OnceLock::new();
    RECORDING.get_or_init(|| {
        let directory = directory();
        let path = write(&Place::File(directory.path().join("x.ftrec")), &events(3));
        (fs::read(path).expect("reads"), events(3))
    })
}

/// One that let its beginning go.
fn end_of_a_recording() -> &'static Recording {
    static RECORDING: OnceLock<Recording> = OnceLock::new();
    RECORDING.get_or_init(|| {
        let directory = directory();
        let place = Place::File(directory.path().join("x.ftrec"));
        let bounds = Bounds { keep: Nanos::from_secs(5), ..Bounds::default() };
        let mut writer = Writer::create(&place, Moment(0)).expect("creates").within(bounds);
        for event in events(20) {
            writer.append(&event).expect("appends");
            writer.commit().expect("commits");
        }
        let path = writer.path().to_owned();
        writer.finish().expect("finishes");
        let mut reader = Reader::open(&path).expect("opens");
        let kept: Vec<Event> = std::iter::from_fn(|| reader.next_event()).flatten().collect();
        assert!(kept.len() < 15, "{} events", kept.len());
        (fs::read(path).expect("reads"), kept)
    })
}

/// Reads the bytes as that recording: either they are refused, or every event is one of the originals, in
/// order, and a loss is told.
fn check(path: &Path, bytes: &[u8], original: &Recording) {
    fs::write(path, bytes).expect("writes");
    let Ok(mut reader) = Reader::open(path) else { return };
    let (mut read, mut errors) = (Vec::new(), usize::from(!reader.about().finished));
    let mut calls = 0;
    let mut last = String::new();
    while let Some(next) = reader.next_event() {
        match next {
            Ok(event) => read.push(event),
            // Told of the whole recording as well.
            Err(RecordError::LetGo { .. }) => {}
            Err(error) => {
                assert!(error.hint().is_some(), "{error}");
                errors += 1;
                last = error.to_string();
            }
        }
        calls += 1;
        assert!(calls < 1000, "no end: {last}");
    }
    let mut originals = original.1.iter();
    for event in &read {
        assert!(originals.any(|original| original == event), "not what was written: {event:?}");
    }
    assert!(read.len() == original.1.len() || errors > 0, "a loss was not told");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn flipped_bytes_are_found(flips in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..6)) {
        let directory = directory();
        for original in [recording(), end_of_a_recording()] {
            let mut bytes = original.0.clone();
            for (place, flip) in &flips {
                *place.get_mut(&mut bytes) ^= flip;
            }
            check(&directory.path().join("x"), &bytes, original);
        }
    }

    #[test]
    fn cut_files_give_what_is_left(length in any::<prop::sample::Index>()) {
        let directory = directory();
        for original in [recording(), end_of_a_recording()] {
            let bytes = &original.0;
            check(&directory.path().join("x"), &bytes[..length.index(bytes.len())], original);
        }
    }

    #[test]
    fn scrambled_stretches_are_found(from in any::<prop::sample::Index>(), noise in prop::collection::vec(any::<u8>(), 1..4096)) {
        let directory = directory();
        let mut bytes = recording().0.clone();
        let from = 100 + from.index(bytes.len() - 100);
        for (byte, noise) in bytes[from..].iter_mut().zip(noise) {
            *byte = noise;
        }
        check(&directory.path().join("x"), &bytes, recording());
    }
}

#[test]
fn a_file_cut_at_a_page_gives_what_lies_before() {
    let directory = directory();
    let path = directory.path().join("x");
    let bytes = &recording().0;
    let mut most = 0;
    for pages in 1..bytes.len() / 4096 {
        check(&path, &bytes[..pages * 4096], recording());
        let readable = Reader::open(&path)
            .map_or(0, |mut reader| std::iter::from_fn(|| reader.next_event()).flatten().count());
        most = most.max(readable);
    }
    assert!(most > 2, "nothing was saved of any cut file");
}
