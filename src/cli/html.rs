//! `flametop report`, and the report of a difference: one HTML file for a browser.

use super::args::{ReportArgs, SliceArgs};
use super::diff::{Diff, Input};
use super::exit::Failure;
use super::load::{self, is_meant};
use super::plain::{plain, say};
use super::report::check_writable;
use crate::engine::with_hint;
use crate::feed::{Event, Feed, SourceId, TargetInfo};
use crate::files;
use crate::profile::{Profile, Span};
use crate::report::{ReportBuilder, ReportOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs `flametop report`.
pub fn run(args: &ReportArgs) -> Result<u8, Failure> {
    let output = args.output.clone().unwrap_or_else(|| default_name(&args.input));
    check_writable(Some(&output))?;
    let slice = SliceArgs { from: args.from.clone(), to: args.to.clone(), ..SliceArgs::default() };
    let (stored, extent, span) = load::open(&args.input, &slice)?;
    let mut report = ReportBuilder::new(ReportOptions::default());
    stored.each(SourceId(0), &mut |event| {
        if is_meant(&event, span) && is_timely(&event, span, extent) {
            report.add(&event);
        }
        true
    });
    let written = write(&report, &output)?;
    say(&format!("flametop: written {}", written.display()));
    if args.open {
        open(&written);
    }
    Ok(0)
}

/// Whether an event belongs to the stretch asked for: of a whole file, everything does.
fn is_timely(event: &Event, span: Span, extent: Span) -> bool {
    match &event.feed {
        Feed::Gauges(batch) => span == extent || span.contains(batch.at),
        Feed::Note(_) => span == extent || (span.start <= event.at && event.at <= span.end()),
        Feed::Attached(_) | Feed::Status(_) | Feed::Window(_) | Feed::Ended(_) => true,
    }
}

/// Writes both sides of a difference into one report that opens on it.
pub fn write_diff(diff: &Diff, path: &Path) -> Result<PathBuf, Failure> {
    let base = diff.session.base_profiles().into_iter().next().unwrap_or_else(|| diff.profile.clone());
    let other = &diff.profile;
    // The sides may be of any time; here the base lies just before the other.
    let base_span = Span { start: other.span.start - base.span.length, ..base.span };
    let start = base_span.start;
    let seconds = |span: Span| {
        let from = span.start.since(start).as_secs_f64();
        format!("{from}-{}", from + span.length.as_secs_f64().max(0.001))
    };
    let view = format!(
        "t={}&a={}&diff=&kind={}",
        seconds(other.span),
        seconds(base_span),
        diff.comparison.kind.name
    );
    let notes = vec![
        format!("base: {}; its time is set just before the other's", about(&diff.base)).into(),
        format!("compared with it: {}", about(&diff.other)).into(),
    ];
    let mut report =
        ReportBuilder::new(ReportOptions { view: view.into(), notes, ..ReportOptions::default() });
    let target = TargetInfo { name: both(diff).into(), ..diff.other.target.clone() };
    for feed in [
        Feed::Attached(target),
        Feed::Window(Box::new(Profile { span: base_span, ..base })),
        Feed::Window(Box::new(other.clone())),
    ] {
        report.add(&Event { source: SourceId(0), at: other.span.end(), feed });
    }
    write(&report, path)
}

fn about(input: &Input) -> String {
    format!("{} ({:.1} s, {} samples)", input.path.display(), input.covered.as_secs_f64(), input.samples)
}

fn both(diff: &Diff) -> String {
    plain(&format!("{} against {}", diff.other.path.display(), diff.base.path.display()))
}

/// A new file, complete or absent; a name that is taken gets a number.
fn write(report: &ReportBuilder, path: &Path) -> Result<PathBuf, Failure> {
    let written = files::write_new(path, |out| report.write(out));
    written.map_err(|error| Failure::new(with_hint(&error, error.hint())))
}

/// `x.html` for `x.ftrec` or `x.pb.gz`, in the current directory.
fn default_name(input: &Path) -> PathBuf {
    let name = input.file_name().unwrap_or(input.as_os_str()).to_string_lossy();
    let stem = ["ftrec", "gz", "pb", "json", "cpuprofile"]
        .iter()
        .fold(&*name, |stem, ending| stem.strip_suffix(&format!(".{ending}")).unwrap_or(stem));
    PathBuf::from(format!("{}.html", files::safe_file_name(stem)))
}

/// Opens a file in a browser, where there is one; else says where it is and how to fetch it.
fn open(path: &Path) {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let seen = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let has_screen = seen("DISPLAY") || seen("WAYLAND_DISPLAY") || cfg!(target_os = "macos");
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let opened = has_screen
        && Command::new(opener)
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .is_ok();
    if !opened {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        say("flametop: there is no browser here; fetch the report and open it where there is one:");
        say(&format!("  scp {host}:{} .", path.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_named_after_its_input() {
        for (input, name) in
            [("/x/a.ftrec", "a.html"), ("b.pb.gz", "b.html"), ("c.cpuprofile", "c.html"), ("d", "d.html")]
        {
            assert_eq!(default_name(Path::new(input)), Path::new(name));
        }
    }
}
