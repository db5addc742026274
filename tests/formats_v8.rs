//! Profiles of V8 and browsers, as real programs wrote them: read by flametop with the totals that the
//! files themselves have.

use flametop::format::{self, Limits};
use flametop::profile::{FrameKind, Profile};
use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

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
        let column = window.kind(kind).expect("the kind is there");
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
