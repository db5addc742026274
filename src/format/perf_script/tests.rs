//! What perf prints, from a real recording and in all the shapes that its fields take.

use super::super::folded::Folded;
use super::line::{FrameLine, Header};
use super::*;
use crate::format::unpack;
use crate::profile::{FrameKind, Run};
use proptest::prelude::*;

const RECORDED: &[u8] = include_bytes!("../../../tests/data/node22.perf.gz");

fn read(file: &[u8]) -> Profile {
    let profile = PerfScript.read(file, &Limits::default()).expect("readable").remove(0);
    assert!(profile.is_sound());
    profile
}

fn folded(profile: &Profile) -> String {
    let mut out = Vec::new();
    let target = crate::feed::TargetInfo::default();
    Folded.write(&Export::new(profile, &target), &mut out).expect("a vector takes every byte");
    String::from_utf8(out).expect("text")
}

#[test]
fn a_recording_of_node_has_threads_times_and_functions_with_places() {
    assert!(PerfScript.recognise(&RECORDED[..512]));
    let profile = read(RECORDED);
    let kinds: Vec<&str> = profile.kinds.iter().map(|kind| &*kind.name).collect();
    assert_eq!(kinds, ["samples", "cpu"]);
    assert_eq!((profile.total(0), profile.total(1)), (325, 325 * 5_025_125));
    let lanes = profile.lanes.iter();
    let lanes: Vec<(&str, u64, i64)> =
        lanes.map(|lane| (&*lane.thread.name, lane.thread.tid, lane.columns[0].iter().sum())).collect();
    assert_eq!(lanes, [("node", 754, 309), ("node", 758, 1), ("libuv-worker", 762, 15)]);
    let fib = profile.frames.iter().find(|frame| &*frame.name == "fib").expect("a function of the script");
    assert_eq!((&*fib.file, fib.line, fib.column, fib.kind), ("/srv/app.js", 1, 13, FrameKind::Js));
    let kernel = profile.frames.iter().find(|frame| &*frame.name == "exc_page_fault").expect("of the kernel");
    assert_eq!(kernel.kind, FrameKind::Kernel);
    assert!(profile.notes.iter().all(|note| !note.contains("not understood")), "{:?}", profile.notes);
}

#[test]
fn the_times_of_a_thread_that_never_waits_are_told_without_gaps() {
    let profile = read(RECORDED);
    let main = &profile.lanes[0];
    assert!(main.runs.windows(2).all(|pair| pair[0].offset + pair[0].length <= pair[1].offset));
    let told: u64 = main.runs.iter().map(|run| run.length).sum();
    let cpu: i64 = main.columns[1].iter().sum();
    assert!((told as f64 / cpu as f64 - 1.0).abs() < 0.05, "{told} of {cpu}");
    assert!(main.runs.last().is_some_and(|run| run.offset + run.length <= profile.span.length.0));
}

#[test]
fn inferno_agrees_on_the_time_of_the_whole() {
    let text = unpack(RECORDED, &Limits::default()).expect("gzip").bytes.into_owned();
    let mut theirs = Vec::new();
    let mut folder = inferno::collapse::perf::Folder::default();
    inferno::collapse::Collapse::collapse(&mut folder, &text[..], &mut theirs).expect("collapses");
    let theirs = Folded.read(&theirs, &Limits::default()).expect("folded").remove(0);
    assert_eq!(theirs.total(0), read(RECORDED).total(1));
}

#[test]
fn headers_are_read_in_all_their_shapes() {
    let header =
        |comm, pid, tid, time, period, event| Header { comm, pid, tid, time, period, event, rest: b"" };
    for (line, expected) in [
        (
            &b"node   754 13778.479998:    5025125 cpu-clock: "[..],
            header(&b"node"[..], 0, 754, 13_778_479_998_000, Some(5_025_125), &b"cpu-clock"[..]),
        ),
        (
            b"tokio run 1 7/9 [001] 1.5: 250 cycles:uppp:",
            header(b"tokio run 1", 7, 9, 1_500_000_000, Some(250), b"cycles"),
        ),
        (b":4711 4711 [000] 0.000000001: cycles:", header(b":4711", 0, 4711, 1, None, b"cycles")),
        (
            b"   sh  3 2.25: sched:sched_switch:",
            header(b"sh", 0, 3, 2_250_000_000, None, b"sched:sched_switch"),
        ),
    ] {
        assert_eq!(Header::parse(line), Some(expected), "{}", String::from_utf8_lossy(line));
    }
    for line in [
        &b""[..],
        b"\tffff f (x)",
        b"node 754 13778.479998: 5 nothing",
        b"node x 1.5: cycles:",
        b"node 1 99999999999.0: cycles:",
        b"node 1 1.5: :",
        b"1.5: cycles:",
    ] {
        assert_eq!(Header::parse(line), None, "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn frames_are_read_in_all_their_shapes() {
    for (line, symbol, object, in_kernel) in [
        (
            "\tffffffff821f2fa7 exc_page_fault+0xd7 ([kernel.kallsyms])",
            "exc_page_fault",
            "[kernel.kallsyms]",
            true,
        ),
        (
            "\t  b85e20 v8::B<(int)0>::f(a, b)+0x0 (/usr/bin/node)",
            "v8::B<(int)0>::f(a, b)",
            "/usr/bin/node",
            false,
        ),
        (
            "\t  1 JS:*fib /srv/a b.js:1:13+0x9c (/tmp/perf-1.map)",
            "JS:*fib /srv/a b.js:1:13",
            "/tmp/perf-1.map",
            false,
        ),
        ("\t  2 jit (/memfd:x (deleted))", "jit", "/memfd:x", false),
        ("\t  3 [unknown] ([unknown])", "[unknown]", "[unknown]", false),
        ("\t  4 inlined_one (inlined)", "inlined_one", "inlined", false),
        ("\t  5 (/lib/x.so)", "", "/lib/x.so", false),
        ("\t  6 lonely", "lonely", "", false),
    ] {
        let expected = FrameLine { symbol: symbol.as_bytes(), object: object.as_bytes(), in_kernel };
        assert_eq!(FrameLine::parse(line.as_bytes()), Some(expected), "{line}");
    }
    assert_eq!(FrameLine::parse(b"\t  src/main.c:12"), None);
}

#[test]
fn samples_without_stacks_stand_in_one_line_each() {
    let file = b"     app  3 1.000000: 1000 cycles:  55d0 main+0x4 (/bin/app)\n     app  3 1.000100: 1000 cycles:  55d4 [unknown] (/lib/libx.so)\n";
    let profile = read(file);
    assert_eq!(folded(&profile), "main 1\n[libx.so] 1\n");
    assert_eq!((profile.kinds[1].name.to_string(), profile.total(1)), ("cycles".into(), 2000));
}

#[test]
fn several_events_are_columns_and_only_the_first_counts_samples() {
    let file = b"a 1 1.0: 10 cycles:\n\t1 f (x)\n\na 1 1.1: 3 cache-misses:\n\t1 f (x)\n\na 1 1.2: 30 cycles:\n\t1 f (x)\n";
    let profile = read(file);
    let totals: Vec<(&str, i64)> =
        profile.kinds.iter().enumerate().map(|(at, kind)| (&*kind.name, profile.total(at))).collect();
    assert_eq!(totals, [("samples", 2), ("cycles", 40), ("cache-misses", 3)]);
}

#[test]
fn a_thread_that_waited_has_a_gap_in_its_times() {
    let file = b"a 1 5.000: 1000000 cpu-clock:\n\t1 f (x)\n\na 1 5.0011: 1000000 cpu-clock:\n\t1 f (x)\n\n\
        a 1 5.010: 1000000 cpu-clock:\n\t1 g (x)\n\n";
    let runs = &read(file).lanes[0].runs;
    let expected = [
        Run { node: 1, offset: 0, length: 2_100_000 },
        Run { node: 2, offset: 10_000_000, length: 1_000_000 },
    ];
    assert_eq!(runs[..], expected);
}

#[test]
fn lost_and_cut_samples_are_counted_and_cut_ones_hang_under_truncated() {
    let stack = "\t1 f (x)\n".repeat(127);
    let file = format!("a 1 5.0: 1 cycles:\n{stack}\na 1 5.1: PERF_RECORD_LOST lost 12\nnonsense\n");
    let profile = read(file.as_bytes());
    assert_eq!((profile.sampling.lost, profile.sampling.truncated), (12, 1));
    assert!(folded(&profile).starts_with("(truncated);f;"));
    assert!(profile.notes.iter().any(|note| note.starts_with("1 line was not understood")));
    assert!(PerfScript.read(file.as_bytes(), &Limits::default().strict()).is_err());
}

#[test]
fn what_is_no_perf_text_is_refused_and_not_recognised() {
    let refused = PerfScript.read(b"hello\n", &Limits::default()).expect_err("refused");
    assert_eq!(refused.to_string(), "not a valid perf-script profile: there is no sample in it (at byte 0)");
    for no in [&b"hello\n"[..], b"", b"main;f 3\n", b"a 1 x: cycles:\n", b"\0a 1 1.0: 10 cycles:\n"] {
        assert!(!PerfScript.recognise(no), "{}", String::from_utf8_lossy(no));
    }
    assert!(PerfScript.recognise(b"# ========\n# captured on    : Sat\n"));
}

#[test]
fn stacks_deeper_than_the_limit_are_refused() {
    let limits = Limits { stack_frames: 2, ..Limits::default() };
    let file = b"a 1 1.0: 10 cycles:\n\t1 f (x)\n\t1 f (x)\n\t1 f (x)\n";
    let error = PerfScript.read(file, &limits).expect_err("refused");
    assert_eq!(error.to_string(), "the profile has more than 2 frames in a stack (found at byte 38)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_change_of_a_file_makes_the_reader_panic(
        from in 0usize..20_000,
        changes in prop::collection::vec((0usize..3_000, any::<u8>()), 0..40),
        cut in 0usize..3_000,
    ) {
        let mut file = unpack(RECORDED, &Limits::default()).expect("gzip").bytes[from..from + 3_000].to_vec();
        for (at, byte) in changes {
            file[at] = byte;
        }
        file.truncate(cut);
        PerfScript.recognise(&file);
        if let Ok(profiles) = PerfScript.read(&file, &Limits::default()) {
            prop_assert!(profiles.iter().all(Profile::is_sound));
        }
    }

    #[test]
    fn any_header_is_read_or_not_without_a_panic(
        line in prop::collection::vec(prop::sample::select(&b"a 1/[].:9\t-(0x)+f\xff"[..]), 0..60)
    ) {
        Header::parse(&line);
        FrameLine::parse(&line);
    }
}
