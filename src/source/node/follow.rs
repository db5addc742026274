//! Who takes the place of a target that has ended: a deploy, a crash and a supervisor's restart make a new process.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::sleep;

use super::identify::identify;
use crate::source::procfs::{Process, ProcessIdentity};

/// How often new processes are looked for.
const STEP: Duration = Duration::from_millis(250);

/// What is known of a target for finding its successor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Successor {
    of: ProcessIdentity,
    command: Vec<String>,
    /// The process that started it, unless that is the first of all, which adopts any.
    supervisor: Option<ProcessIdentity>,
}

impl Successor {
    /// Takes note of a target that runs. `None` if it can't be seen.
    pub(super) fn of(process: ProcessIdentity) -> Option<Self> {
        let target = Process::new(process.pid);
        let supervisor = target.status().ok().map(|status| status.parent).filter(|parent| *parent > 1);
        Some(Self {
            of: process,
            command: target.cmdline().ok()?,
            supervisor: supervisor.and_then(|parent| Process::new(parent).identity().ok()),
        })
    }

    /// The PID of the target that has ended.
    pub(super) fn pid(&self) -> u32 {
        self.of.pid
    }

    /// Waits for the successor: a younger Node with the same command, or with the same supervisor.
    pub(super) async fn appears(&self) -> u32 {
        let mut known = HashSet::new();
        loop {
            if let Some(pid) = processes().find(|pid| self.is_followed_by(*pid, &mut known)) {
                return pid;
            }
            sleep(STEP).await;
        }
    }

    /// Whether it is the one. `known` are those that are not: each process is looked at closely once, when it has
    /// become what it is to be, for it may exec.
    fn is_followed_by(&self, pid: u32, known: &mut HashSet<ProcessIdentity>) -> bool {
        let process = Process::new(pid);
        let Ok(identity) = process.identity() else { return false };
        if known.contains(&identity) {
            return false;
        }
        if identity.start_ticks < self.of.start_ticks || identity == self.of {
            known.insert(identity);
            return false;
        }
        let alike = process.cmdline().is_ok_and(|command| command == self.command);
        let parent = process.status().ok().map(|status| status.parent);
        let sibling = self
            .supervisor
            .is_some_and(|supervisor| parent == Some(supervisor.pid) && supervisor.still_same());
        if (alike || sibling) && identify(process).is_ok() {
            return true;
        }
        known.insert(identity);
        false
    }
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_node_follows_nobody_and_is_looked_at_once() {
        let us = Process::new(std::process::id()).identity().expect("we run");
        let known = Successor::of(us).expect("we can be seen");
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("sleep runs");
        let mut seen = HashSet::new();
        assert!(!known.is_followed_by(child.id(), &mut seen));
        assert!(!known.is_followed_by(us.pid, &mut seen), "it does not follow itself");
        assert!(seen.contains(&us));
        child.kill().and_then(|()| child.wait()).expect("it ends");
    }
}
