//! The matrix: every stored artefact of a real program, in every format that we write; what we read too is
//! read again, with the same totals.

mod support;

use flametop::format::FORMATS;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;
use support::program::flametop;
use support::recorded::record_world;

const PATIENCE: Duration = Duration::from_mins(1);
/// Formats that hold a heap or a CPU profile only.
const CPU_ONLY: [&str; 1] = ["cpuprofile"];
const HEAP_ONLY: [&str; 1] = ["heapprofile"];

/// The stored artefacts, unpacked so that none is known by its packing, under names that tell nothing; and
/// a recording of ours.
fn artefacts(directory: &Path) -> Vec<PathBuf> {
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut found = Vec::new();
    for entry in fs::read_dir(stored).expect("tests/data is there") {
        let path = entry.expect("readable").path();
        if path.extension().is_none_or(|extension| extension != "gz") {
            continue;
        }
        let mut bytes = Vec::new();
        let file = fs::File::open(&path).expect("readable");
        flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).expect("gzipped");
        let name = path.file_name().expect("has one").to_string_lossy().replace('.', "_");
        let plain = directory.join(format!("in_{name}"));
        fs::write(&plain, bytes).expect("the directory is ours");
        found.push(plain);
    }
    let ours = directory.join("in_ours");
    record_world(&ours, 3, 8);
    found.push(ours);
    assert!(found.len() > 4, "{found:?}");
    found
}

/// The sum of the numbers at the ends of folded lines of one kind; none when there is no such kind.
fn total(directory: &Path, file: &str, kind: &str) -> Option<i64> {
    let args = ["export", file, "-f", "folded", "--type", kind, "-o", "-"];
    let ended = flametop(&args, directory, PATIENCE);
    if ended.code == Some(2) && ended.stderr.contains("there are no") {
        return None;
    }
    assert_eq!(ended.code, Some(0), "{file} {kind}: {}", ended.stderr);
    Some(ended.stdout.lines().filter_map(|line| line.rsplit_once(' ')?.1.parse::<i64>().ok()).sum())
}

/// The kind that an artefact is looked at by: time before heap before counts.
fn main_kind(directory: &Path, file: &str) -> (&'static str, i64) {
    let kinds = ["cpu", "wall", "inuse_space", "alloc_space", "samples"];
    let found = kinds.into_iter().find_map(|kind| Some((kind, total(directory, file, kind)?)));
    found.unwrap_or_else(|| panic!("{file} has none of {kinds:?}"))
}

#[test]
fn every_artefact_goes_through_every_format_with_its_totals() {
    let directory = tempfile::tempdir().expect("a directory");
    let directory = directory.path();
    let mut through = 0;
    for artefact in artefacts(directory) {
        let name = artefact.file_name().expect("has one").to_string_lossy().into_owned();
        let (kind, whole) = main_kind(directory, &name);
        assert!(whole > 0, "{name} has no {kind}");
        let is_heap = kind.ends_with("_space");
        for spec in FORMATS.iter().map(|format| format.spec()).filter(|spec| spec.writes) {
            if (is_heap && CPU_ONLY.contains(&spec.name)) || (!is_heap && HEAP_ONLY.contains(&spec.name)) {
                continue;
            }
            let out = format!("out_{name}_{}", spec.name);
            let args = ["export", &name, "-f", spec.name, "--type", kind, "-o", &out];
            let ended = flametop(&args, directory, PATIENCE);
            assert_eq!(ended.code, Some(0), "{name} as {}: {}", spec.name, ended.stderr);
            assert!(fs::metadata(directory.join(&out)).is_ok_and(|file| file.len() > 0), "{out}");
            through += 1;
            if spec.reads {
                let (_, again) = main_kind(directory, &out);
                let off = (again - whole).abs() as f64 / whole as f64;
                // Formats of microseconds round each stack's time; a .cpuprofile holds the busiest thread.
                let one_thread = CPU_ONLY.contains(&spec.name) && again < whole && again * 2 > whole;
                assert!(off < 0.002 || one_thread, "{name} as {}: {whole} {kind} became {again}", spec.name);
            }
        }
    }
    assert!(through > 40, "{through}");
    support::tally::count("profiles through formats", through);
}
