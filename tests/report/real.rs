//! A recording of a real server under load, as a report.

use crate::browser::Scheme;
use crate::size::pprof_bytes;
use crate::support::load::Load;
use crate::support::program::flametop;
use crate::support::runtimes::{require_chromium, require_node};
use crate::support::target::Target;
use crate::{beside_reports, open};
use flametop::feed::Event;
use flametop::record::Reader;
use flametop::session::{Range, Scope, Selection};
use std::env;
use std::path::Path;
use std::time::Duration;

/// Seconds recorded; `FLAMETOP_REPORT_SECONDS=60` makes the figures of README.
fn seconds() -> u64 {
    env::var("FLAMETOP_REPORT_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(4)
}

/// What a recording of a busy `server.js` holds.
fn recorded(node: &Path) -> Vec<Event> {
    let target = Target::start(node, "server.js", &[]);
    let load = Load::on(target.port());
    let home = tempfile::tempdir().expect("a directory can be made");
    let (pid, length) = (target.pid().to_string(), format!("{}s", seconds()));
    let args = ["record", &pid, "--heap", "--for", &length, "-o", "server.ftrec"];
    let ended = flametop(&args, home.path(), Duration::from_secs(seconds() + 60));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(load.served() > 0);
    let mut reader = Reader::open(&home.path().join("server.ftrec")).expect("it is a recording");
    let events = std::iter::from_fn(|| reader.next_event());
    events.collect::<Result<_, _>>().expect("nothing of it is damaged")
}

#[test]
fn a_recording_of_a_busy_server_opens_as_a_report() {
    let (chromium, node) = (require_chromium!(), require_node!(22));
    let events = recorded(&node);
    let opened = open(&chromium, "real", &events, Scheme::Light);
    let browser = &opened.browser;
    let ms =
        browser.eval("performance.getEntriesByName('flametop drawn')[0].startTime").as_f64().expect("a mark");
    let bytes = opened.path.metadata().expect("it was written").len();
    let pprof = pprof_bytes(&events);
    println!(
        "{} s of a server: {bytes} bytes for {pprof} of pprof, opened and drawn in {ms:.0} ms",
        seconds()
    );
    assert!(bytes <= pprof + 150_000, "{bytes} bytes for {pprof} of pprof");
    browser.picture(&beside_reports("real.png"));
    let session = opened.report.session();
    let span = session.timeline().span().expect("windows were recorded");
    let selection = Selection { range: Range::Span(span), kind: "cpu".into(), scope: Scope::All };
    let expected = session.select(&selection).expect("there is CPU time");
    browser.key("z");
    assert_eq!(browser.eval("flametop.total").as_i64(), Some(expected.fold.total(expected.column)));
    browser.key("/");
    browser.keys("rankOrders|parseOrders|renderOrders|makeOrders");
    let share =
        browser.eval("Number(document.getElementById('matched').dataset.share)").as_f64().expect("a share");
    assert!(share > 0.05, "the work of the server is found: {share}");
    assert!(browser.shown("rows").contains("heap used"));
    opened.assert_quiet();
}
