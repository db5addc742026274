//! Writing files so that each is complete or absent, private, and never in the place of another.
//!
//! Content goes to a fresh file beside its destination, is brought to the disk, and only then takes
//! the destination's name. Symbolic links planted at either name are never followed. Called by
//! exporters, the recorder and the reports; knows nothing of what is in the files.

use std::error::Error;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// After this many taken names the directory is not a place for one more.
const MAX_TRIES: u32 = 999;
/// Longest name that [`safe_file_name`] gives, so that endings still fit.
const MAX_NAME: usize = 120;

/// Why a file could not be written. Nothing of it was left behind.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system refused a step.
    #[error("failed to {operation} {}", path.display())]
    Io {
        /// The step, as a verb phrase.
        operation: &'static str,
        /// The file or directory it was for.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
    /// What was to be written could not be made or did not fit.
    #[error("failed to write {}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The name belongs to a directory, a device or a pipe.
    #[error("{} is {what}, not a file", path.display())]
    NotAFile {
        /// The name.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The name and all its numbered forms are taken.
    #[error("{} and {MAX_TRIES} numbered names after it are taken", path.display())]
    NamesTaken {
        /// The first name.
        path: PathBuf,
    },
}

impl FileError {
    /// The way out, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotAFile { .. } => Some("give the name of a file"),
            Self::NamesTaken { .. } => Some("remove old files or choose another directory"),
            Self::Io { .. } | Self::Content { .. } => io_kind(self).and_then(hint_for),
        }
    }
}

/// The way out of a refusal to write, for whoever writes files.
pub(crate) fn hint_for(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::NotFound => Some("create the directory first"),
        io::ErrorKind::PermissionDenied => Some("choose a directory you may write to"),
        io::ErrorKind::ReadOnlyFilesystem => Some("the file system is read-only; choose another directory"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some("free some space or choose another directory")
        }
        io::ErrorKind::InvalidFilename => Some("choose a shorter name"),
        _ => None,
    }
}

/// The kind of the first I/O error in the chain of causes.
fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        next = error.source();
    }
    None
}

/// Refuses a path at which [`write_new`] would fail whatever it is to write.
pub fn check_place(path: &Path) -> Result<(), FileError> {
    refuse_special(path)?;
    check_directory_of(path)
}

/// Refuses a path whose directory can't be written to. Only trying tells: root may write anywhere by
/// its permissions, and still not to `/proc` or a read-only disk.
pub fn check_directory_of(path: &Path) -> Result<(), FileError> {
    Draft::create(path).map(drop)
}

/// Writes a new file that only its owner may read, and gives its path.
///
/// An existing file is never replaced: `cpu.pb.gz` becomes `cpu-2.pb.gz`, `cpu-3.pb.gz` ...
pub fn write_new<E>(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<PathBuf, FileError>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    refuse_special(path)?;
    let draft = Draft::fill(path, fill)?;
    for number in 1..=MAX_TRIES {
        let wanted = numbered(path, number);
        if draft.take_free_name(&wanted)? {
            sync_directory(path);
            return Ok(wanted);
        }
    }
    Err(FileError::NamesTaken { path: path.into() })
}

/// Writes a file that only its owner may read, in the place of an older one if there is one.
///
/// Readers see the old content or the new, never a part. A symbolic link at `path` is replaced itself.
pub fn replace<E>(path: &Path, fill: impl FnOnce(&mut dyn Write) -> Result<(), E>) -> Result<(), FileError>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    refuse_special(path)?;
    let draft = Draft::fill(path, fill)?;
    unless_interrupted(|| fs::rename(&draft.path, path)).map_err(io_error("write", path))?;
    sync_directory(path);
    Ok(())
}

/// A file name made of data from outside: letters, digits, `.`, `_` and `-`, no leading dot, bounded.
pub fn safe_file_name(raw: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let mapped: String = raw.trim_start_matches(['.', '/']).chars().map(plain).take(MAX_NAME).collect();
    // What follows a separator may begin with a dot again: `../../x`.
    let name = mapped.trim_matches(['-', '.']);
    if name.is_empty() { "unnamed".into() } else { name.into() }
}

/// A file under a name of its own, removed again unless it got its destination's name.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn fill<E>(path: &Path, fill: impl FnOnce(&mut dyn Write) -> Result<(), E>) -> Result<Self, FileError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let (draft, file) = Self::create(path)?;
        let mut out = BufWriter::with_capacity(64 * 1024, file);
        fill(&mut out).map_err(|cause| FileError::Content { path: path.into(), source: cause.into() })?;
        let file = out.into_inner().map_err(|failed| io_error("write", path)(failed.into_error()))?;
        file.sync_all().map_err(io_error("write", path))?;
        Ok(draft)
    }

    /// A new file beside `path`. `create_new` refuses any existing name, planted links included.
    fn create(path: &Path) -> Result<(Self, File), FileError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        for _ in 0..MAX_TRIES {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let draft = directory_of(path).join(format!(".flametop-{}-{number}.part", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft) {
                Ok(file) => {
                    let draft = Self { path: draft };
                    // The umask may have taken even the owner's bits.
                    let made_ours = file.set_permissions(Permissions::from_mode(0o600));
                    return made_ours.map(|()| (draft, file)).map_err(io_error("create", path));
                }
                // Left by a process that was killed and had our id.
                Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => {}
                Err(refused) => return Err(io_error("create", path)(refused)),
            }
        }
        Err(FileError::NamesTaken { path: path.into() })
    }

    /// Gives the draft its name unless something has that name already.
    fn take_free_name(&self, wanted: &Path) -> Result<bool, FileError> {
        match unless_interrupted(|| rename_to_free(&self.path, wanted)) {
            Ok(()) => Ok(true),
            Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(refused) => Err(io_error("create", wanted)(refused)),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a rename there is nothing to remove, which is no failure.
        let _ = unless_interrupted(|| fs::remove_file(&self.path));
    }
}

/// Tries a step again that a signal interrupted. The standard library does so where it reads and writes,
/// but not where it renames, links and removes, which network file systems interrupt too.
fn unless_interrupted<T>(mut step: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match step() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// Renames without replacing. Where the file system lacks that, a hard link does the same; the draft's
/// own name is then removed when it is dropped.
fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => fs::hard_link(from, to),
        other => other.map_err(io::Error::from),
    }
}

/// Refuses names that can never be a new file of ours.
fn refuse_special(path: &Path) -> Result<(), FileError> {
    use std::os::unix::ffi::OsStrExt;
    let refuse = |what| Err(FileError::NotAFile { path: path.into(), what });
    if path.file_name().is_none() || path.as_os_str().as_bytes().ends_with(b"/") {
        return refuse("a directory");
    }
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => refuse("a directory"),
        Ok(found) if !found.is_file() && !found.is_symlink() => refuse("a device, pipe or socket"),
        _ => Ok(()),
    }
}

/// `x.pb.gz`, 2: `x-2.pb.gz`. The number stands before the first dot, so that endings stay.
fn numbered(path: &Path, number: u32) -> PathBuf {
    if number == 1 {
        return path.into();
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let dot = name.char_indices().skip(1).find(|(_, c)| *c == '.').map_or(name.len(), |(at, _)| at);
    path.with_file_name(format!("{}-{number}{}", &name[..dot], &name[dot..]))
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Brings the new name to the disk. Some file systems refuse this for directories; the file itself is
/// safe by then, so a refusal changes nothing for the caller.
fn sync_directory(path: &Path) {
    let _ = File::open(directory_of(path)).and_then(|directory| directory.sync_all());
}

fn io_error(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_path_buf();
    move |source| FileError::Io { operation, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn put(path: &Path, text: &str) -> Result<PathBuf, FileError> {
        write_new(path, |out| out.write_all(text.as_bytes()))
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("the test's directory");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_file_is_private_and_never_replaces_another() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("cpu.pb.gz");
        assert_eq!(put(&path, "one").expect("written"), path);
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        put(&path, "two").expect("written");
        put(&path, "three").expect("written");
        assert_eq!(names(home.path()), ["cpu-2.pb.gz", "cpu-3.pb.gz", "cpu.pb.gz"]);
        assert_eq!(fs::read_to_string(path).expect("there"), "one");
    }

    #[test]
    fn content_that_fails_leaves_nothing_behind() {
        let home = tempfile::tempdir().expect("a directory");
        let failed = write_new(&home.path().join("x"), |out| {
            out.write_all(b"half")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        let error = failed.expect_err("the content failed");
        assert!(matches!(error, FileError::Content { .. }));
        assert!(error.hint().is_some_and(|hint| hint.contains("space")));
        assert_eq!(names(home.path()), [""; 0]);
    }

    #[test]
    fn planted_links_are_not_followed() {
        let home = tempfile::tempdir().expect("a directory");
        let (victim, link) = (home.path().join("victim"), home.path().join("x.svg"));
        fs::write(&victim, "precious").expect("written");
        symlink(&victim, &link).expect("planted");
        let written = put(&link, "ours").expect("written");
        assert_eq!(written, home.path().join("x-2.svg"));
        replace(&link, |out| out.write_all(b"ours")).expect("replaced");
        assert!(fs::symlink_metadata(&link).expect("there").is_file());
        assert_eq!(fs::read_to_string(victim).expect("there"), "precious");
    }

    #[test]
    fn replacing_leaves_the_old_file_when_the_new_one_fails() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("state");
        replace(&path, |out| out.write_all(b"old")).expect("written");
        let failed = replace(&path, |out| {
            out.write_all(b"new")?;
            Err::<(), _>(io::Error::other("no"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(path).expect("there"), "old");
    }

    #[test]
    fn every_refusal_names_the_path_and_a_way_out() {
        let home = tempfile::tempdir().expect("a directory");
        let absent = put(&home.path().join("no/such/x"), "").expect_err("no directory");
        assert!(absent.to_string().contains("no/such/x"));
        assert_eq!(absent.hint(), Some("create the directory first"));
        for directory in [home.path().to_path_buf(), home.path().join("new/"), PathBuf::from("/")] {
            assert!(matches!(put(&directory, ""), Err(FileError::NotAFile { .. })), "{directory:?}");
        }
        let device = put(Path::new("/dev/null"), "").expect_err("a device");
        assert!(device.hint().is_some_and(|hint| hint.contains("name of a file")));
        let long = put(&home.path().join("x".repeat(300)), "").expect_err("too long");
        assert_eq!(long.hint(), Some("choose a shorter name"));
        assert_eq!(names(home.path()), [""; 0]);
    }

    #[test]
    fn names_from_data_cannot_leave_the_directory() {
        for (raw, safe) in [
            ("../../etc/x", "etc-x"),
            ("api.js", "api.js"),
            (".hidden", "hidden"),
            ("a/b\u{1b}[31m\n", "a-b--31m"),
            ("", "unnamed"),
            ("..", "unnamed"),
            ("函数", "unnamed"),
        ] {
            assert_eq!(safe_file_name(raw), safe, "{raw:?}");
        }
        assert_eq!(safe_file_name(&"x".repeat(500)).len(), MAX_NAME);
    }
}
