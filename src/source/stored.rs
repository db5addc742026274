//! What is in a file, as events: a recording's own, or the windows of a profile of any format we read.
//!
//! Told by content and never by name. Blocks: for a thread that may, or a command that has nothing else
//! to do.

use super::replay;
use super::{ErrorClass, SourceError};
use crate::feed::{Capability, Event, Feed, SourceId, TargetInfo};
use crate::format::{self, Format, Limits, ReadError};
use crate::profile::{Nanos, Profile, Span, Unit, clean_path};
use crate::record::{Reader, RecordError, is_recording};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes from which the kind of a file is told. JSON formats are told by their keys, and browsers put
/// long descriptions of themselves before those.
const HEAD_BYTES: u64 = 4096;

/// An opened file.
pub struct Stored {
    path: PathBuf,
    content: Content,
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

impl Stored {
    /// Whether it is a file whose content we read, as far as its first bytes tell.
    pub fn is_known(path: &Path) -> bool {
        read_head(path).is_ok_and(|head| is_recording(&head) || format::recognise(&head).is_some())
    }

    /// Opens a file; a profile is read whole.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let content = open(path)?;
        Ok(Self { path: path.into(), content })
    }

    /// From the first moment of any window in it to the last.
    pub fn span(&self) -> Option<Span> {
        match &self.content {
            // What can't be read will be told when it is read.
            Content::Recording(reader) => reader.span().ok().flatten(),
            Content::Profiles(_, profiles) => profiles.iter().map(|profile| profile.span).reduce(Span::union),
        }
    }

    /// What a reader of its numbers should know: what was let go to keep it within its bounds.
    pub fn remark(&self) -> Option<String> {
        match &self.content {
            Content::Recording(reader) => Some(reader.let_go()?.to_string()),
            Content::Profiles(..) => None,
        }
    }

    /// Gives every event to `take`, in order, until it says false. The file's first source takes the id
    /// `first`, the others follow: a recording read alone gives the very events that were recorded.
    pub fn each(self, first: SourceId, take: &mut dyn FnMut(Event) -> bool) {
        match self.content {
            Content::Recording(reader) => replay::read(*reader, first, take),
            Content::Profiles(format, profiles) => {
                let at = profiles.last().map_or_else(Default::default, |profile| profile.span.end());
                let target = Feed::Attached(target_of(&self.path, format, &profiles));
                let windows = profiles.into_iter().map(|profile| Feed::Window(Box::new(profile)));
                let mut events = std::iter::once(target).chain(windows);
                while events.next().is_some_and(|feed| take(Event { source: first, at, feed })) {}
            }
        }
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
