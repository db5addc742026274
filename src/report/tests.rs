//! What the page holds, read without a browser. `tests/report` opens it in one.

use super::{ReportBuilder, ReportOptions};
use crate::feed::{Event, Feed, Note, NoteLevel, SourceId, TargetInfo};
use crate::format::{Export, by_name};
use crate::gauges::{Gauge, GaugeBatch};
use crate::profile::{Moment, Profile, ValueKind};
use crate::source::synthetic;
use data_encoding::BASE64;
use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::io::Read;

fn report_of(events: &[Event], options: ReportOptions) -> String {
    let mut report = ReportBuilder::new(options);
    events.iter().for_each(|event| report.add(event));
    let mut page = Vec::new();
    report.write(&mut page).expect("a vector takes every byte");
    String::from_utf8(page).expect("a page is text")
}

/// What stands between two texts, the first time.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    page.split_once(before).and_then(|(_, rest)| rest.split_once(after)).expect("the page holds it").0
}

/// The header and the length of the body.
fn data(page: &str) -> (Value, usize) {
    let packed =
        BASE64.decode(between(page, "id=\"data\">", "</script>").as_bytes()).expect("the page holds it");
    let mut bytes = Vec::new();
    GzDecoder::new(&packed[..]).read_to_end(&mut bytes).expect("the page holds it");
    let length = u32::from_le_bytes(bytes[..4].try_into().expect("the page holds it")) as usize;
    (serde_json::from_slice(&bytes[4..4 + length]).expect("the page holds it"), bytes.len() - 4 - length)
}

fn note(at: i64, text: &str) -> Event {
    let note = Note { level: NoteLevel::Mark, text: text.into() };
    Event { source: SourceId(0), at: Moment(at), feed: Feed::Note(note) }
}

#[test]
fn the_same_events_give_the_same_bytes() {
    let events = synthetic::events(3, 20);
    assert_eq!(report_of(&events, ReportOptions::default()), report_of(&events, ReportOptions::default()));
}

#[test]
fn the_policy_names_the_script_and_the_style_and_nothing_else() {
    let page = report_of(&synthetic::events(3, 5), ReportOptions::default());
    let hash = |text: &str| BASE64.encode(&Sha256::digest(text.as_bytes()));
    let script = page
        .rsplit_once("<script>")
        .and_then(|(_, rest)| rest.split_once("</script>"))
        .expect("the page holds it")
        .0;
    let expected = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(script),
        hash(between(&page, "<style>", "</style>")),
    );
    assert_eq!(between(&page, "Content-Security-Policy\" content=\"", "\""), expected);
    for asked in ["http://", "https://", "src=", "eval(", "innerHTML", " onclick="] {
        assert!(!page.contains(asked), "the page has {asked}");
    }
}

#[test]
fn a_page_is_no_larger_than_its_windows_as_pprof_and_150_kb() {
    let events = synthetic::events(7, 60);
    let target = TargetInfo::default();
    let pprof = by_name("pprof").expect("a format of that name");
    let size = |profile: &Profile| {
        let mut file = Vec::new();
        pprof.write(&Export::new(profile, &target), &mut file).expect("a vector takes every byte");
        file.len()
    };
    let windows: usize = events
        .iter()
        .filter_map(|event| if let Feed::Window(w) = &event.feed { Some(size(w)) } else { None })
        .sum();
    let page = report_of(&events, ReportOptions::default()).len();
    assert!(page <= windows + 150_000, "{page} bytes for {windows}");
}

#[test]
fn everything_that_was_said_is_in_the_header() {
    let mut events = synthetic::events(7, 20);
    events.push(note(synthetic::START.0 + 5_000_000_000, "deploy"));
    let (header, body) =
        data(&report_of(&events, ReportOptions { host: "box-7".into(), ..ReportOptions::default() }));
    assert_eq!(header["targets"][0]["name"], "api.js");
    assert_eq!(header["host"], "box-7");
    assert_eq!(header["length"], 20_000_000_000u64);
    assert_eq!(header["windows"].as_array().expect("the page holds it").len(), 24);
    assert_eq!(header["notes"], serde_json::json!([[5_000_000_000u64, 0, "mark", "deploy"]]));
    let kinds: Vec<&str> = header["kinds"]
        .as_array()
        .expect("the page holds it")
        .iter()
        .map(|kind| kind["name"].as_str().expect("the page holds it"))
        .collect();
    assert_eq!(kinds, ["samples", "cpu", "inuse_space", "alloc_space"]);
    assert!(header["gauges"].as_array().expect("the page holds it").len() > 10);
    assert!(body > 1000);
}

#[test]
fn the_longest_stall_is_the_one_of_the_made_up_world() {
    let (header, _) = data(&report_of(&synthetic::events(7, 20), ReportOptions::default()));
    // From second 12 to 14 the loop is blocked; a run of ordinary work may stand before it.
    let [_, _, start, length] =
        [0, 1, 2, 3].map(|at| header["stalls"][0][at].as_i64().expect("the page holds it"));
    assert!((11_800_000_000..=12_000_000_000).contains(&start), "{start}");
    assert!((1_990_000_000..2_400_000_000).contains(&length), "{length}");
}

#[test]
fn what_does_not_fit_is_told() {
    let mut events = synthetic::events(7, 120);
    events.extend((0..1005).map(|at| note(synthetic::START.0 + at, "mark")));
    let remarks = |budget| {
        let (header, _) = data(&report_of(&events, ReportOptions { budget, ..ReportOptions::default() }));
        header["remarks"].to_string()
    };
    assert!(
        remarks(600 << 10).contains("windows were put together, 8 or 64 to one"),
        "{}",
        remarks(600 << 10)
    );
    assert!(remarks(100 << 10).contains("oldest windows were left out"), "{}", remarks(100 << 10));
    assert_eq!(remarks(100 << 20), "[\"the 5 oldest notes were left out\"]");
}

#[test]
fn gauges_of_long_ago_are_there_as_extremes_and_that_is_told() {
    let figure = |at: i64| {
        let values = vec![(Gauge::Rss, if at == 77 { 9.0 } else { 1.0 })];
        let batch = GaugeBatch { at: Moment(at * 1_000_000_000), values };
        Event { source: SourceId(0), at: batch.at, feed: Feed::Gauges(batch) }
    };
    let events: Vec<Event> = (0..15_000).map(figure).collect();
    let (header, _) = data(&report_of(&events, ReportOptions::default()));
    assert!(header["remarks"].to_string().contains("least and the greatest value of each ten seconds"));
    assert_eq!(header["length"], 14_999_000_000_000u64);
    let (header, _) = data(&report_of(&events[..100], ReportOptions::default()));
    assert_eq!(header["remarks"], serde_json::json!([]));
}

#[test]
fn nothing_at_all_makes_a_page_too() {
    let (header, _) = data(&report_of(&[], ReportOptions::default()));
    assert_eq!(header["windows"], serde_json::json!([]));
    let (header, _) = data(&report_of(&[note(7, "alone")], ReportOptions::default()));
    assert_eq!(header["notes"][0][0], 0);
}

#[test]
fn a_name_ends_neither_title_nor_script() {
    let name = "</title></script><img src=x onerror=alert(1)>";
    let target = TargetInfo { name: name.into(), ..TargetInfo::default() };
    let page = report_of(
        &[Event { source: SourceId(0), at: Moment(1), feed: Feed::Attached(target) }],
        ReportOptions::default(),
    );
    assert!(!page.contains("onerror=alert(1)>"));
    assert!(between(&page, "<title>", "</title>").starts_with("&lt;/title&gt;"));
    assert_eq!(page.matches("</script>").count(), 2);
}

#[test]
fn values_of_any_size_are_written() {
    let mut events = synthetic::events(7, 1);
    for event in &mut events {
        if let Feed::Window(profile) = &mut event.feed {
            profile.kinds[0] = ValueKind::new("odd", profile.kinds[0].unit, profile.kinds[0].accumulation);
            profile.lanes[0].columns[0].iter_mut().for_each(|value| *value = i64::MAX);
            profile.lanes[0].columns[0][0] = i64::MIN;
            profile.span.start = Moment(i64::MIN);
        }
    }
    let (header, _) = data(&report_of(&events, ReportOptions::default()));
    assert_eq!(header["kinds"][0]["name"], "odd");
}
