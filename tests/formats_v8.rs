//! Profiles of V8 and browsers, as real programs wrote them: read by flametop with the totals that the
//! files themselves have.

mod support;

use flametop::feed::TargetInfo;
use flametop::format::{self, Export, Limits};
use flametop::profile::{FrameKind, Profile};
use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A stored file, unpacked.
fn stored(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let packed = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    GzDecoder::new(&*packed).read_to_end(&mut bytes).expect("a gzip file");
    bytes
}

/// Reads a stored file as the format that its content tells.
fn read(name: &str, format: &str) -> Vec<Profile> {
    let bytes = stored(name);
    let head = &bytes[..bytes.len().min(4096)];
    let takers: Vec<&str> = format::FORMATS
        .iter()
        .filter(|taker| taker.spec().reads && taker.recognise(head))
        .map(|taker| taker.spec().name)
        .collect();
    assert_eq!(takers, [format], "{name} is told by its content, by one format alone");
    let windows = format::recognise(head).expect("known").read(&bytes, &Limits::default());
    let windows = windows.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(windows.iter().all(Profile::is_sound));
    windows
}

/// Values of functions by name: of their own.
fn by_function(windows: &[Profile], kind: &str) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for window in windows {
        let Some(column) = window.kind(kind) else { continue };
        for lane in &window.lanes {
            for (node, value) in lane.nodes.iter().zip(&lane.columns[column]) {
                let frame = window.nodes[*node as usize].frame as usize;
                *sums.entry(window.frames[frame].name.to_string()).or_insert(0) += value;
            }
        }
    }
    sums
}

/// Samples and microseconds by function, by the rule of the format: a sample lasts until the next.
fn told_by_cpu_profile(name: &str) -> BTreeMap<String, (i64, i64)> {
    let json: Value = serde_json::from_slice(&stored(name)).expect("JSON");
    let list = |key: &str| json[key].as_array().expect("a list").clone();
    let names: BTreeMap<i64, String> = list("nodes")
        .iter()
        .map(|node| {
            let name = node["callFrame"]["functionName"].as_str().expect("a name");
            (
                node["id"].as_i64().expect("an id"),
                if name.is_empty() { "(anonymous)" } else { name }.to_owned(),
            )
        })
        .collect();
    let mut at = json["startTime"].as_i64().expect("a time");
    let mut samples: Vec<(i64, i64)> = Vec::new();
    for (id, delta) in list("samples").iter().zip(list("timeDeltas")) {
        at += delta.as_i64().expect("a time");
        samples.push((at, id.as_i64().expect("an id")));
    }
    samples.sort_by_key(|sample| sample.0);
    let ends = samples.iter().skip(1).map(|sample| sample.0).chain(json["endTime"].as_i64());
    let mut told = BTreeMap::new();
    for ((at, id), end) in samples.iter().zip(ends) {
        let sum: &mut (i64, i64) = told.entry(names[id].clone()).or_default();
        *sum = (sum.0 + 1, sum.1 + end - at);
    }
    told
}

#[test]
fn nodes_cpu_profiles_have_the_samples_and_times_they_tell() {
    for name in ["node18.cpuprofile.gz", "node24.cpuprofile.gz"] {
        let windows = read(name, "cpuprofile");
        assert!(windows.len() >= 3, "{name} is cut into seconds");
        let told = told_by_cpu_profile(name);
        let samples = told.iter().map(|(name, sum)| (name.clone(), sum.0)).collect();
        assert_eq!(by_function(&windows, "samples"), samples, "{name}");
        let times: BTreeMap<String, i64> =
            told.iter().map(|(name, sum)| (name.clone(), sum.1 * 1000)).collect();
        assert_eq!(by_function(&windows, "cpu"), times, "{name}");
        let hot = windows[0].frames.iter().find(|frame| &*frame.name == "fib").expect("the hot function");
        assert!(hot.file.ends_with("/work.js") && hot.line == 2 && hot.kind == FrameKind::Js, "{hot:?}");
        assert!(
            (4_000_000..6_000_000).contains(&windows[0].sampling.period),
            "{name}: every 5 ms was asked for"
        );
    }
}

#[test]
fn nodes_heap_profiles_have_the_bytes_they_tell() {
    for name in ["node18.heapprofile.gz", "node24.heapprofile.gz"] {
        let windows = read(name, "heapprofile");
        let json: Value = serde_json::from_slice(&stored(name)).expect("JSON");
        let mut waiting = vec![&json["head"]];
        let mut told: BTreeMap<String, i64> = BTreeMap::new();
        while let Some(node) = waiting.pop() {
            waiting.extend(node["children"].as_array().expect("a list"));
            let name = node["callFrame"]["functionName"].as_str().expect("a name");
            let name = if name.is_empty() { "(anonymous)" } else { name };
            *told.entry(name.to_owned()).or_insert(0) += node["selfSize"].as_i64().expect("a size");
        }
        told.retain(|_, size| *size > 0);
        if let Some(size) = told.remove("(root)") {
            // The root is no place in a program.
            told.insert("(program)".into(), size);
        }
        assert_eq!(by_function(&windows, "inuse_space"), told, "{name}");
        assert!(told["allocate"] > 1_000_000, "{name}: what the program keeps");
    }
}

#[test]
fn the_profile_in_a_trace_of_chromium_has_the_samples_it_tells() {
    let windows = read("chrome.trace.json.gz", "chrome-trace");
    let json: Value = serde_json::from_slice(&stored("chrome.trace.json.gz")).expect("JSON");
    let chunks = json["traceEvents"].as_array().expect("a list").iter();
    let chunks = chunks.filter(|event| event["name"] == "ProfileChunk").map(|event| &event["args"]["data"]);
    let (mut names, mut told) = (BTreeMap::new(), BTreeMap::<String, i64>::new());
    for chunk in chunks {
        for node in chunk["cpuProfile"]["nodes"].as_array().into_iter().flatten() {
            let name = node["callFrame"]["functionName"].as_str().expect("a name");
            names.insert(node["id"].as_i64(), if name.is_empty() { "(anonymous)" } else { name });
        }
        for sample in chunk["cpuProfile"]["samples"].as_array().into_iter().flatten() {
            *told.entry(names[&sample.as_i64()].to_owned()).or_default() += 1;
        }
    }
    assert_eq!(by_function(&windows, "samples"), told);
    assert!(told["fib"] > 100, "{told:?}");
    let lane = &windows[0].lanes[0];
    assert_eq!(&*lane.thread.name, "CrRendererMain");
    assert!(windows.iter().flat_map(|window| &window.frames).any(|frame| frame.file.ends_with("/page.html")));
}

/// What other programs make of a file that flametop wrote.
mod viewers {
    use super::support::runtimes;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Output};

    /// `pq`, the Firefox Profiler without a browser: each call speaks to a process that it leaves behind.
    pub struct Pq {
        node: PathBuf,
        script: PathBuf,
        home: tempfile::TempDir,
    }

    impl Pq {
        /// Starts it with a file; none where it is not installed.
        pub fn load(file: &Path) -> Option<Self> {
            let node = runtimes::node_or_skip(24)?;
            let script = runtimes::viewer_or_skip("@firefox-devtools/profiler-cli/dist/profiler-cli.js")?;
            let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
            let pq = Self { node, script, home };
            pq.ask(&["load", file.to_str().expect("a path that is text")]);
            Some(pq)
        }

        /// What it answers; its complaints fail the test.
        pub fn ask(&self, words: &[&str]) -> String {
            let Output { status, stdout, stderr } = self.run(words);
            let said = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
            assert!(status.success() && !said.contains("Error:"), "pq {words:?}: {said}");
            said
        }

        fn run(&self, words: &[&str]) -> Output {
            let mut command = Command::new(&self.node);
            command.arg(&self.script).args(words).env("HOME", self.home.path());
            command.output().expect("node starts")
        }
    }

    impl Drop for Pq {
        fn drop(&mut self) {
            self.run(&["stop", "--all"]);
        }
    }
}

/// The second window of a real profile, written in a format into a file of that name.
fn written_again(format: &str, directory: &Path) -> (Profile, PathBuf) {
    let window = read("node24.cpuprofile.gz", "cpuprofile").swap_remove(1);
    let target =
        TargetInfo { name: "work.js".into(), executable: "/usr/bin/node".into(), ..TargetInfo::default() };
    let format = format::by_name(format).expect("a format");
    let path = directory.join(format!("again.{}", format.spec().extension));
    let mut file = std::fs::File::create(&path).expect("a file");
    format.write(&Export::new(&window, &target), &mut file).expect("written");
    (window, path)
}

#[test]
fn a_real_window_is_the_same_through_every_format_that_holds_time() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    for name in ["cpuprofile", "speedscope", "firefox", "pprof"] {
        let (window, path) = written_again(name, directory.path());
        let bytes = std::fs::read(&path).expect("it was written");
        let format = format::recognise(&bytes[..bytes.len().min(4096)]).expect("recognised");
        assert_eq!(format.spec().name, name);
        let again = by_function(&format.read(&bytes, &Limits::default()).expect("read"), "cpu");
        for (function, time) in by_function(&[window], "cpu") {
            // Formats for exchange leave idle time out of CPU.
            if function == "(idle)" && matches!(name, "speedscope" | "pprof") {
                continue;
            }
            let found = again.get(&function).copied().unwrap_or(0);
            assert!(found.abs_diff(time) <= 50_000, "{name}: {function}: {found} of {time}");
        }
    }
}

#[test]
fn the_firefox_profiler_opens_what_is_written_for_it_and_finds_the_same_functions() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    for name in ["firefox", "cpuprofile"] {
        let (window, path) = written_again(name, directory.path());
        let Some(pq) = viewers::Pq::load(&path) else { return };
        let said = pq.ask(&["thread", "samples"]);
        let (_, by_self) = said.split_once("by self time").expect("it lists functions");
        let times = by_function(&[window], "cpu");
        let busiest = times.iter().filter(|(name, _)| *name != "(idle)").max_by_key(|(_, time)| **time);
        let busiest = busiest.expect("it has functions").0;
        let first = by_self.lines().find(|line| line.contains("self:")).expect("a function");
        assert!(first.contains(busiest.as_str()), "{name}: {busiest} is first: {said}");
    }
}
