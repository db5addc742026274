//! Journeys of a user through the real engine: keys in, a screen out, with a made-up target and a
//! made-up terminal, so that nothing depends on a machine's speed.

mod support;

use flametop::app::{App, Key, KeyCode, Msg};
use flametop::engine::{Asked, Core, FrameWriter, Input, Live, Screen};
use flametop::feed::{EndReason, Order};
use flametop::source::{BoxFuture, Control, Outbox, Source, SourceError, synthetic};
use flametop::theme::{ColourDepth, Glyphs, Theme};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::wait::{poll, wait_for};
use tokio::sync::mpsc;

const SOON: Duration = Duration::from_secs(10);

/// A terminal in memory.
#[derive(Clone)]
struct Memory(Arc<Mutex<vt100::Parser>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no test panics while it holds the screen").process(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A target that says its part of the made-up world at once, then waits to be told to stop.
struct MadeUp {
    seconds: u64,
    told: Arc<AtomicBool>,
}

impl Source for MadeUp {
    fn run(self: Box<Self>, out: Outbox, mut control: Control) -> BoxFuture<Result<EndReason, SourceError>> {
        Box::pin(async move {
            for event in synthetic::events(7, self.seconds) {
                out.send(event.feed);
                // The queue merges windows when it is full; here each should arrive as it is.
                tokio::task::yield_now().await;
                while !out.is_empty() {
                    tokio::task::yield_now().await;
                }
            }
            self.told.store(true, Ordering::Release);
            while control.next().await != Order::Stop {}
            Ok(EndReason::Detached)
        })
    }
}

/// A user at the screen.
struct Runner {
    screen: Memory,
    keys: mpsc::Sender<Input>,
    asked: mpsc::Sender<Asked>,
    run: Option<std::thread::JoinHandle<u8>>,
}

impl Runner {
    fn start(columns: u16, rows: u16, seconds: u64) -> Self {
        let cells = |n| std::num::NonZeroU16::new(n).expect("screens have a size");
        let screen = Memory(Arc::new(Mutex::new(vt100::Parser::new(cells(rows), cells(columns), 0))));
        let (keys, input) = mpsc::channel(64);
        let (asked, mut asking) = mpsc::channel(4);
        let told = Arc::new(AtomicBool::new(false));
        let by_source = told.clone();
        let writer = FrameWriter::start(screen.clone()).expect("threads can be started");
        let of_run =
            Screen { input, writer, size: Box::new(move || (columns, rows)), in_tmux: false, tenancy: None };
        let run = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
            runtime.expect("a runtime can be built").block_on(async move {
                let theme = Theme::builtin("dark", ColourDepth::Indexed, Glyphs::Unicode).expect("built in");
                let mut core = Core::default();
                core.watch(Box::new(MadeUp { seconds, told: by_source }));
                let (_, ending) = Live::new(core, App::default(), theme, of_run).run(&mut asking).await;
                ending.code
            })
        });
        wait_for("the made-up world to be told", SOON, || told.load(Ordering::Acquire));
        Self { screen, keys, asked, run: Some(run) }
    }

    /// Presses keys: characters as they are, `<enter>`, `<esc>` and other names in brackets.
    fn press(&self, keys: &str) {
        let mut rest = keys;
        while let Some(c) = rest.chars().next() {
            let name = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
            let key = if let Some(key) = name.and_then(|(name, _)| named(name)) {
                rest = name.map_or("", |(_, rest)| rest);
                key
            } else {
                rest = &rest[c.len_utf8()..];
                Key::char(c)
            };
            self.keys.blocking_send(Input::Msg(Msg::Key(key))).expect("the run goes on");
        }
    }

    fn text(&self) -> String {
        self.screen.0.lock().expect("no test panics while it holds the screen").screen().contents()
    }

    #[track_caller]
    fn wait_for(&self, text: &str) {
        let seen = poll(SOON, || self.text().contains(text).then_some(()));
        assert!(seen.is_some(), "waited for {text:?} on\n{}", self.text());
    }

    #[track_caller]
    fn wait_for_no(&self, text: &str) {
        let gone = poll(SOON, || (!self.text().contains(text)).then_some(()));
        assert!(gone.is_some(), "waited for {text:?} to go from\n{}", self.text());
    }

    fn end(&mut self) -> u8 {
        let run = self.run.take().expect("ended once");
        wait_for("the run to end", SOON, || run.is_finished());
        run.join().expect("the run did not panic")
    }
}

fn named(name: &str) -> Option<Key> {
    Some(Key::plain(match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "down" => KeyCode::Down,
        "tab" => KeyCode::Tab,
        "end" => KeyCode::End,
        "bs" => KeyCode::Backspace,
        _ => return None,
    }))
}

#[test]
fn freeze_step_back_and_go_live_again() {
    let mut user = Runner::start(120, 40, 20);
    user.wait_for("LIVE");
    user.wait_for("all");
    user.press(" ");
    user.wait_for("FROZEN");
    user.press("[[[");
    user.wait_for("FROZEN");
    user.press("<end>");
    user.wait_for("LIVE");
    user.press("q");
    assert_eq!(user.end(), 0);
}

#[test]
fn search_zoom_and_reset() {
    let mut user = Runner::start(120, 40, 14);
    user.wait_for("loadCatalog");
    user.press("/loadCatalog<enter>");
    user.press("n<enter>");
    user.wait_for("loadCatalog");
    user.press("0");
    user.press("?");
    user.wait_for("Freeze the view");
    user.press("<esc>");
    user.wait_for_no("Freeze the view");
    user.press("q");
    assert_eq!(user.end(), 0);
}

#[test]
fn every_pane_and_sample_type_can_be_seen() {
    let mut user = Runner::start(100, 30, 15);
    user.wait_for("LIVE");
    for pane in ["2", "3", "1"] {
        user.press(pane);
    }
    user.press("v");
    user.wait_for("live heap");
    user.press("v");
    user.wait_for("allocated");
    user.press("q");
    assert_eq!(user.end(), 0);
}

#[test]
fn being_asked_from_outside_ends_the_run_with_the_code() {
    let mut user = Runner::start(80, 24, 3);
    user.wait_for("LIVE");
    user.asked.blocking_send(Asked::Leave(143)).expect("the run goes on");
    assert_eq!(user.end(), 143);
}

#[test]
fn a_closed_terminal_ends_the_run() {
    let mut user = Runner::start(80, 24, 3);
    user.wait_for("LIVE");
    user.keys.blocking_send(Input::HangUp).expect("the run goes on");
    assert_eq!(user.end(), 129);
}
