//! The offline HTML report in a real headless Chromium: opened as a file, driven by keys and mouse,
//! and its numbers compared with what the session says of the same ranges.

mod browser;
mod compare;
mod hostile;
mod page;
mod ranges;
mod real;
mod shapes;
mod size;
#[path = "../support/mod.rs"]
mod support;
mod worlds;

use browser::{Browser, Scheme};
use flametop::feed::Event;
use flametop::report::{ReportBuilder, ReportOptions};
use std::path::{Path, PathBuf};

/// A report in a browser, and what it was built of.
struct Opened {
    browser: Browser,
    report: ReportBuilder,
    path: PathBuf,
}

/// The place of a file beside the reports.
fn beside_reports(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    std::fs::create_dir_all(&dir).expect("the directory for reports can be made");
    dir.join(name)
}

/// The report of `events`, in a file of that name.
fn write(name: &str, events: &[Event]) -> (PathBuf, ReportBuilder) {
    write_with(name, events, ReportOptions { host: "box-7".into(), ..ReportOptions::default() })
}

/// The same with options of one's own.
fn write_with(name: &str, events: &[Event], options: ReportOptions) -> (PathBuf, ReportBuilder) {
    let mut report = ReportBuilder::new(options);
    events.iter().for_each(|event| report.add(event));
    let path = beside_reports(&format!("{name}.html"));
    let mut page = Vec::new();
    report.write(&mut page).expect("a vector takes every byte");
    std::fs::write(&path, page).expect("the report can be written");
    (path, report)
}

/// The report of `events` in a browser.
fn open(chromium: &Path, name: &str, events: &[Event], scheme: Scheme) -> Opened {
    let (path, report) = write(name, events);
    let browser = Browser::open(chromium, &path, scheme);
    Opened { browser, report, path }
}

impl Opened {
    /// Nothing went wrong in the page, and it asked for nothing but itself.
    #[track_caller]
    fn assert_quiet(&self) {
        assert_eq!(self.browser.complaints(), Vec::<String>::new());
        assert_eq!(self.browser.requests(), [format!("file://{}", self.path.display())]);
    }
}
