//! The page as a reader meets it: what stands in it, by keyboard, light and dark.

use crate::browser::{Browser, Scheme};
use crate::support::runtimes::require_chromium;
use crate::worlds;
use crate::{beside_reports, open, write_with};
use flametop::gauges::GAUGES;
use flametop::report::ReportOptions;
use serde_json::json;

/// Red, green, blue and opacity of a part of a canvas. Read from a copy: the page's own is left as it is.
const PIXELS: &str = "((selector, x, y, width, height) => {
    const copy = document.createElement('canvas'), own = document.querySelector(selector);
    copy.width = own.width;
    copy.height = own.height;
    const context = copy.getContext('2d', { willReadFrequently: true });
    context.drawImage(own, 0, 0);
    return [...context.getImageData(x, y, width, height).data];
})";

#[test]
fn a_report_opens_by_itself_and_says_what_it_is_of() {
    let chromium = require_chromium!();
    let events = worlds::server(60, 30..33);
    let opened = open(&chromium, "server", &events, Scheme::Light);
    let browser = &opened.browser;
    browser.picture(&beside_reports("light.png"));
    assert_eq!(browser.text("document.title"), "api.js - flametop");
    let head = browser.shown("head");
    for fact in [
        "api.js \u{b7} Node 22.14.0 \u{b7} pid 4711",
        "2026-03-02 14:00:00",
        "covered 95.0 %",
        "lost 0",
        "gaps 3.00 s",
    ] {
        assert!(head.contains(fact), "{fact} in {head}");
    }
    // Every gauge that was measured has its chart, with a unit.
    let charts = browser.shown("rows");
    for gauge in opened.report.session().gauges().gauges_of(flametop::feed::SourceId(0)) {
        let label = GAUGES[gauge as usize].label;
        assert!(charts.contains(label), "{label} in {charts}");
    }
    for text in ["MiB", "ms", " %"] {
        assert!(charts.contains(text), "{text} in {charts}");
    }
    browser.key("5");
    let notes = browser.shown("notes");
    assert!(notes.contains("deploy of 14:00") && notes.contains("<b>load test</b> starts"), "{notes}");
    assert!(notes.contains("pid 4711, started 2026-03-02 10:48:00 UTC, /usr/bin/node"), "{notes}");
    browser.key("4");
    assert!(
        browser.shown("stalls").contains("in parse < loadCatalog < refreshCatalog"),
        "{}",
        browser.shown("stalls")
    );
    browser.keys("jj");
    browser.key("Enter");
    assert!(browser.shown("range").contains("stall of "), "{}", browser.shown("range"));
    browser.key("2");
    browser.picture(&beside_reports("table.png"));
    opened.assert_quiet();
}

#[test]
fn a_gap_is_drawn_as_a_gap() {
    let chromium = require_chromium!();
    let opened = open(&chromium, "gap", &worlds::server(60, 30..33), Scheme::Light);
    // The middle of the gap of all, and a moment beside it, in the chart of the CPU.
    let ink = |second: f64| {
        let x = format!("document.querySelectorAll('#rows canvas')[3].width * {second} / 60 - 2");
        let script = format!(
            "{PIXELS}('.row:nth-child(4) canvas', {x}, 0, 4, 24).some((part, at) => at % 4 === 3 && part > 60)"
        );
        opened.browser.eval(&script)
    };
    assert_eq!((ink(28.0), ink(31.6), ink(35.0)), (json!(true), json!(false), json!(true)));
}

#[test]
fn everything_can_be_done_by_keyboard() {
    let chromium = require_chromium!();
    let opened = open(&chromium, "keyboard", &worlds::server(20, 5..6), Scheme::Light);
    let browser = &opened.browser;
    browser.key("?");
    let help = browser.shown("keys");
    for text in ["hide the function", "compare with A", "window before, window after", "this help"] {
        assert!(help.contains(text), "{text} in {help}");
    }
    browser.picture(&beside_reports("help.png"));
    browser.key("Escape");
    assert_eq!(browser.eval("document.getElementById('keys').open"), json!(false));

    browser.keys("jjj");
    let third = browser.shown("detail");
    assert!(third.contains("emit"), "{third}");
    browser.key("Enter");
    assert_eq!(browser.eval("flametop.state.zoom.length"), json!(3));
    browser.key("Backspace");
    assert_eq!(browser.eval("flametop.state.zoom.length"), json!(2));
    browser.key("Escape");
    assert_eq!(browser.eval("flametop.state.zoom.length"), json!(0));
    browser.keys("[[");
    assert!(browser.shown("range").contains("1 window,"));
    browser.keys(">>");
    assert!(browser.shown("range").contains("2 windows,"), "{}", browser.shown("range"));
    browser.key("M");
    assert!(browser.shown("range").contains("14:00:"), "{}", browser.shown("range"));
    browser.keys("0v");
    assert_eq!(browser.text("document.querySelector('#kinds [aria-checked=true]').textContent"), "live heap");
    // A control that was used keeps the focus.
    browser.eval("document.querySelector('#shape button').focus()");
    browser.key("Enter");
    assert_eq!(
        browser.eval("[flametop.state.inverted, document.activeElement.textContent]"),
        json!([true, "invert"])
    );
    browser.eval("document.activeElement.blur()");
    // Tab reaches the controls, and what has the focus is outlined.
    let mut reached = Vec::new();
    for _ in 0..40 {
        browser.key("Tab");
        reached.push(browser.text("document.activeElement.id || document.activeElement.textContent"));
        let outline = "getComputedStyle(document.activeElement).outlineStyle !== 'none' || document.activeElement === document.body";
        assert_eq!(browser.eval(outline), json!(true), "{reached:?}");
    }
    for control in ["help", "pin", "search", "export", "invert", "Functions"] {
        assert!(reached.iter().any(|name| name == control), "{control} in {reached:?}");
    }
    opened.assert_quiet();
}

#[test]
fn the_page_is_dark_where_the_system_is_and_can_be_changed() {
    let chromium = require_chromium!();
    let opened = open(&chromium, "dark", &worlds::server(60, 30..33), Scheme::Dark);
    let browser = &opened.browser;
    let brightness = || {
        let light = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((sum, part) => sum + Number(part), 0)";
        browser.eval(light).as_u64().expect("a colour")
    };
    // Of the picture too: the box of the root, beside its name.
    let root = || {
        let light = browser.eval(&format!(
            "{PIXELS}('#flame canvas', 900, 9, 1, 1).reduce((sum, part) => sum + part, -255)"
        ));
        light.as_u64().expect("a colour")
    };
    assert!(brightness() < 150 && root() < 250, "{} {}", brightness(), root());
    browser.picture(&beside_reports("dark.png"));
    browser.key("T");
    assert!(brightness() > 600 && root() > 600, "{} {}", brightness(), root());
    browser.key("T");
    assert!(brightness() < 150);
    opened.assert_quiet();
}

#[test]
fn an_address_leads_to_the_same_place() {
    let chromium = require_chromium!();
    let opened = open(&chromium, "link", &worlds::server(30, 5..6), Scheme::Light);
    let browser = &opened.browser;
    browser.eval("location.hash = 't=12-14&kind=alloc_space&view=functions&search=make&nonsense=1'");
    browser.until("flametop.state.view === 'functions'");
    browser.next_frame();
    assert_eq!(
        browser.eval("flametop.state.range"),
        json!({"start": 12_000_000_000u64, "end": 14_000_000_000u64})
    );
    assert_eq!(browser.text("document.querySelector('#kinds [aria-checked=true]').textContent"), "allocated");
    assert!(
        browser.shown("functions").contains("makeUsers")
            && !browser.shown("functions").contains("findOrders")
    );
    browser.key("1");
    browser.key("]");
    browser.key("m");
    browser.until("location.hash.includes('a=')");
    let (hash, total) = (browser.text("location.hash"), browser.eval("flametop.total"));
    browser.eval("location.hash = ''");
    browser.until("!flametop.state.range");
    browser.eval(&format!("location.hash = '{hash}'"));
    browser.until("flametop.state.range");
    assert_eq!(browser.eval("flametop.total"), total);
    // An address from elsewhere chooses nothing that is not there.
    browser.eval("location.hash = 't=9-x&kind=none&view=../&a=1&diff'");
    browser.until("!flametop.state.range");
    assert_eq!(browser.eval("[flametop.state.view, flametop.state.diff]"), json!(["flame", false]));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_report_that_had_no_room_for_everything_says_so_at_its_head() {
    let chromium = require_chromium!();
    let options = ReportOptions { budget: 600 << 10, ..ReportOptions::default() };
    let (path, _) = write_with("small", &worlds::server(120, 30..33), options);
    let browser = Browser::open(&chromium, &path, Scheme::Light);
    assert!(browser.shown("head").contains("1 remark (5)"), "{}", browser.shown("head"));
    browser.key("5");
    assert!(
        browser.shown("notes").contains("windows were put together, 8 or 64 to one"),
        "{}",
        browser.shown("notes")
    );
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
