//! A real pseudo-terminal with a program in it, and the screen as a user would see it.
//!
//! The program is flametop or any other; it leads a session of its own with the pty as its
//! controlling terminal, so Ctrl-C, resize and hang-up are the kernel's. Its environment is the
//! test's without `FLAMETOP_*`, with `TERM=xterm-256color`, without colour switches and with an empty
//! configuration directory. Job control needs a shell: run `bash -i` in it for Ctrl-Z.

use std::env;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, SlavePty, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::terminal_modes;
use super::wait::{poll, wait_for_value};

/// The most that is read at once.
const AT_ONCE: usize = 4096;
/// How often a slow line passes something on.
const SLOW_STEP: Duration = Duration::from_millis(50);

/// A program to be started in a pty.
pub struct PtyCommand {
    command: CommandBuilder,
    columns: u16,
    rows: u16,
    config: TempDir,
}

impl PtyCommand {
    /// The flametop of this build, at 80x24 unless told otherwise.
    pub fn flametop(args: &[&str]) -> PtyCommand {
        PtyCommand::program(env!("CARGO_BIN_EXE_flametop"), args)
    }

    /// Any program.
    pub fn program(program: impl AsRef<OsStr>, args: &[&str]) -> PtyCommand {
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.cwd(env!("CARGO_MANIFEST_DIR"));
        let own = env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FLAMETOP_"));
        own.for_each(|(name, _)| command.env_remove(name));
        for switch in
            ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "COLORTERM", "TMUX", "LINES", "COLUMNS"]
        {
            command.env_remove(switch);
        }
        let config = TempDir::new().expect("a temporary directory can be made");
        command.env("XDG_CONFIG_HOME", config.path());
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        PtyCommand { command, columns: 80, rows: 24, config }
    }

    /// Sets the size of the terminal, in cells.
    pub fn size(mut self, columns: u16, rows: u16) -> PtyCommand {
        (self.columns, self.rows) = (columns, rows);
        self
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> PtyCommand {
        self.command.env(name, value);
        self
    }

    /// Sets the working directory.
    pub fn current_dir(mut self, dir: &Path) -> PtyCommand {
        self.command.cwd(dir);
        self
    }

    /// The directory that the program sees as `XDG_CONFIG_HOME`.
    pub fn config_dir(&self) -> &Path {
        self.config.path()
    }

    /// Opens the terminal and starts the program in it.
    #[track_caller]
    pub fn start(self) -> Pty {
        let pair =
            native_pty_system().openpty(pty_size(self.columns, self.rows)).expect("a pty can be opened");
        let termios = describe_termios(&*pair.master);
        let reader = pair.master.try_clone_reader().expect("the pty can be read");
        let writer = pair.master.take_writer().expect("the pty can be written");
        let terminal = Terminal::new(self.columns, self.rows);
        let keyboard = Arc::new(Mutex::new(Some(writer)));
        let reader = terminal.clone().read_from(reader, keyboard.clone());
        let child = pair.slave.spawn_command(self.command).expect("the program can be started");
        let line = Line { master: pair.master, slave: pair.slave, reader };
        Pty { child, terminal, keyboard, line: Some(line), termios, _config: self.config }
    }
}

/// A terminal with a program running in it; the program is killed when this is dropped.
pub struct Pty {
    child: Box<dyn Child + Send + Sync>,
    terminal: Terminal,
    keyboard: Keyboard,
    /// `None` after a hang-up.
    line: Option<Line>,
    /// The line discipline as it was before the program started.
    termios: String,
    _config: TempDir,
}

/// The two ends of the pty. The slave is kept open: what was written last can then still be read
/// after the program has ended, and its line discipline be asked for.
struct Line {
    master: Box<dyn MasterPty + Send>,
    slave: Box<dyn SlavePty + Send>,
    reader: JoinHandle<()>,
}

type Keyboard = Arc<Mutex<Option<Box<dyn Write + Send>>>>;

impl Pty {
    /// The process id of the program.
    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("a started program has a process id")
    }

    /// Types: the bytes as a terminal sends them, `"\u{3}"` for Ctrl-C, `"\u{1b}[A"` for Up.
    #[track_caller]
    pub fn send(&self, keys: &str) {
        let mut keyboard = lock(&self.keyboard);
        let writer = keyboard.as_mut().expect("nobody types after a hang-up");
        writer.write_all(keys.as_bytes()).and_then(|()| writer.flush()).expect("the pty takes keys");
    }

    /// Makes the terminal another size, which the kernel tells the program.
    #[track_caller]
    pub fn resize(&self, columns: u16, rows: u16) {
        self.terminal.state().parser.set_size(cells(rows), cells(columns));
        let line = self.line.as_ref().expect("nobody resizes after a hang-up");
        line.master.resize(pty_size(columns, rows)).expect("the pty can be resized");
    }

    /// The screen as text, a line each row, without trailing blanks.
    pub fn screen(&self) -> String {
        let state = self.terminal.state();
        let screen = state.parser.screen();
        screen
            .rows(0, screen.size().1.get())
            .flat_map(|row| [row.trim_end().to_owned(), "\n".to_owned()])
            .collect()
    }

    /// True when the screen shows `text` within one row.
    pub fn shows(&self, text: &str) -> bool {
        self.screen().contains(text)
    }

    /// Waits until the screen shows `text`; a failure shows the screen.
    #[track_caller]
    pub fn wait_for_text(&self, text: &str, within: Duration) {
        self.wait_for_screen(&format!("{text:?}"), within, |screen| screen.contains(text));
    }

    /// Waits until the screen shows `text` no more.
    #[track_caller]
    pub fn wait_for_no_text(&self, text: &str, within: Duration) {
        self.wait_for_screen(&format!("{text:?} to go"), within, |screen| !screen.contains(text));
    }

    /// Waits until the screen satisfies `condition`, named by `what`; a failure shows the screen.
    #[track_caller]
    pub fn wait_for_screen(&self, what: &str, within: Duration, condition: impl Fn(&str) -> bool) {
        let met = poll(within, || condition(&self.screen()).then_some(()));
        assert!(met.is_some(), "waited {within:?} in vain for {what}; the screen is:\n{}", self.screen());
    }

    /// Every byte the program has written so far.
    pub fn output(&self) -> Vec<u8> {
        self.terminal.state().output.clone()
    }

    /// The modes that the program has switched on and not off; empty when the terminal is given back.
    pub fn modes_left_on(&self) -> Vec<String> {
        terminal_modes::left_on(&self.terminal.state().output)
    }

    /// True while the screen shown is the alternate one.
    pub fn in_alternate_screen(&self) -> bool {
        self.terminal.state().parser.screen().alternate_screen()
    }

    /// Fails the test unless the terminal is as the program found it: all modes and the line discipline.
    #[track_caller]
    pub fn assert_given_back(&self) {
        let line = self.line.as_ref().expect("a terminal that hung up is not given back");
        // The program's last bytes may still be on their way through the reader.
        let modes_off = poll(Duration::from_secs(1), || self.modes_left_on().is_empty().then_some(()));
        assert!(modes_off.is_some(), "modes left on: {:?}", self.modes_left_on());
        assert_eq!(describe_termios(&*line.master), self.termios, "the line discipline was changed");
    }

    /// Stops reading what the program writes, as a terminal held with Ctrl-S does.
    pub fn stop_reading(&self) {
        self.terminal.state().flow = Flow::Held;
    }

    /// Reads so many bytes a second, as a bad line does.
    pub fn read_slowly(&self, bytes_per_second: usize) {
        self.terminal.state().flow = Flow::Slow(bytes_per_second);
        self.terminal.changed.notify_all();
    }

    /// Reads on.
    pub fn read_on(&self) {
        self.terminal.state().flow = Flow::Open;
        self.terminal.changed.notify_all();
    }

    /// Sends a signal to the program.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid() as i32).expect("a process id is above zero");
        kill_process(pid, signal).expect("the program can be signalled");
    }

    /// Waits for the end of the program.
    #[track_caller]
    pub fn wait_exit(&mut self, within: Duration) -> ExitStatus {
        let child = &mut self.child;
        let ended = poll(within, || child.try_wait().expect("the program is our child"));
        ended.unwrap_or_else(|| {
            panic!("waited {within:?} in vain for the program's end; the screen is:\n{}", self.screen())
        })
    }

    /// Takes the terminal away, as a lost SSH connection does: every master end is closed.
    #[track_caller]
    pub fn hang_up(&mut self) {
        let line = self.line.take().expect("a terminal hangs up once");
        self.terminal.state().flow = Flow::Closed;
        self.terminal.changed.notify_all();
        // The reader sits in a read on a copy of the master; a byte from the slave's side wakes it.
        let name = line.master.tty_name().expect("the pty has a name");
        let mut slave = OpenOptions::new().write(true).open(name).expect("the pty can be opened");
        slave.write_all(b"\0").expect("the pty can be written");
        line.reader.join().expect("the reader does not panic");
        lock(&self.keyboard).take();
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // Both fail when the program has ended already, which is as good. The reader ends by itself
        // when the last slave end is closed.
        if let Some(pid) = self.child.process_id().and_then(|pid| Pid::from_raw(pid as i32))
            && matches!(self.child.try_wait(), Ok(None))
        {
            let _ = kill_process(pid, Signal::KILL);
        }
        self.read_on();
        let _ = self.child.wait();
    }
}

/// The terminal's side: what was written, and the screen that makes.
#[derive(Clone)]
struct Terminal {
    state: Arc<Mutex<TerminalState>>,
    changed: Arc<Condvar>,
}

struct TerminalState {
    parser: vt100::Parser,
    output: Vec<u8>,
    flow: Flow,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Open,
    /// Bytes a second.
    Slow(usize),
    Held,
    Closed,
}

impl Terminal {
    fn new(columns: u16, rows: u16) -> Terminal {
        let parser = vt100::Parser::new(cells(rows), cells(columns), 0);
        let state = TerminalState { parser, output: Vec::new(), flow: Flow::Open };
        Terminal { state: Arc::new(Mutex::new(state)), changed: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, TerminalState> {
        lock(&self.state)
    }

    /// Takes in what the program writes until the line closes, and answers its questions.
    fn read_from(self, mut reader: Box<dyn Read + Send>, keyboard: Keyboard) -> JoinHandle<()> {
        thread::spawn(move || {
            let mut chunk = [0; AT_ONCE];
            while self.wait_until_open()
                && let Ok(length @ 1..) = reader.read(&mut chunk[..self.at_once()])
                && self.state().flow != Flow::Closed
            {
                let answer = self.take_in(&chunk[..length]);
                if let Some(writer) = lock(&keyboard).as_mut() {
                    // A program that ended before it read the answer does not miss it.
                    let _ = writer.write_all(answer.as_bytes());
                }
            }
        })
    }

    /// False when the line is closed.
    fn wait_until_open(&self) -> bool {
        let held = |state: &mut TerminalState| state.flow == Flow::Held;
        let state = self.changed.wait_while(self.state(), held);
        state.unwrap_or_else(PoisonError::into_inner).flow != Flow::Closed
    }

    /// How much is read now; on a slow line that takes its time.
    fn at_once(&self) -> usize {
        let Flow::Slow(bytes_per_second) = self.state().flow else { return AT_ONCE };
        thread::park_timeout(SLOW_STEP);
        (bytes_per_second * SLOW_STEP.as_millis() as usize / 1000).clamp(1, AT_ONCE)
    }

    /// Returns the answer to the questions in `bytes`: where the cursor is, and what terminal this is.
    fn take_in(&self, bytes: &[u8]) -> String {
        let mut state = self.state();
        state.output.extend_from_slice(bytes);
        state.parser.process(bytes);
        let text = String::from_utf8_lossy(bytes);
        let mut answer = String::new();
        if text.contains("\u{1b}[6n") {
            let (row, column) = state.parser.screen().cursor_position();
            answer = format!("\u{1b}[{};{}R", row + 1, column + 1);
        }
        if text.contains("\u{1b}[c") {
            answer.push_str("\u{1b}[?62;22c");
        }
        answer
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a terminal has at least one cell")
}

fn pty_size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn describe_termios(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("a pty has a line discipline"))
}
