//! Files as sources: recordings and profiles, told by their content and never by their name.
//!
//! A recording is replayed ([`super::replay`]); a profile of any format we read is one window, or a
//! few, that arrive at once.

use super::replay::replay;
use super::{BoxFuture, Control, ErrorClass, Fit, KindSpec, Outbox, Source, SourceError, SourceKind};
use super::{SourceOptions, TargetSpec};
use crate::feed::{Capability, EndReason, Event, Feed, Order, TargetInfo};
use crate::format::{self, Format, Limits, ReadError};
use crate::profile::{Nanos, Profile, Unit, clean_path};
use crate::record::{Reader, RecordError, is_recording};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes from which the kind of a file is told.
const HEAD_BYTES: u64 = 4096;

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

/// What a file turned out to be.
enum Content {
    Recording(Box<Reader>),
    Profiles(&'static str, Vec<Profile>),
}

/// What a file turned out not to be.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("failed to read {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} is not a regular file", path.display())]
    NotAFile { path: PathBuf },
    #[error("{} is neither a recording nor a profile that flametop reads", path.display())]
    Unknown { path: PathBuf },
    #[error("{}: {source}", path.display())]
    Profile { path: PathBuf, source: ReadError },
    #[error(transparent)]
    Recording(RecordError),
}

impl FileError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("check the path; a process is given by its PID or its script's name".into())
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("ask the owner of the file, or run flametop as that user".into())
            }
            Self::Io { .. } => None,
            Self::NotAFile { .. } => Some("give the path of a recording or a profile".into()),
            Self::Unknown { .. } => {
                let known = format::FORMATS.iter().map(|format| format.spec()).filter(|spec| spec.reads);
                let names: Vec<&str> = known.map(|spec| spec.name).collect();
                Some(format!("flametop reads its own recordings and {}", names.join(", ")))
            }
            Self::Profile { source, .. } => source.hint().map(Into::into),
            Self::Recording(error) => error.hint().map(Into::into),
        }
    }

    fn class(&self) -> ErrorClass {
        let io = match self {
            Self::Io { source, .. } | Self::Recording(RecordError::Open { source, .. }) => source.kind(),
            _ => return ErrorClass::BadInput,
        };
        match io {
            io::ErrorKind::NotFound => ErrorClass::NoTarget,
            io::ErrorKind::PermissionDenied => ErrorClass::NotPermitted,
            _ => ErrorClass::BadInput,
        }
    }
}

impl From<FileError> for SourceError {
    fn from(error: FileError) -> Self {
        Self { message: error.to_string(), hint: error.hint(), class: error.class() }
    }
}

impl SourceKind for FileKind {
    fn spec(&self) -> &'static KindSpec {
        &SPEC
    }

    fn recognise(&self, target: &TargetSpec) -> Fit {
        let TargetSpec::File(path) = target else { return Fit::No };
        match read_head(path) {
            Ok(head) if is_recording(&head) || format::recognise(&head).is_some() => Fit::Certain,
            // Nobody else reads files, and our error says what is wrong with this one.
            _ => Fit::Possible,
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
            let content = tokio::task::spawn_blocking(move || open(&path)).await;
            // Only a panic in it ends it without a result.
            let content = content.map_err(|error| SourceError {
                message: format!("failed to read {}: {error}", self.path.display()),
                hint: None,
                class: ErrorClass::Failed,
            })?;
            match content? {
                Content::Recording(reader) => Ok(replay(reader, out, control).await),
                Content::Profiles(format, profiles) => {
                    Ok(show(&self.path, format, profiles, out, control).await)
                }
            }
        })
    }
}

fn read_head(path: &Path) -> Result<Vec<u8>, FileError> {
    read_up_to(path, HEAD_BYTES)
}

fn read_up_to(path: &Path, bytes: u64) -> Result<Vec<u8>, FileError> {
    let fail = |source| FileError::Io { path: path.into(), source };
    // A pipe or a device could keep us waiting.
    if !std::fs::metadata(path).map_err(fail)?.is_file() {
        return Err(FileError::NotAFile { path: path.into() });
    }
    let mut content = Vec::new();
    File::open(path).map_err(fail)?.take(bytes).read_to_end(&mut content).map_err(fail)?;
    Ok(content)
}

fn open(path: &Path) -> Result<Content, FileError> {
    let head = read_head(path)?;
    if is_recording(&head) {
        return Reader::open(path).map(Box::new).map(Content::Recording).map_err(FileError::Recording);
    }
    let format: &dyn Format =
        format::recognise(&head).ok_or_else(|| FileError::Unknown { path: path.into() })?;
    let limits = Limits::default();
    // One byte more than allowed, so that the format itself says that it is too much.
    let content = read_up_to(path, limits.file_bytes.saturating_add(1))?;
    let profiles = format.read(&content, &limits);
    let profiles = profiles.map_err(|source| FileError::Profile { path: path.into(), source })?;
    Ok(Content::Profiles(format.spec().name, profiles))
}

/// Sends profiles as the windows of one target.
async fn show(
    path: &Path,
    format: &str,
    profiles: Vec<Profile>,
    out: Outbox,
    mut control: Control,
) -> EndReason {
    let at = profiles.last().map_or_else(Default::default, |profile| profile.span.end());
    let target = target_of(path, format, &profiles);
    let windows = profiles.into_iter().map(|profile| Feed::Window(Box::new(profile)));
    let sending = async {
        for feed in std::iter::once(Feed::Attached(target)).chain(windows) {
            out.deliver(Event { source: out.source(), at, feed }).await;
        }
    };
    tokio::select! {
        () = stopped(&mut control) => EndReason::Detached,
        () = sending => EndReason::EndOfInput,
    }
}

/// Waits for the order to stop; a file obeys no other.
pub(super) async fn stopped(control: &mut Control) {
    while control.next().await != Order::Stop {}
}

fn target_of(path: &Path, format: &str, profiles: &[Profile]) -> TargetInfo {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let kinds = || profiles.iter().flat_map(|profile| &profile.kinds);
    let timed = profiles.iter().map(|profile| &profile.sampling).find(|sampling| !sampling.period_bytes);
    let can = [
        (Capability::Cpu, kinds().any(|kind| kind.unit == Unit::Nanoseconds)),
        (Capability::HeapLive, kinds().any(|kind| kind.name.starts_with("inuse"))),
        (Capability::HeapAllocated, kinds().any(|kind| kind.name.starts_with("alloc"))),
    ];
    TargetInfo {
        name: clean_path(&name),
        kind: format!("{format} profile").into(),
        capabilities: can.into_iter().filter(|(_, can)| *can).map(|(capability, _)| capability).collect(),
        interval: Nanos(timed.map_or(0, |sampling| sampling.period)),
        address: clean_path(&path.to_string_lossy()),
        ..TargetInfo::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::{Note, NoteLevel, SourceId};
    use crate::format::{Export, Pprof};
    use crate::profile::{
        Frame, FrameKind, Moment, ProfileLane, ProfileNode, Sampling, Span, Thread, ValueKind,
    };
    use crate::record::{Place, Writer};
    use crate::source::{control, outbox};

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
