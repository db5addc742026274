//! What Linux says of a process from outside: `/proc`, without the help of the process or of flametop.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// True while the process exists and has not ended (a zombie has).
pub fn is_alive(pid: u32) -> bool {
    state(pid).is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// The one-letter state: `R`, `S`, `D`, `T` (stopped), `Z` ...; `None` when there is no such process.
pub fn state(pid: u32) -> Option<char> {
    stat_fields(pid)?.first()?.chars().next()
}

/// The TCP ports on which the process itself listens, in order, IPv4 and IPv6.
///
/// The kernel lists all sockets of the network namespace; the process's own are those among its files.
pub fn listening_ports(pid: u32) -> Vec<u16> {
    let own = socket_inodes(pid);
    let tables = ["tcp", "tcp6"].map(|table| fs::read_to_string(format!("/proc/{pid}/net/{table}")));
    let rows = tables.iter().flatten().flat_map(|table| table.lines().skip(1));
    let ports = rows.filter_map(listening_row).filter(|(inode, _)| own.contains(inode));
    ports.map(|(_, port)| port).collect::<BTreeSet<u16>>().into_iter().collect()
}

/// How many files the process has open.
pub fn open_files(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// The names of the threads, sorted; a name that occurs twice is there twice.
pub fn thread_names(pid: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    let mut names: Vec<String> = names.map(|name| name.trim_end().to_owned()).collect();
    names.sort();
    names
}

/// The children of the process, by any of its threads.
pub fn children(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>())
        .collect()
}

/// CPU time of all threads so far, user and system, in clock ticks (100 a second on Linux).
pub fn cpu_ticks(pid: u32) -> Option<u64> {
    let fields = stat_fields(pid)?;
    // Fields 14 and 15 of proc(5), counted from 1; the list starts with field 3.
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

/// Resident memory in KiB.
pub fn resident_kib(pid: u32) -> Option<u64> {
    status_field(pid, "VmRSS")?.split_whitespace().next()?.parse().ok()
}

/// The most resident memory the process ever had, in KiB.
pub fn peak_resident_kib(pid: u32) -> Option<u64> {
    status_field(pid, "VmHWM")?.split_whitespace().next()?.parse().ok()
}

/// True when the process has a handler for the signal number.
pub fn catches_signal(pid: u32, signal: u32) -> bool {
    let mask = status_field(pid, "SigCgt").and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

/// The PID of the process that traces this one, if any.
pub fn tracer(pid: u32) -> Option<u32> {
    status_field(pid, "TracerPid")?.trim().parse().ok().filter(|&tracer| tracer != 0)
}

fn status_field(pid: u32, name: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.trim().to_owned())
}

/// The fields of `/proc/PID/stat` from the third on: the second is a name that may hold anything.
fn stat_fields(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

fn socket_inodes(pid: u32) -> BTreeSet<u64> {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let links = files.filter_map(|file| fs::read_link(file.path()).ok());
    links.filter_map(|link| socket_inode(&link)).collect()
}

fn socket_inode(link: &Path) -> Option<u64> {
    link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// The inode and port of a row of `/proc/net/tcp` in state 0A, LISTEN.
fn listening_row(row: &str) -> Option<(u64, u16)> {
    let fields: Vec<&str> = row.split_whitespace().collect();
    let (_, port) = fields.get(1)?.rsplit_once(':')?;
    (*fields.get(3)? == "0A").then_some(())?;
    Some((fields.get(9)?.parse().ok()?, u16::from_str_radix(port, 16).ok()?))
}
