//! How large the file is, and how quick the worst flame: figures are printed, the size is a law.

use crate::browser::Scheme;
use crate::support::runtimes::require_chromium;
use crate::worlds;
use crate::{beside_reports, open, write};
use flametop::feed::{Event, Feed, TargetInfo};
use flametop::format::{Export, by_name};

/// Bytes of all windows as pprof files.
pub fn pprof_bytes(events: &[Event]) -> u64 {
    let (target, pprof) = (TargetInfo::default(), by_name("pprof").expect("a format of that name"));
    let mut bytes = 0;
    for event in events {
        if let Feed::Window(profile) = &event.feed {
            let mut file = Vec::new();
            pprof.write(&Export::new(profile, &target), &mut file).expect("a vector takes every byte");
            bytes += file.len() as u64;
        }
    }
    bytes
}

#[test]
fn a_report_is_no_larger_than_its_windows_as_pprof_and_150_kb() {
    let worlds = [
        ("server-60", worlds::server(60, 30..33)),
        ("server-600", worlds::server(600, 30..33)),
        ("huge", worlds::distinct_stacks(10_000, 40)),
        ("hostile", worlds::hostile()),
        ("two", worlds::two_processes()),
    ];
    for (name, events) in worlds {
        let (path, _) = write(&format!("size-{name}"), &events);
        let (page, pprof) = (path.metadata().expect("it was written").len(), pprof_bytes(&events));
        println!("{name}: {page} bytes for {pprof} bytes of pprof");
        assert!(page <= pprof + 150_000, "{name}: {page} for {pprof}");
    }
}

#[test]
fn ten_thousand_distinct_stacks_open_and_move() {
    let chromium = require_chromium!();
    let opened = open(&chromium, "huge", &worlds::distinct_stacks(10_000, 40), Scheme::Light);
    let browser = &opened.browser;
    let opened_ms =
        browser.eval("performance.getEntriesByName('flametop drawn')[0].startTime").as_f64().expect("a mark");
    let nodes = browser.eval("flametop.flame.count").as_u64().expect("a count");
    assert_eq!(nodes, 1 + 10 + 100 + 1000 + 37 * 10_000);
    browser.picture(&beside_reports("huge.png"));
    let frame = |what: &str| {
        let ms = browser.eval("flametop.drawn.all").as_f64().expect("a time");
        println!("{what}: {ms:.1} ms");
    };
    println!("opened and drawn: {opened_ms:.0} ms, {nodes} boxes in all");
    browser.key("j");
    frame("move by a frame");
    browser.key("Enter");
    frame("zoom");
    browser.key("Escape");
    frame("zoom out");
    browser.key("i");
    frame("invert");
    browser.key("i");
    browser.key("/");
    browser.keys("function12");
    frame("search");
    let boxes = browser.eval("flametop.drawn.boxes").as_u64().expect("a count");
    assert!(boxes > 1000 && boxes < 100_000, "{boxes} boxes drawn of {nodes}");
    opened.assert_quiet();
}
