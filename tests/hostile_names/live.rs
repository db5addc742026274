//! Names that a live target says: a made-up inspector that says them in every place where it can, and
//! a real Node whose functions are called so.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::made_up::assert_safe_file_name;
use crate::names::{self, Name};
use crate::support::fake_inspector::{Call, Server, Socket, identity, list_answer, read_head};
use crate::support::harmless::{assert_harmless, harm_in};
use crate::support::pprof_go::GoPprof;
use crate::support::program::{flametop, survived, tally};
use crate::support::runtimes::{require_go, require_node};
use crate::support::target::Target;

const SOON: Duration = Duration::from_secs(20);

/// A server whose titles, names, scripts and refusals are all hostile.
pub fn hostile_target(names: Vec<Name>) -> Server {
    Server::start(move |mut stream| {
        if is_list_asked(&stream) {
            let _ = read_head(&mut stream);
            let title = format!("/srv/{}[77]", names[0].text);
            let _ = stream.write_all(list_answer(&stream, &title).as_bytes());
            return;
        }
        let functions: Vec<(String, String)> =
            names.iter().map(|name| (name.json.clone(), name.json.clone())).collect();
        let Some(mut socket) = Socket::accept(stream) else { return };
        let special = |call: &Call| special_reply(call, &names[0].text);
        socket.serve(special, |window| window.profile(&functions));
    })
}

fn is_list_asked(stream: &TcpStream) -> bool {
    let mut head = [0; 9];
    stream.peek(&mut head).is_ok_and(|length| head[..length].starts_with(b"GET /json"))
}

fn special_reply(call: &Call, name: &str) -> Option<String> {
    if call.runs("identify") {
        let mut who = identity();
        for field in ["node", "v8", "title", "platform", "arch"] {
            who[field] = name.into();
        }
        return Some(call.value(&who));
    }
    let is_start = call.runs("profile") && !call.expression.contains("end(\"");
    let message = format!("refused by {name}");
    match &*call.method {
        "Runtime.evaluate" if is_start => Some(call.refusal(&message)),
        "HeapProfiler.getSamplingProfile" => Some(call.refusal(&message)),
        _ => None,
    }
}

#[test]
fn a_target_of_hostile_names_is_recorded_named_and_replayed_without_harm() {
    tally(
        &names::all(),
        3,
        |name| name.what.to_owned(),
        |name| {
            let home = tempfile::tempdir().expect("a directory");
            let server = hostile_target(vec![name.clone()]);
            let ended = flametop(
                &["record", &server.address(), "--kind", "node", "--for", "200ms", "--heap"],
                home.path(),
                SOON,
            );
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            assert!(ended.stderr.contains("the profiler did not start"), "{}", ended.stderr);
            assert!(ended.stderr.len() < 20_000, "{} bytes", ended.stderr.len());
            let recording = only_file(home.path());
            let file = recording.file_name().expect("a name").to_string_lossy().into_owned();
            let made_up = file.strip_prefix("flametop-").expect("ours").strip_suffix(".ftrec").expect("ours");
            // Before the date and the time of day.
            assert_safe_file_name(made_up.rsplitn(3, '-').last().expect("a name"));
            let replayed = flametop(&["top", &format!("./{file}"), "--json"], home.path(), SOON);
            assert_eq!(replayed.code, Some(0), "{}", replayed.stderr);
            let table = replayed.json();
            assert!(table["functions"].as_array().is_some_and(|rows| rows.len() == 1), "{table}");
            assert_strings_harmless(&table);
        },
    );
}

fn only_file(directory: &Path) -> PathBuf {
    let entries = std::fs::read_dir(directory).expect("the directory is ours").flatten();
    let paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    let [path] = &*paths else { panic!("one file and nothing else: {paths:?}") };
    path.clone()
}

/// Fails the test if any string in it, once decoded, can do harm.
#[track_caller]
fn assert_strings_harmless(value: &Value) {
    match value {
        Value::String(text) => {
            assert_harmless(text, "a string of JSON");
            assert!(!text.contains('\n'), "{text:?}");
        }
        Value::Array(all) => all.iter().for_each(assert_strings_harmless),
        Value::Object(all) => all.values().for_each(assert_strings_harmless),
        _ => {}
    }
}

#[test]
fn every_name_at_once_goes_to_every_format_without_harm() {
    let home = tempfile::tempdir().expect("a directory");
    let names = names::all();
    // Blanks only, and nothing at all, are shown as what they are.
    let server = hostile_target(names.clone());
    let go = crate::support::runtimes::go_or_skip().map(GoPprof::new);
    let formats = ["x.pb.gz", "x.folded", "x.txt"];
    tally(
        &formats,
        3,
        |format| (*format).to_owned(),
        |format| {
            let args = ["record", &server.session(), "--no-heap", "--for", "300ms", "-o", format];
            let ended = flametop(&args, home.path(), SOON);
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            let bytes = std::fs::read(home.path().join(format)).expect("it was written");
            match *format {
                "x.pb.gz" => {
                    stored_strings(&bytes).iter().for_each(|text| {
                        assert_harmless(text, "the pprof file");
                        assert!(!text.contains('\n'), "{text:?}");
                    });
                    if let Some(go) = &go {
                        let path = home.path().join(format);
                        assert_harmless(&go.top(&path, None).replace('\t', " "), "what Go's pprof prints");
                        assert!(go.raw(&path).sample_count >= names.len() - 3);
                    }
                }
                "x.folded" => assert_folded(&String::from_utf8(bytes).expect("text"), names.len()),
                _ => assert_harmless(&String::from_utf8(bytes).expect("text"), "the table"),
            }
        },
    );
}

/// Each line is a stack of one function and a count.
#[track_caller]
fn assert_folded(text: &str, names: usize) {
    assert_harmless(text, "the folded stacks");
    for line in text.lines() {
        let (stack, count) = line.rsplit_once(' ').expect("a stack and a count");
        assert!(count.parse::<u64>().is_ok_and(|count| count > 0 && count < 10_000), "{line:?}");
        assert!(!stack.contains(';'), "one function and not more: {line:?}");
    }
    assert!(text.lines().count() <= names);
}

/// The strings of a pprof file: field 6 of its message.
fn stored_strings(bytes: &[u8]) -> Vec<String> {
    let mut raw = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut raw).expect("it is gzip");
    let (mut at, mut strings) = (0, Vec::new());
    while at < raw.len() {
        let tag = varint(&raw, &mut at);
        let value = varint(&raw, &mut at) as usize;
        if tag & 7 == 2 {
            if tag >> 3 == 6 {
                strings.push(String::from_utf8(raw[at..at + value].to_vec()).expect("strings are text"));
            }
            at += value;
        }
    }
    assert!(strings.len() > 40, "{strings:?}");
    strings
}

fn varint(bytes: &[u8], at: &mut usize) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = bytes[*at];
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return value;
        }
    }
}

/// A Node that spends its time in functions of every hostile name.
pub fn node_of_hostile_names(node: &Path, home: &Path) -> Target {
    let script = home.join("hostile\u{202e}\u{1b}[31m.js");
    // Methods with their names in the source: what a function is called later is not in V8's profiles.
    let methods: Vec<String> = names::all()
        .iter()
        .map(|name| {
            format!(
                "{{{}(until){{let x=0;while(performance.now()<until)for(let i=0;i<20000;i++)x=(x*31+i)|0;return x}}}}",
                name.json
            )
        })
        .collect();
    let code = format!(
        "const all=[{}].map(o=>Object.values(o)[0]);\
         function round(){{for(const f of all)f(performance.now()+5);setTimeout(round,1)}}\
         console.log('ready');round()",
        methods.join(",")
    );
    std::fs::write(&script, code).expect("the directory is ours");
    let mut command = Command::new(node);
    command.arg("--inspect-port=0").arg(&script);
    let mut target = Target::spawn(command);
    target.wait_line("ready", SOON);
    target
}

#[test]
fn a_real_node_of_hostile_names_is_profiled_without_harm() {
    let node = require_node!(22);
    let go = GoPprof::new(require_go!());
    let home = tempfile::tempdir().expect("a directory");
    let target = node_of_hostile_names(&node, home.path());
    let pid = target.pid().to_string();
    let ended = flametop(&["top", &pid, "--for", "3s", "--json", "-n", "1000"], home.path(), SOON);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let table = ended.json();
    assert_strings_harmless(&table);
    let names = names::all();
    let seen = seen_of(&table, &names);
    let missing: Vec<&str> = names.iter().map(|name| name.what).filter(|what| !seen.contains(what)).collect();
    let path = home.path().join("node.pb.gz");
    let ended = flametop(&["record", &pid, "--for", "1s", "-o", "node.pb.gz"], home.path(), SOON);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    stored_strings(&std::fs::read(&path).expect("written")).iter().for_each(|text| {
        assert_eq!(harm_in(text), None, "{text:?}");
    });
    assert!(go.raw(&path).sample_count > 0);
    assert!(target.is_alive());
    survived(seen.len());
    assert!(missing.is_empty(), "not in the profile: {missing:?}");
}

/// With one mark in the place of several: half a surrogate pair is three bytes, each of them no text.
fn squeezed(text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    characters.dedup_by(|one, before| *one == '\u{fffd}' && one == before);
    characters.into_iter().collect()
}

/// Which of the names have a row.
fn seen_of<'a>(table: &Value, names: &'a [Name]) -> BTreeSet<&'a str> {
    let rows = table["functions"].as_array().expect("a list");
    let shown: BTreeSet<String> = rows.iter().filter_map(|row| row["name"].as_str()).map(squeezed).collect();
    // V8 has a blank for NUL.
    let told = |name: &Name| name.text.replace('\0', " ");
    let is_shown = |name: &&Name| shown.contains(&squeezed(&flametop::profile::clean_name(&told(name))));
    names.iter().filter(is_shown).map(|name| name.what).collect()
}
