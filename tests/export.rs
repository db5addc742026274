//! `flametop export`: parts of files, in any format, with the numbers they had.

mod support;

use std::path::Path;
use std::time::Duration;
use support::program::{Ended, flametop};
use support::recorded::{cpu_between, record_world};

const PATIENCE: Duration = Duration::from_secs(30);
const SEED: u64 = 5;

fn export(directory: &Path, args: &[&str]) -> Ended {
    let args: Vec<&str> = ["export", "w.ftrec"].iter().chain(args).copied().collect();
    flametop(&args, directory, PATIENCE)
}

fn world(seconds: u64) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    record_world(&directory.path().join("w.ftrec"), SEED, seconds);
    directory
}

/// The sum of the numbers at the ends of folded lines.
fn folded_total(text: &str) -> i64 {
    text.lines().filter_map(|line| line.rsplit_once(' ')?.1.parse::<i64>().ok()).sum()
}

#[test]
fn a_part_of_a_recording_has_the_values_of_its_windows() {
    let directory = world(30);
    for (from, to) in [(0, 30), (5, 10), (12, 14)] {
        let part = [format!("+{from}s"), format!("+{to}s")];
        let args = ["-f", "folded", "--type", "cpu", "--from", &part[0], "--to", &part[1]];
        let whole = export(directory.path(), &args);
        assert_eq!(whole.code, Some(0), "{}", whole.stderr);
        let total = folded_total(&whole.stdout);
        assert_eq!(total, cpu_between(SEED, 30, from, to), "between {from} and {to}");
        let busy = export(directory.path(), &[&args[..], &["--focus", "."]].concat());
        assert_eq!(folded_total(&busy.stdout), total, "every stack has a function");
    }
    let clock = export(directory.path(), &["-f", "folded", "--from", "2026-03-02T14:00:05Z", "--to", "+10s"]);
    let offset = export(directory.path(), &["-f", "folded", "--from", "+5s", "--to", "-20s"]);
    assert_eq!(clock.stdout, offset.stdout);
    assert!(!clock.stdout.is_empty());
}

#[test]
fn a_profile_exported_again_keeps_its_numbers() {
    let directory = world(10);
    let first = export(directory.path(), &["-o", "a.pb.gz"]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert!(directory.path().join("a.heap.pb.gz").exists(), "heap goes beside");
    for name in ["a.pb.gz", "a.heap.pb.gz"] {
        let again = flametop(&["export", name, "-f", "folded"], directory.path(), PATIENCE);
        let kind: &[&str] =
            if name.contains("heap") { &["--type", "inuse_space"] } else { &["--type", "samples"] };
        let direct = export(directory.path(), &[&["-f", "folded"], kind].concat());
        let kind: Vec<&str> = ["export", name, "-f", "folded"].iter().chain(kind).copied().collect();
        let through = flametop(&kind, directory.path(), PATIENCE);
        assert_eq!(folded_total(&through.stdout), folded_total(&direct.stdout), "{name}: {}", through.stderr);
        assert_eq!(again.code, Some(0), "{}", again.stderr);
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_a_way_out() {
    let directory = world(3);
    for (args, code, word) in [
        (&["-f", "nonsense"][..], 2, "pprof"),
        (&[][..], 2, "-f"),
        (&["-f", "folded", "--from", "noon"][..], 2, "14:32:10"),
        (&["-f", "folded", "--from", "+2s", "--to", "+1s"][..], 2, "after"),
        (&["-f", "folded", "--thread", "nobody"][..], 2, "main"),
        (&["-f", "folded", "--type", "nothing"][..], 2, "cpu"),
        (&["-f", "folded", "--focus", "("][..], 2, "regular expression"),
        (&["-f", "folded", "--from", "+500s", "--to", "+600s"][..], 1, "--from"),
    ] {
        let refused = export(directory.path(), args);
        assert_eq!(refused.code, Some(code), "{args:?}: {}", refused.stderr);
        assert!(refused.stderr.contains(word), "{args:?}: {}", refused.stderr);
    }
    let missing = flametop(&["export", "no.ftrec", "-f", "folded"], directory.path(), PATIENCE);
    assert_eq!(missing.code, Some(3), "{}", missing.stderr);
}
