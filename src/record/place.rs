//! Where a recording goes: its name, and a fresh private file of that name.

use super::RecordError;
use crate::files::safe_file_name;
use crate::profile::Moment;
use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What recordings' names end with.
pub const EXTENSION: &str = "ftrec";
/// What SQLite adds to a database's name for the files that it lays beside.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];
/// How many names are tried when the first are taken.
const NAMES_TRIED: u32 = 99;

/// Where a recording is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Exactly here; an existing file is an error.
    File(PathBuf),
    /// Here; a number is added to a name that is taken: `x-2.ftrec`.
    Numbered(PathBuf),
    /// `flametop-<name>-<YYYYMMDD-HHMMSS>.ftrec` in this directory; a number is added to a name that
    /// is taken.
    Directory {
        /// The directory.
        directory: PathBuf,
        /// The target's name, as it came.
        name: String,
    },
}

/// A file just created: empty, ours, and known by its inode.
#[derive(Debug)]
pub(super) struct FreshFile {
    /// Its path, with the directory's links resolved.
    pub path: PathBuf,
    identity: (u64, u64),
}

impl Place {
    /// Creates the file: mode 0600 whatever the umask, never in the place of another, never through a
    /// symbolic link.
    pub(super) fn create(&self, at: Moment) -> Result<FreshFile, RecordError> {
        match self {
            Self::File(path) => create_new(path),
            Self::Numbered(path) => create_numbered(path),
            Self::Directory { directory, name } => {
                let name = format!("flametop-{}-{}.{EXTENSION}", safe_file_name(name), local_time(at));
                create_numbered(&directory.join(name))
            }
        }
    }
}

impl FreshFile {
    /// Whether the path still names this file.
    pub fn is_in_place(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|now| (now.dev(), now.ino()) == self.identity)
    }

    /// Takes the file away again if it is still ours.
    pub fn discard(&self) {
        if self.is_in_place() {
            // An empty file left behind is all that can come of a failure.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Creates the file of that name, or of the first numbered one that is free.
fn create_numbered(path: &Path) -> Result<FreshFile, RecordError> {
    let mut last = create_new(path);
    for number in 2..=NAMES_TRIED {
        if !matches!(last, Err(RecordError::Exists { .. })) {
            break;
        }
        last = create_new(&numbered(path, number));
    }
    last
}

/// `x-2.ftrec` of `x.ftrec`.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{number}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

fn create_new(path: &Path) -> Result<FreshFile, RecordError> {
    let path = &real_directory(path).map_err(|source| RecordError::Create { path: path.into(), source })?;
    let fail = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => RecordError::Exists { path: path.clone() },
        _ => RecordError::Create { path: path.clone(), source },
    };
    // O_EXCL refuses a symbolic link too, dangling or not.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(fail)?;
    // The umask may have taken even the owner's bits.
    let private = file.set_permissions(Permissions::from_mode(0o600)).and_then(|()| file.metadata());
    match private.map_err(fail).and_then(|metadata| refuse_beside(path).map(|()| metadata)) {
        Ok(metadata) => Ok(FreshFile { path: path.clone(), identity: (metadata.dev(), metadata.ino()) }),
        Err(error) => {
            // Ours, and empty.
            let _ = fs::remove_file(path);
            Err(error)
        }
    }
}

/// Refuses to go where SQLite would take a file for its own: it cuts or removes what has these names, and
/// somebody's file may be linked there.
fn refuse_beside(path: &Path) -> Result<(), RecordError> {
    for end in BESIDE {
        let mut beside = path.as_os_str().to_owned();
        beside.push(end);
        if fs::symlink_metadata(&beside).is_ok() {
            return Err(RecordError::Exists { path: beside.into() });
        }
    }
    Ok(())
}

/// The path with its directory's links resolved: SQLite is told to follow none at all.
fn real_directory(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    Ok(fs::canonicalize(directory.unwrap_or(Path::new(".")))?.join(name))
}

fn local_time(at: Moment) -> String {
    let stamp = jiff::Timestamp::from_nanosecond(i128::from(at.0)).unwrap_or_default();
    stamp.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y%m%d-%H%M%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_directory(directory: &Path) -> Place {
        Place::Directory { directory: directory.into(), name: "../../etc/x".into() }
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = in_directory(directory.path());
        let names: Vec<String> = (0..3)
            .map(|_| place.create(Moment(0)).expect("is free").path)
            .map(|path| path.file_name().expect("has one").to_string_lossy().into_owned())
            .collect();
        assert!(names[0].starts_with("flametop-"), "{names:?}");
        assert!(names[0].ends_with("00.ftrec") && !names[0].contains('/'), "{names:?}");
        assert_eq!(names[2], names[0].replace(".ftrec", "-3.ftrec"));
    }

    #[test]
    fn a_name_that_was_asked_for_gets_a_number_where_it_may() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = Place::Numbered(directory.path().join("a.b.ftrec"));
        let name = || place.create(Moment(0)).expect("is free").path.file_name().map(ToOwned::to_owned);
        assert_eq!(name(), Some("a.b.ftrec".into()));
        assert_eq!(name(), Some("a.b-2.ftrec".into()));
        assert_eq!(name(), Some("a.b-3.ftrec".into()));
    }

    #[test]
    fn existing_files_and_links_are_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let (victim, link) = (directory.path().join("victim"), directory.path().join("link"));
        fs::write(&victim, "precious").expect("written");
        std::os::unix::fs::symlink(&victim, &link).expect("linked");
        let dangling = directory.path().join("dangling");
        std::os::unix::fs::symlink(directory.path().join("nowhere"), &dangling).expect("linked");
        for path in [victim.clone(), link, dangling] {
            let refused = Place::File(path).create(Moment(0)).expect_err("refused");
            assert!(matches!(refused, RecordError::Exists { .. }), "{refused}");
            assert!(refused.hint().is_some());
        }
        assert_eq!(fs::read_to_string(victim).expect("is there"), "precious");
        assert!(!directory.path().join("nowhere").exists());
    }

    #[test]
    fn a_place_that_is_none_is_refused_with_a_way_out() {
        let directory = tempfile::tempdir().expect("a directory");
        let missing = Place::File(directory.path().join("no/such/x.ftrec")).create(Moment(0));
        assert!(missing.expect_err("refused").hint().is_some());
        let unwritable = Place::File("/proc/x.ftrec".into()).create(Moment(0)).expect_err("refused");
        assert!(matches!(unwritable, RecordError::Create { .. }), "{unwritable}");
    }
}
