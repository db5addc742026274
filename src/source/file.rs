//! Files as sources: recordings and profiles, told by their content and never by their name.
//!
//! A recording is replayed with its own sources and times, as fast as it is taken; a profile of any
//! format we read is one window, or a few, that arrive at once.

use super::stored::Stored;
use super::{BoxFuture, Control, ErrorClass, Fit, KindSpec, Outbox, Source, SourceError, SourceKind};
use super::{SourceOptions, TargetSpec};
use crate::feed::{EndReason, Event, Order};
use std::path::PathBuf;
use tokio::sync::mpsc;

/// Events read ahead of the engine.
const AHEAD: usize = 8;

const SPEC: KindSpec = KindSpec {
    name: "file",
    summary: "a recording (.ftrec) or a profile such as pprof",
    example: "flametop-api.js-20261120-143210.ftrec",
};

/// Files.
pub static FILE_KIND: &dyn SourceKind = &FileKind;

struct FileKind;

struct FileSource {
    path: PathBuf,
}

impl SourceKind for FileKind {
    fn spec(&self) -> &'static KindSpec {
        &SPEC
    }

    fn recognise(&self, target: &TargetSpec) -> Fit {
        match target {
            TargetSpec::File(path) if Stored::is_known(path) => Fit::Certain,
            // Nobody else reads files, and our error says what is wrong with this one.
            TargetSpec::File(_) => Fit::Possible,
            _ => Fit::No,
        }
    }

    fn open(&self, target: TargetSpec, _: SourceOptions) -> Box<dyn Source> {
        let path = match target {
            TargetSpec::File(path) => path,
            other => other.to_string().into(),
        };
        Box::new(FileSource { path })
    }
}

impl Source for FileSource {
    fn run(self: Box<Self>, out: Outbox, control: Control) -> BoxFuture<Result<EndReason, SourceError>> {
        Box::pin(async move {
            let path = self.path.clone();
            let stored = tokio::task::spawn_blocking(move || Stored::open(&path)).await;
            // Only a panic in it ends it without a result.
            let stored = stored.map_err(|error| SourceError {
                message: format!("failed to read {}: {error}", self.path.display()),
                hint: None,
                class: ErrorClass::Failed,
            })?;
            Ok(send(stored?, out, control).await)
        })
    }
}

/// Sends everything in the file.
async fn send(stored: Stored, out: Outbox, mut control: Control) -> EndReason {
    let (sender, mut events) = mpsc::channel::<Event>(AHEAD);
    let first = out.source();
    let reading = tokio::task::spawn_blocking(move || {
        stored.each(first, &mut |event| sender.blocking_send(event).is_ok());
    });
    let sending = async {
        while let Some(event) = events.recv().await {
            out.deliver(event).await;
        }
    };
    let end = tokio::select! {
        () = stopped(&mut control) => EndReason::Detached,
        () = sending => EndReason::EndOfInput,
    };
    // Without a receiver the reading ends at its next event.
    drop(events);
    match reading.await {
        Ok(()) => end,
        Err(error) => EndReason::Failed(format!("reading the file failed: {error}").into()),
    }
}

/// Waits for the order to stop; a file obeys no other.
async fn stopped(control: &mut Control) {
    while control.next().await != Order::Stop {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::{Capability, Feed, Note, NoteLevel, SourceId, TargetInfo};
    use crate::format::{Export, Format, Pprof};
    use crate::profile::{
        Frame, FrameKind, Moment, Nanos, Profile, ProfileLane, ProfileNode, Sampling, Span, Thread, ValueKind,
    };
    use crate::record::{Place, Writer};
    use crate::source::{control, outbox};
    use std::fs::File;
    use std::path::Path;

    fn window(second: i64) -> Profile {
        Profile {
            kinds: vec![ValueKind::samples(), ValueKind::cpu()],
            span: Span { start: Moment(second * 1_000_000_000), length: Nanos::from_secs(1) },
            covered: Nanos::from_secs(1),
            sampling: Sampling {
                period_name: "cpu".into(),
                period: 1_000_000,
                taken: 5,
                ..Sampling::default()
            },
            frames: vec![Frame::at("f", "/srv/a.js", 3, 1, FrameKind::Js)],
            nodes: vec![ProfileNode { parent: 0, frame: 0 }; 2],
            lanes: vec![ProfileLane {
                thread: Thread { pid: 1, tid: 1, name: "main".into() },
                nodes: vec![1],
                columns: vec![vec![5], vec![5_000_000]],
                lines: vec![],
                runs: vec![],
                runs_dropped: 0,
            }],
            notes: vec![],
        }
    }

    fn recorded() -> Vec<Event> {
        let event = |at: i64, feed| Event { source: SourceId(0), at: Moment(at), feed };
        let mut events =
            vec![event(0, Feed::Attached(TargetInfo { name: "api".into(), ..TargetInfo::default() }))];
        events.extend((1..50).map(|second| event(second, Feed::Window(Box::new(window(second))))));
        events.push(event(50, Feed::Note(Note { level: NoteLevel::Mark, text: "deploy".into() })));
        events
    }

    fn record(path: &Path, close: bool) {
        let mut writer = Writer::create(&Place::File(path.into()), Moment(0)).expect("creates");
        for event in recorded() {
            writer.append(&event).expect("appends");
        }
        writer.commit().expect("commits");
        if close {
            writer.finish().expect("finishes");
        }
    }

    async fn run(path: &Path) -> (Vec<Event>, Result<EndReason, SourceError>) {
        let inbox = outbox();
        let (_steering, control) = control();
        let source = FILE_KIND.open(TargetSpec::File(path.into()), SourceOptions::default());
        let running = tokio::spawn(source.run(inbox.outbox(SourceId(0)), control));
        let mut events = Vec::new();
        while !running.is_finished() || !inbox.is_empty() {
            events.extend(inbox.try_recv());
            tokio::task::yield_now().await;
        }
        (events, running.await.expect("ends"))
    }

    #[tokio::test]
    async fn a_recording_gives_what_was_recorded() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("misleading.txt");
        record(&path, true);
        assert_eq!(FILE_KIND.recognise(&TargetSpec::File(path.clone())), Fit::Certain);
        let (events, end) = run(&path).await;
        assert_eq!(events, recorded());
        assert_eq!(end.expect("succeeds"), EndReason::EndOfInput);
    }

    #[tokio::test]
    async fn a_recording_that_was_not_closed_says_so() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("x.ftrec");
        record(&path, false);
        let (events, _) = run(&path).await;
        let (note, rest) = events.split_last().expect("events");
        assert_eq!(rest, recorded());
        assert!(matches!(&note.feed, Feed::Note(note) if note.text.contains("not closed")));
    }

    #[tokio::test]
    async fn a_profile_is_a_window_of_a_target_named_after_the_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("cpu\u{1b}.pb.gz");
        let mut file = File::create(&path).expect("creates");
        Pprof.write(&Export::new(&window(3), &TargetInfo::default()), &mut file).expect("writes");
        assert_eq!(FILE_KIND.recognise(&TargetSpec::File(path.clone())), Fit::Certain);
        let (events, end) = run(&path).await;
        assert_eq!(end.expect("succeeds"), EndReason::EndOfInput);
        let [Feed::Attached(target), Feed::Window(profile)] = [&events[0].feed, &events[1].feed] else {
            panic!("{events:?}")
        };
        assert_eq!((&*target.name, target.interval), ("cpu␛.pb.gz", Nanos::from_millis(1)));
        assert_eq!(target.capabilities, [Capability::Cpu]);
        assert_eq!((profile.total(0), profile.span), (5, window(3).span));
    }

    #[tokio::test]
    async fn what_is_no_profile_is_refused_with_a_way_out() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("x.pb.gz");
        std::fs::write(&path, "hello\n").expect("writes");
        for (path, class) in [
            (path.as_path(), ErrorClass::BadInput),
            (directory.path(), ErrorClass::BadInput),
            (Path::new("/dev/zero"), ErrorClass::BadInput),
            (Path::new("/no/such/file"), ErrorClass::NoTarget),
        ] {
            assert_eq!(FILE_KIND.recognise(&TargetSpec::File(path.into())), Fit::Possible);
            let error = run(path).await.1.expect_err("refused");
            assert_eq!(error.class, class, "{error}");
            assert!(error.hint.is_some() && error.message.contains(&*path.to_string_lossy()), "{error}");
        }
        assert_eq!(FILE_KIND.recognise(&TargetSpec::Pid(1)), Fit::No);
    }

    #[tokio::test]
    async fn a_stop_ends_it_in_the_middle() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("x.ftrec");
        record(&path, true);
        let inbox = outbox();
        let (steering, control) = control();
        let source = FILE_KIND.open(TargetSpec::File(path), SourceOptions::default());
        let running = tokio::spawn(source.run(inbox.outbox(SourceId(0)), control));
        inbox.recv().await;
        assert!(steering.give(Order::Stop));
        assert_eq!(running.await.expect("ends").expect("succeeds"), EndReason::Detached);
    }
}
