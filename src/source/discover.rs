//! Finds the processes that flametop can attach to, for the picker and for `flametop NAME`.
//!
//! A look changes nothing: no signal, no connection. What a process is, is told by the name of its
//! program; the proof is the attaching source's. Found but unreachable ones are listed with the
//! reason, so that nobody wonders where theirs is.

use super::procfs::{Process, Status};
use crate::profile::{Nanos, clean_name, clean_path};
use rustc_hash::FxHashMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind, Users};

/// At most so many processes are listed, the busiest first.
const MAX_FOUND: usize = 500;
/// Between the two readings of the first look, which CPU use is the difference of.
const FIRST_LOOK: Duration = Duration::from_millis(200);
/// The signal that opens Node's inspector.
const SIGUSR1: u32 = 10;

/// A process that flametop knows the kind of.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its id.
    pub pid: u32,
    /// What it is: `Node`, `Deno`, `Bun`.
    pub kind: Arc<str>,
    /// Its short name: the script's file name, or the program's.
    pub name: Arc<str>,
    /// Its command line, cleaned.
    pub command: Arc<str>,
    /// CPU use since the look before, 1.0 is one core.
    pub cpu: f64,
    /// Resident memory.
    pub rss: u64,
    /// How long it has run.
    pub age: Nanos,
    /// Whose it is.
    pub user: Arc<str>,
    /// Why it can't be attached to, if so.
    pub obstacle: Option<Arc<str>>,
    /// Names by which it can be asked for.
    names: Vec<String>,
}

/// Why a name does not lead to one process.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    /// None has it.
    #[error("no process that flametop can attach to is named {name:?}{}", near(known))]
    None {
        /// As asked.
        name: String,
        /// Names that there are.
        known: Vec<String>,
    },
    /// Several have it.
    #[error("{} processes are named {name:?}:{}", found.len(), listed(found))]
    Several {
        /// As asked.
        name: String,
        /// They.
        found: Vec<Found>,
    },
}

impl NameError {
    /// The way out.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::None { .. } => "give a PID, or start flametop without a target to pick one",
            Self::Several { .. } => "give the PID of the one you mean",
        }
    }
}

fn near(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!("; there are {}", known.join(", ")) }
}

fn listed(found: &[Found]) -> String {
    let line = |one: &Found| {
        format!(
            "
  {:>7}  {}  {}",
            one.pid, one.user, one.command
        )
    };
    found.iter().map(line).collect::<Vec<_>>().concat()
}

/// Looks again and again, and so knows the CPU use in between.
pub struct Discovery {
    /// None only on systems where flametop has nothing to list either.
    system: Option<System>,
    users: Option<Users>,
    before: FxHashMap<Key, (Instant, Duration)>,
}

/// A PID is used again; with its start it is not.
type Key = (u32, u64);

/// A process before its CPU use is known.
struct Sighting {
    key: Key,
    status: Status,
    at: Instant,
    found: Found,
}

impl Default for Discovery {
    fn default() -> Self {
        Self::new()
    }
}

impl Discovery {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self {
            system: System::new().ok(),
            users: Users::new_with_refreshed_list().ok(),
            before: FxHashMap::default(),
        }
    }

    /// Looks. The first time it takes a fifth of a second, for the sake of the CPU figures; it blocks,
    /// so not on an asynchronous task's thread.
    pub fn look(&mut self) -> Vec<Found> {
        let mut sightings = self.sightings();
        if sightings.iter().any(|sighting| !self.before.contains_key(&sighting.key)) {
            self.remember(&sightings);
            std::thread::sleep(FIRST_LOOK);
            for sighting in &mut sightings {
                if let Ok(status) = Process::new(sighting.key.0).status() {
                    (sighting.status, sighting.at) = (status, Instant::now());
                }
            }
        }
        for sighting in &mut sightings {
            sighting.found.cpu = self.cpu_since(sighting);
            sighting.found.rss = sighting.status.resident_bytes;
        }
        self.before.clear();
        self.remember(&sightings);
        let mut found: Vec<Found> = sightings.into_iter().map(|sighting| sighting.found).collect();
        found.sort_by(|a, b| {
            let reachable = a.obstacle.is_some().cmp(&b.obstacle.is_some());
            reachable.then(b.cpu.total_cmp(&a.cpu)).then(a.pid.cmp(&b.pid))
        });
        found.truncate(MAX_FOUND);
        found
    }

    fn sightings(&mut self) -> Vec<Sighting> {
        let always = UpdateKind::Always;
        let what = ProcessRefreshKind::nothing().without_tasks().with_exe(always).with_cmd(always);
        let Some(system) = &mut self.system else { return Vec::new() };
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
        let family = family(system);
        let processes = system.processes().values();
        let others = processes.filter(|process| !family.contains(&process.pid()));
        others.filter_map(|process| sighting(process, self.users.as_ref())).collect()
    }

    fn cpu_since(&self, sighting: &Sighting) -> f64 {
        let Some((at, cpu)) = self.before.get(&sighting.key) else { return 0.0 };
        let span = sighting.at.duration_since(*at).as_secs_f64();
        let used = sighting.status.cpu.saturating_sub(*cpu).as_secs_f64();
        if span > 0.0 { used / span } else { 0.0 }
    }

    fn remember(&mut self, sightings: &[Sighting]) {
        for sighting in sightings {
            self.before.entry(sighting.key).or_insert((sighting.at, sighting.status.cpu));
        }
    }
}

fn sighting(process: &sysinfo::Process, users: Option<&Users>) -> Option<Sighting> {
    let words: Vec<String> = process.cmd().iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let program = program_of(process.exe(), &words, process.name());
    let kind = kind_of(&program)?;
    let proc = Process::new(process.pid().as_u32());
    let status = proc.status().ok().filter(|status| !status.is_dead())?;
    let script = script_of(&words);
    let names = names_of(&program, script, process.name());
    let found = Found {
        pid: proc.pid(),
        kind: kind.into(),
        name: clean_name(script.map_or(program.as_str(), file_name)),
        command: clean_path(&words.join(" ")),
        cpu: 0.0,
        rss: 0,
        age: proc.age().unwrap_or_default().into(),
        user: user_name(users, status.uid),
        obstacle: obstacle(kind, &status, &words).map(Into::into),
        names,
    };
    Some(Sighting { key: (proc.pid(), status.start_ticks), status, at: Instant::now(), found })
}

fn user_name(users: Option<&Users>, uid: u32) -> Arc<str> {
    let user = users.and_then(|users| users.iter().find(|user| **user.id() == uid));
    user.map_or_else(|| uid.to_string().into(), |user| clean_name(user.name()))
}

/// Looks once, as [`Discovery::look`] does the first time.
pub fn find() -> Vec<Found> {
    Discovery::new().look()
}

/// The one process of that name: a script's path, its file name with or without ending, a package's
/// directory, the program's file name, or the name the process gave itself.
pub fn find_by_name(name: &str) -> Result<Found, NameError> {
    one_of(find(), name)
}

fn one_of(found: Vec<Found>, name: &str) -> Result<Found, NameError> {
    let known = known_names(&found);
    let mut matching: Vec<Found> =
        found.into_iter().filter(|one| one.names.iter().any(|known| known == name)).collect();
    match matching.pop() {
        None => Err(NameError::None { name: name.into(), known }),
        Some(one) if matching.is_empty() => Ok(one),
        Some(last) => {
            matching.push(last);
            matching.sort_by_key(|one| one.pid);
            Err(NameError::Several { name: name.into(), found: matching })
        }
    }
}

fn known_names(found: &[Found]) -> Vec<String> {
    let mut known: Vec<String> = found.iter().map(|one| one.name.to_string()).collect();
    known.sort_unstable();
    known.dedup();
    known.truncate(10);
    known
}

/// We and those who started us: nobody means them.
fn family(system: &System) -> Vec<Pid> {
    let mut family = vec![Pid::from_u32(std::process::id())];
    while let Some(parent) =
        family.last().and_then(|pid| system.process(*pid)).and_then(sysinfo::Process::parent)
    {
        // A process that is its own ancestor would keep us here.
        if family.contains(&parent) {
            break;
        }
        family.push(parent);
    }
    family
}

/// The file name of the program; of what it was started as where we may not know its file.
fn program_of(exe: Option<&Path>, words: &[String], comm: &OsStr) -> String {
    let exe = exe.and_then(Path::file_name).map(OsStr::to_string_lossy);
    let name = exe.or_else(|| words.first().map(|word| file_name(word).into()));
    let name = name.unwrap_or_else(|| comm.to_string_lossy());
    name.strip_suffix(" (deleted)").unwrap_or(&name).to_owned()
}

fn kind_of(program: &str) -> Option<&'static str> {
    let version = |rest: &str| rest.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-');
    match program {
        "nodejs" => Some("Node"),
        "deno" => Some("Deno"),
        "bun" | "bunx" => Some("Bun"),
        _ => program.strip_prefix("node").filter(|rest| version(rest)).map(|_| "Node"),
    }
}

/// The script among a runtime's arguments: the first that is no option.
fn script_of(words: &[String]) -> Option<&str> {
    const TAKES_A_VALUE: [&str; 7] =
        ["-r", "--require", "--import", "--loader", "-C", "--conditions", "--inspect-port"];
    let mut words = words.iter().skip(1).map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "-e" | "-p" | "--eval" | "--print" => return None,
            _ if TAKES_A_VALUE.contains(&word) => _ = words.next(),
            _ if word.starts_with('-') => {}
            _ => return Some(word),
        }
    }
    None
}

fn names_of(program: &str, script: Option<&str>, comm: &OsStr) -> Vec<String> {
    let mut names = vec![program.to_owned(), comm.to_string_lossy().into_owned()];
    if let Some(script) = script {
        let file = file_name(script);
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        names.extend([script, file, stem].map(str::to_owned));
    }
    names
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').find(|part| !part.is_empty()).unwrap_or(path)
}

/// What stands in the way, as far as can be told without touching the process.
fn obstacle(kind: &str, status: &Status, words: &[String]) -> Option<String> {
    let us = rustix::process::geteuid().as_raw();
    let inspects = words.iter().skip(1).any(|word| word.starts_with("--inspect"));
    if kind != "Node" {
        return Some(format!("{kind} is not supported yet"));
    }
    if us != 0 && us != status.uid {
        return Some("belongs to another user: run flametop as that user".into());
    }
    if status.is_stopped() {
        return Some("is stopped: continue it first (fg, or kill -CONT)".into());
    }
    if !inspects && !status.signals.would_handle(SIGUSR1) {
        return Some("does not open its inspector on SIGUSR1: start it with --inspect".into());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    fn found(pid: u32, line: &str) -> Found {
        let words = words(line);
        let script = script_of(&words);
        Found {
            pid,
            kind: "Node".into(),
            name: script.map_or("node", file_name).into(),
            command: line.into(),
            cpu: 0.0,
            rss: 0,
            age: Nanos(0),
            user: "me".into(),
            obstacle: None,
            names: names_of("node", script, OsStr::new("MainThread")),
        }
    }

    #[test]
    fn runtimes_are_told_by_their_program() {
        for program in ["node", "nodejs", "node22", "node-20.1"] {
            assert_eq!(kind_of(program), Some("Node"), "{program}");
        }
        assert_eq!(kind_of("deno"), Some("Deno"));
        for program in ["node_exporter", "nodemon", "bash", ""] {
            assert_eq!(kind_of(program), None, "{program}");
        }
    }

    #[test]
    fn the_script_stands_behind_the_options() {
        assert_eq!(script_of(&words("node --inspect -r tool srv/api.js --port 1")), Some("srv/api.js"));
        assert_eq!(script_of(&words("node -e x")), None);
        assert_eq!(script_of(&words("node")), None);
    }

    #[test]
    fn one_name_is_one_process() {
        let all =
            || vec![found(1, "node /srv/api.js"), found(2, "node /srv/job.js"), found(3, "node /x/job.js")];
        for name in ["api", "api.js", "/srv/api.js"] {
            assert_eq!(one_of(all(), name).expect("is one").pid, 1, "{name}");
        }
        let several = one_of(all(), "job").expect_err("are two");
        let text = several.to_string();
        assert!(
            text.contains("2 processes") && text.contains("/srv/job.js") && text.contains("/x/job.js"),
            "{text}"
        );
        let none = one_of(all(), "ap").expect_err("is none").to_string();
        assert!(none.contains("api.js, job.js"), "{none}");
    }

    #[test]
    fn neither_we_nor_our_parents_are_found() {
        let mut discovery = Discovery::new();
        discovery.look();
        let family = family(discovery.system.as_ref().expect("Linux"));
        assert!(family.contains(&Pid::from_u32(std::process::id())));
        assert!(family.len() > 1, "we have a parent");
        assert!(discovery.look().iter().all(|found| !family.contains(&Pid::from_u32(found.pid))));
    }
}
