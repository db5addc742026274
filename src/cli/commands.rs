//! What each subcommand runs.

use super::args::{Cli, Command, DemoArgs, ListArgs, RecordArgs, SamplingArgs, TopArgs, command};
use super::exit::{self, Failure};
use super::live::{Start, watch};
use super::plain::{clear_line, plain, print_plain, say};
use super::run::{bounds, options, runtime};
use super::{diff, export, html, report, toggle};
use crate::engine::{Asked, Core, Ending, Headless, Settled, Until, listen, phase_text, settle};
use crate::feed::{NoteLevel, TargetSpec};
use crate::guard;
use crate::profile::Nanos;
use crate::sink::Plan;
use crate::source::{self, discover};
use std::io::Write;
use std::os::fd::AsFd;
use std::path::Path;
use tokio::sync::mpsc;

/// How long a target may take to be reached.
const SETTLE: std::time::Duration = std::time::Duration::from_secs(15);

/// Runs the command line; the exit code.
pub fn run(cli: Cli) -> Result<u8, Failure> {
    match cli.command {
        None => watch(Start::Targets(cli.targets), &cli.screen, &cli.sampling),
        Some(Command::Run(run)) => watch(Start::Command(run.command), &run.screen, &run.sampling),
        Some(Command::Demo(demo)) => run_demo(&demo),
        Some(Command::Record(record)) => run_record(&record),
        Some(Command::Top(top)) => run_top(&top),
        Some(Command::Export(args)) => export::run(&args),
        Some(Command::Report(args)) => html::run(&args),
        Some(Command::Diff(args)) => diff::run(&args),
        Some(Command::Toggle(args)) => toggle::run(&args),
        Some(Command::List(list)) => run_list(&list),
        Some(Command::Completions { shell }) => {
            clap_complete::generate(shell, &mut command(), "flametop", &mut std::io::stdout());
            Ok(0)
        }
        Some(Command::Man) => {
            Ok(clap_mangen::Man::new(command()).render(&mut std::io::stdout()).map(|()| 0)?)
        }
        Some(Command::DemoWorkload) => run_demo_workload(),
        Some(Command::Guard) => run_guard(),
    }
}

fn run_demo_workload() -> Result<u8, Failure> {
    crate::demo::serve(crate::demo::DemoOptions::default()).map(|()| 0).map_err(|error| Failure::of(&error))
}

fn run_guard() -> Result<u8, Failure> {
    let end = std::io::stdin().as_fd().try_clone_to_owned()?;
    // A session of its own: Ctrl-C, Ctrl-Z and a hang-up are for flametop. It fails for whoever leads one already.
    let _ = rustix::process::setsid();
    let not_ours = |error| Failure::of(&error).hint("flametop starts its guard itself").code(2);
    guard::run(end, &source::node::undo::Deeds).map(|()| 0).map_err(not_ours)
}

fn run_demo(demo: &DemoArgs) -> Result<u8, Failure> {
    let start = if demo.node { Start::NodeDemo } else { Start::Demo };
    watch(start, &demo.screen, &demo.sampling)
}

fn run_list(list: &ListArgs) -> Result<u8, Failure> {
    let found = discover::Discovery::new().look();
    let text = if list.json { report::list_json(&found) } else { report::list_text(&found) };
    print_plain(&text, list.json)?;
    Ok(0)
}

fn run_top(top: &TopArgs) -> Result<u8, Failure> {
    let until = match TargetSpec::parse(&top.target) {
        // What is in a file is there already: all of it counts.
        TargetSpec::File(_) => Until::Asked,
        _ => Until::Covered(Nanos::from(top.length)),
    };
    let (core, code) = sample(std::slice::from_ref(&top.target), &top.sampling, until, None)?;
    let text = report::top(&core, &top.sample_type, top.lines, top.json)?;
    print_plain(&text, top.json)?;
    // What is missing from the numbers is part of them.
    report::remarks(&core).iter().for_each(|remark| say(&format!("flametop: {remark}")));
    Ok(code)
}

fn run_record(record: &RecordArgs) -> Result<u8, Failure> {
    let until = record.length.map_or(Until::Asked, |length| Until::Covered(Nanos::from(length)));
    let pprof = record.output.as_ref().filter(|path| !is_recording(path));
    let plan =
        Plan { path: record.output.clone(), may_number: record.manual, bounds: bounds(&record.bounds) };
    let recording = pprof.is_none().then_some(Recording { plan, manual: record.manual });
    let is_bounded = record.bounds.keep.is_some() || record.bounds.max_size.is_some();
    if recording.is_none() && (is_bounded || record.manual) {
        let text = "--keep, --max-size and --manual are for recordings";
        return Err(Failure::new(text).hint("name the file .ftrec, or leave out -o").code(2));
    }
    // What can't be written is better known before than after half an hour.
    if let Some(path) = recording.as_ref().and_then(|recording| recording.plan.path.as_ref()) {
        report::check_free(path)?;
    }
    report::check_writable(record.output.as_deref())?;
    let (core, code) = sample(&record.targets, &record.sampling, until, recording)?;
    if let Some(path) = pprof {
        for written in report::write_pprof(&core, path)? {
            say(&format!("flametop: written {}", written.display()));
        }
    }
    // Ctrl-C is the way to end a recording without --for: it is not a failure.
    let code = if record.length.is_none() && code == 130 { 0 } else { code };
    // Its cause was told when it came.
    Ok(if code == 0 && core.lost_sink { 1 } else { code })
}

fn is_recording(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "ftrec")
}

/// What is to be recorded, and when.
struct Recording {
    plan: Plan,
    /// Not before it is toggled on.
    manual: bool,
}

/// Samples without a screen, and records when there is a plan for it.
fn sample(
    targets: &[String],
    sampling: &SamplingArgs,
    until: Until,
    recording: Option<Recording>,
) -> Result<(Core, u8), Failure> {
    let options = options(sampling);
    let sources = targets
        .iter()
        .map(|word| {
            source::open(TargetSpec::parse(word), options.clone(), sampling.kind.as_deref())
                .map_err(Failure::from)
        })
        .collect::<Result<Vec<_>, _>>()?;
    runtime()?.block_on(async {
        let mut asked = listen()?;
        let mut core = Core::new(sampling.memory as usize);
        sources.into_iter().for_each(|source| {
            core.watch(source);
        });
        let Settled { leave, toggled } = settle(&mut core, SETTLE, &mut asked).await;
        let recorded = recording.filter(|_| leave.is_none() && !core.all_failed());
        let is_recorded = recorded.is_some();
        let mut run = Headless::new(core, until).with_progress(progress(is_recorded)).with_leave(leave);
        if let Some(Recording { plan, manual }) = recorded {
            // Who toggled it meanwhile meant to begin one by hand; one that begins by itself did not run yet.
            let on = !manual || toggled;
            if !on {
                let pid = std::process::id();
                say(&format!("flametop: waiting: flametop toggle {pid} begins a recording, and ends it"));
            }
            run = run.with_recordings(on, report::recordings(plan));
        }
        let (core, ending) = finish(run, &mut asked).await;
        if is_recorded && ending.recordings == 0 {
            say("flametop: nothing was recorded: it was never switched on");
        }
        let is_empty = core.session.timeline().span().is_none();
        match ending.error.map(Failure::from) {
            Some(failure) if is_empty => return Err(failure),
            // What was seen before is worth having all the same.
            Some(failure) => exit::tell(&failure),
            None if is_empty && !is_recorded && ending.code != 0 => {
                return Err(Failure::new("stopped before the first window arrived").code(ending.code));
            }
            None => {}
        }
        Ok((core, ending.code))
    })
}

async fn finish(run: Headless, asked: &mut mpsc::Receiver<Asked>) -> (Core, Ending) {
    let (mut core, ending) = run.run(asked).await;
    core.finish_sinks();
    clear_line();
    for note in core.session.notes().filter(|note| note.note.level >= NoteLevel::Warning) {
        say(&format!("flametop: {}", note.note.text));
    }
    (core, ending)
}

/// A line on standard error that is written over, when somebody can see it. `records`: it also tells whether
/// a recording is under way.
fn progress(records: bool) -> impl FnMut(&Core) + Send + 'static {
    let seen = std::io::IsTerminal::is_terminal(&std::io::stderr());
    move |core: &Core| {
        let Some(source) = core.session.sources().first().filter(|_| seen) else { return };
        let covered = core.session.timeline().span().map_or(0.0, |span| span.length.as_secs_f64());
        let _ = write!(
            std::io::stderr(),
            "\r\x1b[K{} {covered:.1} s, {} samples, {} lost{}",
            plain(phase_text(&source.status.phase)),
            source.taken,
            source.lost,
            match (records, core.is_recording()) {
                (false, _) => "",
                (true, true) => ", recording",
                (true, false) => ", waiting for flametop toggle",
            }
        );
    }
}
