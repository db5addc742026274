//! Text and files of the commands without a screen.

use super::exit::{self, Failure};
use super::plain::{clear_line, say};
use crate::engine::{Core, track_name, with_hint, write_profile};
use crate::feed::TargetInfo;
use crate::files::{self, safe_file_name};
use crate::format;
use crate::profile::{Flame, FunctionRow, Nanos, Shape, Unit, function_table, place_of};
use crate::session::{Range, Scope, Selection, Track};
use crate::sink::{Plan, Recorder, RecorderReport, Sink};
use crate::source::Clock;
use crate::source::discover::Found;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Remarks told at most.
const REMARKS: usize = 20;

/// The functions that cost most, as text or JSON.
pub fn top(core: &Core, kind: &str, lines: usize, json: bool) -> Result<String, Failure> {
    let session = &core.session;
    let Some(range) = session.timeline().span().map(Range::Span) else { return Err(nothing_seen(core)) };
    let selection = Selection { range, kind: kind.into(), scope: Scope::All };
    let Some(selected) = session.select(&selection) else {
        let kinds = session.timeline().kinds();
        let known: Vec<&str> = kinds.iter().map(|kind| &*kind.name).collect();
        return Err(
            Failure::new(format!("there are no {kind} samples; there are: {}", known.join(", "))).code(2)
        );
    };
    let flame = Flame::build(session.tree(), &selected.fold, selected.column, &Shape::default());
    let table = Table {
        rows: function_table(&flame),
        total: flame.total(),
        covered: selected.covered,
        samples: selected.sampling.taken,
        lost: selected.sampling.lost,
        unit: selected.fold.kinds()[selected.column].unit,
        lines,
        kind,
    };
    Ok(if json { table.json(core) } else { table.text(core) })
}

/// What the windows themselves say of their numbers, each once.
pub fn remarks(core: &Core) -> Vec<Arc<str>> {
    let windows = core.session.timeline().tracks().iter().flat_map(Track::windows);
    let mut told: Vec<Arc<str>> = Vec::new();
    for remark in windows.flat_map(|window| &window.notes) {
        if !told.contains(remark) && told.len() < REMARKS {
            told.push(remark.clone());
        }
    }
    told
}

fn nothing_seen(core: &Core) -> Failure {
    let last = core.session.notes().next_back().map(|note| note.note.text.to_string());
    let failure = Failure::new("no window arrived");
    match last {
        Some(text) => failure.hint(text),
        None => failure.hint("the target did not answer in time: is it blocked or stopped?"),
    }
}

struct Table<'a> {
    rows: Vec<FunctionRow>,
    total: i64,
    covered: Nanos,
    samples: u64,
    lost: u64,
    unit: Unit,
    lines: usize,
    kind: &'a str,
}

impl Table<'_> {
    fn text(&self, core: &Core) -> String {
        let mut out = String::new();
        let target = target_of(core);
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{} ({}), {}", target.name, target.kind, self.kind);
        let _ = writeln!(
            out,
            "total {} in {:.2} s, {} samples, {} lost",
            amount(self.total, self.unit),
            self.covered.as_secs_f64(),
            self.samples,
            self.lost
        );
        let _ = writeln!(out, "{:>10} {:>6} {:>6} {:>10} {:>6}", "flat", "flat%", "sum%", "cum", "cum%");
        let mut sum = 0;
        for row in self.rows.iter().take(self.lines) {
            sum += row.self_value;
            let frame = core.session.tree().frames().get(row.frame);
            let place = place_of(frame);
            let place = if place.is_empty() { place } else { format!(" {place}") };
            let _ = writeln!(
                out,
                "{:>10} {:>5.1}% {:>5.1}% {:>10} {:>5.1}%  {}{place}",
                amount(row.self_value, self.unit),
                self.share(row.self_value),
                self.share(sum),
                amount(row.total, self.unit),
                self.share(row.total),
                frame.name
            );
        }
        out
    }

    fn json(&self, core: &Core) -> String {
        let rows: Vec<serde_json::Value> = self
            .rows
            .iter()
            .take(self.lines)
            .map(|row| {
                let frame = core.session.tree().frames().get(row.frame);
                serde_json::json!({
                    "name": &*frame.name, "file": &*frame.file, "line": frame.line, "column": frame.column,
                    "kind": frame.kind.as_str(), "self": row.self_value, "total": row.total,
                })
            })
            .collect();
        let target = target_of(core);
        let whole = serde_json::json!({
            "target": &*target.name, "pid": target.pid, "type": self.kind, "unit": self.unit.as_str(),
            "total": self.total, "covered_seconds": self.covered.as_secs_f64(),
            "samples": self.samples, "lost": self.lost, "functions": rows,
        });
        format!("{whole:#}\n")
    }

    fn share(&self, value: i64) -> f64 {
        value as f64 * 100.0 / self.total.max(1) as f64
    }
}

fn target_of(core: &Core) -> TargetInfo {
    core.targets().into_iter().next().map(|(_, target)| target).unwrap_or_default()
}

fn amount(value: i64, unit: Unit) -> String {
    match unit {
        Unit::Nanoseconds => format!("{:.0}ms", value as f64 / 1e6),
        Unit::Bytes => format!("{:.2}MB", value as f64 / 1_048_576.0),
        Unit::Count => value.to_string(),
    }
}

/// The processes as a table.
pub fn list_text(found: &[Found]) -> String {
    let mut out = format!("{:>7} {:<8} {:>6} {:>9}  {:<10} COMMAND\n", "PID", "KIND", "CPU%", "RSS", "USER");
    for process in found {
        let obstacle = process.obstacle.as_ref().map_or_else(String::new, |text| format!("  ({text})"));
        let _ = writeln!(
            out,
            "{:>7} {:<8} {:>6.1} {:>6.1} MB  {:<10} {}{obstacle}",
            process.pid,
            process.kind,
            process.cpu * 100.0,
            process.rss as f64 / 1_048_576.0,
            process.user,
            process.command
        );
    }
    if found.is_empty() {
        out.push_str("no process that flametop can watch was found\n");
    }
    out
}

/// The processes as JSON.
pub fn list_json(found: &[Found]) -> String {
    let list: Vec<serde_json::Value> = found
        .iter()
        .map(|p| {
            serde_json::json!({
                "pid": p.pid, "kind": &*p.kind, "command": &*p.command, "cpu": p.cpu, "rss": p.rss,
                "age_seconds": p.age.as_secs_f64(), "user": &*p.user, "obstacle": p.obstacle.as_deref(),
            })
        })
        .collect();
    format!("{:#}\n", serde_json::Value::from(list))
}

/// Refuses a path that can't become a file; without one, a current directory that takes none.
pub fn check_writable(path: Option<&Path>) -> Result<(), Failure> {
    let checked = match path {
        Some(path) => files::check_place(path),
        None => files::check_directory_of(Path::new(".")),
    };
    checked.map_err(|error| {
        let hint = error.hint().unwrap_or("choose a directory that exists and that you may write to with -o");
        Failure::of(&error).hint(hint)
    })
}

/// Refuses the path of a recording that is taken: a recording never replaces anything.
pub fn check_free(path: &Path) -> Result<(), Failure> {
    // A symbolic link takes a name too, wherever it leads.
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(Failure::new(format!("{} exists already", path.display()))
        .hint("choose another name with -o, or remove it first"))
}

/// Writes everything seen as pprof: CPU to `path`, heap beside it with one timestamp.
pub fn write_pprof(core: &Core, path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let Some(span) = core.session.timeline().span() else { return Err(nothing_seen(core)) };
    let profiles = core.session.profiles(Range::Span(span), &Scope::All);
    let target = target_of(core);
    let format = path.file_name().and_then(|name| format::by_extension(&name.to_string_lossy()));
    let format =
        format.or_else(|| format::by_name("pprof")).ok_or_else(|| Failure::new("pprof can't be written"))?;
    let mut written = Vec::new();
    for (index, profile) in profiles.iter().enumerate() {
        let name = if index == 0 { path.to_path_buf() } else { beside(path, track_name(profile)) };
        written.push(write_profile(profile, &target, format, None, &name).map_err(Failure::new)?);
    }
    Ok(written)
}

/// `x.pb.gz` with the track in its name: `x.heap.pb.gz`.
pub fn beside(path: &Path, track: &str) -> PathBuf {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let (stem, rest) = name.split_once('.').unwrap_or((&name, "pb.gz"));
    // A file that was read names its own sample types.
    path.with_file_name(format!("{stem}.{}.{rest}", safe_file_name(track)))
}

/// Begins a recording by the plan each time it is called; those after the first get a number to their name.
pub fn recordings(mut plan: Plan) -> impl FnMut(&Core) -> Option<Box<dyn Sink>> + Send + 'static {
    move |core| {
        let begun = start_recorder(plan.clone(), core);
        plan.may_number = true;
        begun.inspect_err(exit::tell).ok()
    }
}

/// Starts to record to a file.
fn start_recorder(plan: Plan, core: &Core) -> Result<Box<dyn Sink>, Failure> {
    match Recorder::start(plan, Clock::get().now(), &core.targets(), tell_recording) {
        Ok(recorder) => Ok(Box::new(recorder)),
        Err(error) => {
            let hint = error.hint().map(str::to_owned);
            Err(Failure { hint, ..Failure::of(&error) })
        }
    }
}

fn tell_recording(report: RecorderReport) {
    let text = match report {
        RecorderReport::Started { path, .. } => format!("recording to {}", path.display()),
        RecorderReport::Finished { path, bytes, windows, .. } => {
            format!("recorded {windows} windows, {bytes} bytes to {}", path.display())
        }
        RecorderReport::Failed(error) => with_hint(&error, error.hint()),
        RecorderReport::Progress { .. } => return,
    };
    clear_line();
    say(&format!("flametop: {text}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_track_is_named_beside_the_first() {
        assert_eq!(beside(Path::new("/tmp/x.pb.gz"), "heap"), Path::new("/tmp/x.heap.pb.gz"));
        assert_eq!(beside(Path::new("/tmp/x.pb.gz"), "/../../y"), Path::new("/tmp/x.y.pb.gz"));
    }
}
