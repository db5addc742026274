//! Opening the screen.

use super::args::{SamplingArgs, ScreenArgs, SliceArgs};
use super::exit::Failure;
use super::load::Loaded;
use super::plain::{plain, say};
use super::run::{bounds, mouse, options, runtime, theme};
use crate::app::{App, Effect, Mode, Picker};
use crate::demo;
use crate::engine::{Core, Ending, FrameWriter, Live, Screen, Terminal, TerminalError, listen, start_input};
use crate::feed::{EndReason, TargetInfo, TargetSpec};
use crate::profile::Basis;
use crate::source::node::{NodeSource, spawn::Run};
use crate::source::{self, Source, SourceOptions};
use jiff::tz::TimeZone;
use std::io::Write;
use std::time::Duration;

/// How long a failure to attach may take to show before the screen opens.
const SETTLE: Duration = Duration::from_millis(300);

/// What the screen starts with.
pub enum Start {
    /// These targets; none: the picker.
    Targets(Vec<String>),
    /// A program to start.
    Command(Vec<String>),
    /// The built-in workload.
    Demo,
    /// The sample Node application.
    NodeDemo,
}

/// Opens the screen and runs until the user leaves; the exit code.
pub fn watch(start: Start, screen: &ScreenArgs, sampling: &SamplingArgs) -> Result<u8, Failure> {
    Terminal::check(std::env::var("TERM").ok().as_deref()).map_err(no_screen)?;
    let theme = theme(screen)?;
    let picking = matches!(&start, Start::Targets(words) if words.is_empty());
    let base = screen.base.as_deref().map(|path| Loaded::read(path, &SliceArgs::default())).transpose()?;
    let Opened { sources, workload: _workload, script: _script, command } = open(start, sampling)?;
    let ending = runtime()?.block_on(async {
        let mut asked = listen()?;
        let mut core = Core::new(sampling.memory as usize);
        let against = base.as_ref().map(|base| compare_with(&mut core, base)).transpose()?;
        for source in sources {
            core.watch(source);
        }
        if !picking {
            core.settle(SETTLE).await;
        }
        if core.all_failed() {
            core.stop().await;
            let error = core.sources.take_error();
            return Err(error.map_or_else(|| Failure::new("the target failed"), Failure::from));
        }
        let app = App { against, ..first_view(picking, sampling) };
        let terminal = Terminal::enter(mouse(screen)).map_err(no_screen)?;
        let mut live = Live::new(core, app, theme, open_screen(&terminal)?)
            .with_options(options(sampling), sampling.kind.clone())
            .with_bounds(bounds(&screen.bounds));
        if let Some(path) = &screen.record {
            live.perform(Effect::StartRecording(path.clone()));
        }
        let (core, mut ending) = live.run(&mut asked).await;
        drop(terminal);
        if let Some(run) = &command {
            after_command(run, &core, &mut ending);
        }
        Ok(ending)
    })?;
    say_farewell(ending)
}

/// What to watch, and what a demo needs: its workload runs, and its script exists, as long as they are
/// kept.
struct Opened {
    sources: Vec<Box<dyn Source>>,
    workload: Option<demo::Running>,
    script: Option<demo::NodeDemo>,
    command: Option<Run>,
}

fn open(start: Start, sampling: &SamplingArgs) -> Result<Opened, Failure> {
    let options = options(sampling);
    let open =
        |target| source::open(target, options.clone(), sampling.kind.as_deref()).map_err(Failure::from);
    let mut opened = Opened { sources: Vec::new(), workload: None, script: None, command: None };
    match start {
        Start::Targets(words) => {
            let sources = words.iter().map(|word| open(TargetSpec::parse(word)));
            opened.sources = sources.collect::<Result<_, _>>()?;
        }
        Start::Command(words) => opened.start_command(words, options),
        Start::Demo => {
            let running = demo::start(&std::env::current_exe()?).map_err(|error| Failure::of(&error))?;
            opened.sources.push(open(TargetSpec::Address(running.address().to_string()))?);
            opened.workload = Some(running);
        }
        Start::NodeDemo => {
            let sample = demo::NodeDemo::write().map_err(|error| Failure::of(&error))?;
            opened.start_command(sample.command(), options);
            opened.script = Some(sample);
        }
    }
    Ok(opened)
}

impl Opened {
    fn start_command(&mut self, words: Vec<String>, options: SourceOptions) {
        let (source, run) = NodeSource::command(words, options);
        self.sources.push(Box::new(source));
        self.command = Some(run);
    }
}

/// Passes on the exit code of a command that ended by itself, and the last lines it wrote: the screen
/// had their place while it ran.
fn after_command(run: &Run, core: &Core, ending: &mut Ending) {
    for line in run.tail() {
        say(&line);
    }
    let ended = core.session.sources().iter().any(|source| source.ended == Some(EndReason::TargetExited));
    if ending.code == 0 && ended {
        ending.code = run.exit_code().and_then(|code| u8::try_from(code).ok()).unwrap_or(0);
    }
}

/// Takes a file as the base of comparisons.
fn compare_with(core: &mut Core, base: &Loaded) -> Result<Basis, Failure> {
    let target = TargetInfo { name: base.name().into(), ..base.target() };
    if core.session.set_base_from(&base.profiles()?, Some(target), base.name()) {
        Ok(Basis::default())
    } else {
        Err(Failure::new(format!("{} holds nothing to compare with", base.name())))
    }
}

fn first_view(picking: bool, sampling: &SamplingArgs) -> App {
    let mode = if picking { Mode::Pick(Picker::default()) } else { Mode::Browse };
    App { mode, window: sampling.window.into(), zone: Some(TimeZone::system()), ..App::default() }
}

fn open_screen(terminal: &Terminal) -> Result<Screen, Failure> {
    let size = terminal.size_reader()?;
    Ok(Screen {
        input: start_input()?,
        writer: FrameWriter::start(terminal.output()?)?,
        size: Box::new(size),
        in_tmux: std::env::var_os("TMUX").is_some(),
        tenancy: Some(Box::new(terminal.tenancy()?)),
    })
}

fn no_screen(error: TerminalError) -> Failure {
    let hint = "without a terminal use: flametop record TARGET --for 10s -o x.pb.gz, or flametop top TARGET";
    let usage = matches!(error, TerminalError::NoTerminal | TerminalError::Dumb(_));
    Failure::of(&error).hint(hint).code(if usage { 2 } else { 1 })
}

fn say_farewell(ending: Ending) -> Result<u8, Failure> {
    let mut out = std::io::stdout().lock();
    for line in &ending.farewell {
        // The terminal may be gone; the files are written all the same.
        let _ = writeln!(out, "{}", plain(line));
    }
    match ending.error {
        Some(error) => Err(error.into()),
        None => Ok(ending.code),
    }
}
