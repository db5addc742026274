//! Names in a file made by others: a pprof profile that holds them as they are, under a file name as
//! bad, through everything that opens and prints it; and file names made of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flametop::feed::TargetInfo;
use flametop::files::safe_file_name;
use flametop::format::{Export, by_name};
use flametop::profile::{
    Frame, FrameKind, Moment, Nanos, Profile, ProfileLane, ProfileNode, Sampling, Span, Thread, ValueKind,
    clean_name,
};

use crate::names::{self, Name};
use crate::support::harmless::{assert_harmless, harm_in};
use crate::support::program::{flametop, tally};

const SOON: Duration = Duration::from_secs(20);

/// A profile of one chain of functions: each calls the next and has a value of its own.
fn profile_of(names: &[Name]) -> Profile {
    let mut frames = vec![Frame::named("all", FrameKind::Other)];
    frames.extend(names.iter().map(|name| Frame::at(&name.text, &name.text, 7, 1, FrameKind::Js)));
    let last = frames.len() as u32;
    let lane = ProfileLane {
        thread: Thread { pid: 42, tid: 42, name: "\u{1b}]0;thread\u{7}\u{202e}".into() },
        nodes: (1..last).collect(),
        columns: vec![vec![1; names.len()], vec![3; names.len()], vec![1_000_000; names.len()]],
        lines: Vec::new(),
        runs: Vec::new(),
        runs_dropped: 0,
    };
    Profile {
        kinds: vec![
            ValueKind::samples(),
            ValueKind { name: "\u{1b}]0;kind\u{7}\u{202e}".into(), ..ValueKind::samples() },
            ValueKind::cpu(),
        ],
        span: Span { start: Moment(1_790_000_000_000_000_000), length: Nanos::from_secs(1) },
        covered: Nanos::from_secs(1),
        sampling: Sampling { period_name: "cpu".into(), period: 1_000_000, ..Sampling::default() },
        frames,
        nodes: (0..last).map(|at| ProfileNode { parent: at.saturating_sub(1), frame: at }).collect(),
        lanes: vec![lane],
        notes: vec!["\u{1b}]0;note\u{7}\u{202e}".into()],
    }
}

/// Writes a pprof file of these functions.
pub fn pprof_file(names: &[Name], path: &Path) {
    let target = TargetInfo { name: "\u{1b}[2Jtarget".into(), ..TargetInfo::default() };
    let profile = profile_of(names);
    let mut bytes = Vec::new();
    let pprof = by_name("pprof").expect("a format of that name");
    pprof.write(&Export::new(&profile, &target), &mut bytes).expect("a vector takes every byte");
    std::fs::write(path, bytes).expect("the directory is ours");
}

#[test]
fn a_file_of_hostile_names_is_printed_without_harm() {
    let home = tempfile::tempdir().expect("a directory");
    let names = names::all();
    pprof_file(&names, &home.path().join("all.pb.gz"));
    tally(
        &["text", "JSON"],
        2,
        |how| (*how).to_owned(),
        |how| {
            let json = ["--json"].iter().filter(|_| *how == "JSON");
            let args: Vec<&str> = ["top", "./all.pb.gz", "-n", "1000"].iter().chain(json).copied().collect();
            let ended = flametop(&args, home.path(), SOON);
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            if *how == "JSON" {
                let table = ended.json();
                let rows = table["functions"].as_array().expect("a list").clone();
                let said: BTreeSet<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
                let missing: Vec<_> = cleaned(&names).difference(&said).copied().collect();
                // Of each string of a file 64 KiB are looked at, so the longest end in other hashes.
                assert!(missing.iter().all(|name| name.chars().count() > 1024), "{missing:?}");
                assert_eq!(said.len(), cleaned(&names).len());
                assert_eq!(table["total"], 1_000_000 * names.len());
            } else {
                // Title, total, heading, and a row for each function.
                assert_eq!(ended.stdout.lines().count(), 3 + cleaned(&names).len(), "{}", ended.stdout);
            }
        },
    );
}

/// The names as they should come out, each once. What is idle counts for nothing only without a script.
fn cleaned(names: &[Name]) -> BTreeSet<&'static str> {
    names.iter().map(|name| &*String::leak(clean_name(&name.text).to_string())).collect()
}

#[test]
fn files_of_hostile_names_are_opened_and_missed_without_harm() {
    tally(
        &names::all(),
        2,
        |name| name.what.to_owned(),
        |name| {
            let home = tempfile::tempdir().expect("a directory");
            let missing = format!("./missing{}", name.text.replace('\0', ""));
            let missing: String = missing.chars().take(20_000).collect();
            let ended = flametop(&["top", &missing], home.path(), SOON);
            assert!(matches!(ended.code, Some(3 | 5)), "{:?}: {}", ended.code, ended.stderr);
            assert!(ended.stderr.contains("missing"), "{}", ended.stderr);

            let path = home.path().join(file_name(&name.text));
            pprof_file(std::slice::from_ref(name), &path);
            let ended = flametop(&["top", &path.to_string_lossy()], home.path(), SOON);
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        },
    );
}

/// As much of a name as a file can have.
fn file_name(text: &str) -> PathBuf {
    let possible = text.chars().filter(|c| !matches!(c, '/' | '\0'));
    let mut name = String::from("x");
    possible
        .take_while(|c| {
            name.push(*c);
            name.len() < 200
        })
        .for_each(drop);
    name.push_str(".pb.gz");
    name.into()
}

#[test]
fn names_are_cleaned_once_and_stay_apart() {
    let names = names::all();
    tally(
        &names,
        1,
        |name| name.what.to_owned(),
        |name| {
            let clean = clean_name(&name.text);
            assert_harmless(&clean, name.what);
            assert!(!clean.contains('\n') && !clean.is_empty() && clean.chars().count() <= 1024 + 18);
            if harm_in(&name.text).is_none()
                && !name.text.is_empty()
                && name.text.len() <= 1024
                && !name.text.contains('\n')
            {
                assert_eq!(*clean, *name.text, "what does no harm stays");
            }
        },
    );
    let long: Vec<Name> = names.into_iter().filter(|name| name.text.len() > 1024).collect();
    let other: BTreeSet<_> = long.iter().map(|name| clean_name(&format!("{}!", name.text))).collect();
    assert!(long.iter().all(|name| !other.contains(&clean_name(&name.text))));
}

#[test]
fn file_names_made_of_hostile_names_are_safe() {
    tally(
        &names::all(),
        1,
        |name| name.what.to_owned(),
        |name| {
            assert_safe_file_name(&safe_file_name(&name.text));
        },
    );
}

/// Fails the test unless a file name has only safe characters, no leading dot, and is short enough.
#[track_caller]
pub fn assert_safe_file_name(name: &str) {
    assert!(name.len() <= 120 && !name.is_empty(), "{name:?}");
    assert!(!name.starts_with(['.', '-']), "{name:?}");
    assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)), "{name:?}");
}
