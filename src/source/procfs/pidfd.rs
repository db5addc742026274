//! A hold on one process that PID reuse cannot loosen.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A file descriptor of a process: a signal sent through it can reach no other.
#[derive(Debug)]
pub struct PidFd {
    fd: OwnedFd,
}

impl PidFd {
    /// Takes hold of a process. Check its identity after this, not before.
    pub fn open(pid: u32) -> io::Result<Self> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?;
        let fd = pidfd_open(pid, PidfdFlags::empty())?;
        Ok(Self { fd })
    }

    /// Sends SIGUSR1, which makes Node open its inspector.
    pub fn send_usr1(&self) -> io::Result<()> {
        Ok(pidfd_send_signal(&self.fd, Signal::USR1)?)
    }

    /// Sends SIGUSR2, by which a flametop is asked to begin or end its recording.
    pub fn send_usr2(&self) -> io::Result<()> {
        Ok(pidfd_send_signal(&self.fd, Signal::USR2)?)
    }

    /// Whether the process has ended.
    pub fn exited(&self) -> bool {
        let mut fds = [PollFd::new(&self.fd, PollFlags::IN)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        // A descriptor that cannot be polled tells nothing; whoever asks will meet the error elsewhere.
        matches!(poll(&mut fds, Some(&at_once)), Ok(ready) if ready > 0)
    }
}

impl AsFd for PidFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_seen() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("sleep runs");
        let held = PidFd::open(child.id()).expect("opens");
        assert!(!held.exited());
        child.kill().expect("killed");
        child.wait().expect("collected");
        assert!(held.exited());
    }

    #[test]
    fn pid_zero_is_nobody() {
        assert_eq!(PidFd::open(0).expect_err("nobody").kind(), io::ErrorKind::NotFound);
    }
}
