//! Readings of `/proc` for one process: who it is, what it does, what it listens on.
//!
//! Everything is read anew at each call; nothing is kept. A process that is gone and one we may not look into are two
//! different errors, because the user must do two different things about them.

mod pidfd;
mod sockets;
mod status;

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use pidfd::PidFd;
pub use sockets::{Listener, SocketOwner, owner_of_socket};
pub use status::{Signals, Status, ThreadTime};

/// Why a reading failed.
#[derive(Debug, Error)]
pub enum ProcError {
    /// There is no such process, or it ended.
    #[error("there is no process {pid}")]
    NoSuchProcess {
        /// Its PID.
        pid: u32,
    },
    /// The kernel does not let us look.
    #[error("not permitted to read {}", path.display())]
    NotPermitted {
        /// What we wanted to read.
        path: PathBuf,
    },
    /// Something else went wrong.
    #[error("failed to read {}", path.display())]
    Read {
        /// What we wanted to read.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is not as the kernel documents it.
    #[error("{} is not in the form expected", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
    },
}

/// What makes a process this one and no other: a PID is used again, and `exec` changes the program but not the PID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// The PID, as our namespace counts.
    pub pid: u32,
    /// When it started, in clock ticks since boot.
    pub start_ticks: u64,
    /// Device and inode of the program it runs.
    pub exe: (u64, u64),
}

impl ProcessIdentity {
    /// Whether the PID still is the same process running the same program.
    pub fn still_same(&self) -> bool {
        Process::new(self.pid).identity().is_ok_and(|now| now == *self)
    }

    /// Whether it has ended, collected or not, or become another program.
    pub fn has_ended(self) -> bool {
        !self.still_same() || Process::new(self.pid).status().is_ok_and(|status| status.is_dead())
    }

    /// Whether it is stopped by a signal, where nothing answers.
    pub fn is_stopped(self) -> bool {
        Process::new(self.pid).status().is_ok_and(|status| status.is_stopped())
    }
}

/// A process to be asked. Holding one says nothing about whether it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    pid: u32,
}

impl Process {
    /// Names a process.
    pub const fn new(pid: u32) -> Self {
        Self { pid }
    }

    /// Every process there is.
    pub fn all() -> Vec<Self> {
        let names = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.file_name());
        let mut pids: Vec<u32> = names.filter_map(|name| name.to_str()?.parse().ok()).collect();
        pids.sort_unstable();
        pids.into_iter().map(Self::new).collect()
    }

    /// The PID, as our namespace counts.
    pub const fn pid(self) -> u32 {
        self.pid
    }

    /// Who it is, for recognising it later.
    pub fn identity(self) -> Result<ProcessIdentity, ProcError> {
        let start_ticks = self.status()?.start_ticks;
        let exe = fs::metadata(self.path("exe")).map_err(|error| self.error("exe", error))?;
        Ok(ProcessIdentity { pid: self.pid, start_ticks, exe: (exe.dev(), exe.ino()) })
    }

    /// The program it runs, without the kernel's mark of a deleted file.
    pub fn exe(self) -> Result<PathBuf, ProcError> {
        let path = self.read_link("exe")?;
        let text = path.to_string_lossy();
        Ok(text.strip_suffix(" (deleted)").map_or_else(|| path.clone(), PathBuf::from))
    }

    /// A path by which the program can be opened even if its file was deleted or replaced.
    pub fn exe_link(self) -> PathBuf {
        self.path("exe")
    }

    /// Its short name, of at most 15 bytes.
    pub fn comm(self) -> Result<String, ProcError> {
        Ok(self.read_text("comm")?.trim_end_matches('\n').to_owned())
    }

    /// Its arguments, the program's own name first. Empty for kernel threads.
    pub fn cmdline(self) -> Result<Vec<String>, ProcError> {
        Ok(nul_separated(&self.read_text("cmdline")?))
    }

    /// One variable of the environment it was started with.
    pub fn initial_env(self, name: &str) -> Result<Option<String>, ProcError> {
        let environment = nul_separated(&self.read_text("environ")?);
        Ok(environment
            .iter()
            .find_map(|entry| entry.strip_prefix(name)?.strip_prefix('=').map(ToOwned::to_owned)))
    }

    /// Its working directory.
    pub fn cwd(self) -> Result<PathBuf, ProcError> {
        self.read_link("cwd")
    }

    /// The user it belongs to.
    pub fn uid(self) -> Result<u32, ProcError> {
        Ok(self.status()?.uid)
    }

    /// State, signals, user, start and CPU times.
    pub fn status(self) -> Result<Status, ProcError> {
        let malformed = |name| ProcError::Malformed { path: self.path(name) };
        let (stat, status) = (self.read_text("stat")?, self.read_text("status")?);
        let times = status::parse_stat(&stat).ok_or_else(|| malformed("stat"))?;
        status::parse_status(&status, times).ok_or_else(|| malformed("status"))
    }

    /// How long it has been running.
    pub fn age(self) -> Result<Duration, ProcError> {
        let path = Path::new("/proc/uptime");
        let text =
            fs::read_to_string(path).map_err(|source| ProcError::Read { path: path.into(), source })?;
        let uptime: f64 = text
            .split_whitespace()
            .next()
            .and_then(|seconds| seconds.parse().ok())
            .ok_or_else(|| ProcError::Malformed { path: path.into() })?;
        let started = self.status()?.start_ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
        Ok(Duration::from_secs_f64((uptime - started).max(0.0)))
    }

    /// State and CPU time of each thread; threads that end meanwhile are left out.
    pub fn threads(self) -> Result<Vec<ThreadTime>, ProcError> {
        let directory = fs::read_dir(self.path("task")).map_err(|error| self.error("task", error))?;
        let tids = directory.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        Ok(tids.filter_map(|tid| self.thread(tid).ok()).collect())
    }

    /// State and CPU time of one thread. The main thread's id is the PID.
    pub fn thread(self, tid: u32) -> Result<ThreadTime, ProcError> {
        let name = format!("task/{tid}/stat");
        let text = self.read_text(&name)?;
        let times =
            status::parse_stat(&text).ok_or_else(|| ProcError::Malformed { path: self.path(&name) })?;
        Ok(ThreadTime { tid, name: times.comm, state: times.state, cpu: times.cpu })
    }

    /// The files mapped into its memory, each once.
    pub fn mapped_files(self) -> Result<Vec<PathBuf>, ProcError> {
        let maps = self.read_text("maps")?;
        let mut files: Vec<PathBuf> =
            maps.lines().filter_map(|line| Some(PathBuf::from(&line[line.find('/')?..]))).collect();
        files.sort_unstable();
        files.dedup();
        Ok(files)
    }

    /// The files it holds open; what is no file is named as the kernel does.
    pub fn open_files(self) -> Result<Vec<PathBuf>, ProcError> {
        let entries = fs::read_dir(self.path("fd")).map_err(|error| self.error("fd", error))?;
        // One may be closed while we look.
        Ok(entries.flatten().filter_map(|entry| fs::read_link(entry.path()).ok()).collect())
    }

    /// Where its program is loaded: what addresses in a relocated program count from.
    pub fn load_address(self) -> io::Result<u64> {
        let program = fs::metadata(self.path("exe"))?.ino().to_string();
        let maps = fs::read_to_string(self.path("maps"))?;
        let address = maps.lines().find_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let is_start = fields.get(2)? == &"00000000" && fields.get(4)? == &program;
            u64::from_str_radix(fields[0].split('-').next()?, 16).ok().filter(|_| is_start)
        });
        address.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// A path by which its memory can be read, by whom the kernel lets. Reading stops nothing.
    pub fn memory_path(self) -> PathBuf {
        self.path("mem")
    }

    /// Whether it shares our network, so that its loopback is ours.
    pub fn shares_our_network(self) -> Result<bool, ProcError> {
        let ours = fs::read_link("/proc/self/ns/net")
            .map_err(|source| ProcError::Read { path: "/proc/self/ns/net".into(), source })?;
        Ok(ours == self.read_link("ns/net")?)
    }

    /// Every TCP socket on which somebody listens in its network, with those of others.
    pub fn listeners_of_its_network(self) -> Result<Vec<Listener>, ProcError> {
        let mut all = sockets::parse_listeners(&self.read_text("net/tcp")?);
        // Absent where the kernel has no IPv6.
        if let Ok(six) = self.read_text("net/tcp6") {
            all.extend(sockets::parse_listeners(&six));
        }
        Ok(all)
    }

    /// The TCP sockets on which this process listens.
    pub fn listeners(self) -> Result<Vec<Listener>, ProcError> {
        let owned = sockets::socket_inodes(&self.path("fd")).map_err(|error| self.error("fd", error))?;
        let all = self.listeners_of_its_network()?;
        Ok(all.into_iter().filter(|listener| owned.contains(&listener.inode)).collect())
    }

    fn path(self, name: &str) -> PathBuf {
        Path::new("/proc").join(self.pid.to_string()).join(name)
    }

    fn read_text(self, name: &str) -> Result<String, ProcError> {
        let bytes = fs::read(self.path(name)).map_err(|error| self.error(name, error))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn read_link(self, name: &str) -> Result<PathBuf, ProcError> {
        fs::read_link(self.path(name)).map_err(|error| self.error(name, error))
    }

    fn error(self, name: &str, source: io::Error) -> ProcError {
        let gone = rustix::io::Errno::SRCH.raw_os_error();
        match source.kind() {
            io::ErrorKind::NotFound => ProcError::NoSuchProcess { pid: self.pid },
            io::ErrorKind::PermissionDenied => ProcError::NotPermitted { path: self.path(name) },
            _ if source.raw_os_error() == Some(gone) => ProcError::NoSuchProcess { pid: self.pid },
            _ => ProcError::Read { path: self.path(name), source },
        }
    }
}

fn nul_separated(text: &str) -> Vec<String> {
    text.split_terminator('\0').map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn we_can_read_ourselves() {
        let me = Process::new(std::process::id());
        let identity = me.identity().expect("own identity");
        assert!(identity.still_same());
        assert!(!ProcessIdentity { start_ticks: identity.start_ticks + 1, ..identity }.still_same());
        assert!(me.shares_our_network().expect("own network"));
        assert!(!me.cmdline().expect("own arguments").is_empty());
        assert!(me.threads().expect("own threads").iter().any(|thread| thread.tid == me.pid()));
        assert!(me.age().expect("own age") < Duration::from_hours(24));
    }

    #[test]
    fn nobody_has_pid_zero() {
        assert!(matches!(Process::new(0).status(), Err(ProcError::NoSuchProcess { pid: 0 })));
    }

    #[test]
    fn our_own_listener_is_found_and_named() {
        let socket = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = socket.local_addr().expect("its address");
        let listeners = Process::new(std::process::id()).listeners().expect("own listeners");
        let found = listeners.iter().find(|listener| listener.address == address).expect("found");
        assert_eq!(owner_of_socket(found.inode).pid, Some(std::process::id()));
    }
}
