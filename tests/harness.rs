//! The harness itself is right: what `tests/support` says of terminals, processes and profiles is true.

mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use support::pprof_go::GoPprof;
use support::pty::{Pty, PtyCommand};
use support::runtimes::{require_go, require_node, require_tmux};
use support::target::Target;
use support::wait::{holds_for, wait_for};
use support::{harmless, process, terminal_modes};

const SOON: Duration = Duration::from_secs(5);

fn shell(script: &str) -> Pty {
    PtyCommand::program("sh", &["-c", script]).start()
}

#[test]
fn screen_shows_what_a_program_writes_and_takes_keys() {
    let mut pty = shell("printf 'name? '; read name; printf 'hello %s' \"$name\"");
    pty.wait_for_text("name?", SOON);
    pty.send("flame\r");
    pty.wait_for_text("hello flame", SOON);
    assert!(pty.wait_exit(SOON).success());
}

#[test]
fn resize_reaches_the_program() {
    let mut pty = PtyCommand::program(
        "bash",
        &["-c", "trap 'stty size; exit 3' WINCH; echo up; while :; do read -t 0.05; done"],
    )
    .size(40, 10)
    .start();
    pty.wait_for_text("up", SOON);
    pty.resize(100, 30);
    pty.wait_for_text("30 100", SOON);
    assert_eq!(pty.wait_exit(SOON).exit_code(), 3);
}

#[test]
fn modes_left_on_are_named_and_those_undone_are_not() {
    let on = b"\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1000;1006h\x1b[>1u\x1b[1;31mtext";
    let names = ["1000", "1006", "1049", "2004"].map(|mode| format!("?{mode}"));
    let left_on = terminal_modes::left_on(on);
    assert!(names.iter().all(|name| left_on.contains(name)), "{left_on:?}");
    assert!(
        ["cursor hidden", "kitty keyboard", "colours or style"]
            .iter()
            .all(|name| left_on.contains(&(*name).to_owned()))
    );

    let off = b"\x1b[0m\x1b[<u\x1b[?1006;1000l\x1b[?2004l\x1b[?25h\x1b[?1049l";
    assert_eq!(terminal_modes::left_on(&[&on[..], &off[..]].concat()), Vec::<String>::new());
}

#[test]
fn a_terminal_given_back_is_told_from_one_that_is_not() {
    let mut polite =
        shell("stty -echo raw; printf '\\033[?1049h\\033[?25lx\\033[?25h\\033[?1049l'; stty sane");
    polite.wait_exit(SOON);
    assert!(polite.modes_left_on().is_empty());

    let mut rude = shell("printf '\\033[?1049h\\033[?25l'; stty -echo");
    rude.wait_exit(SOON);
    rude.wait_for_screen("the alternate screen", SOON, |_| rude.in_alternate_screen());
    assert_eq!(rude.modes_left_on(), ["cursor hidden", "?1049"]);
    let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| rude.assert_given_back()));
    assert!(judged.is_err());
}

#[test]
fn line_discipline_is_compared() {
    let mut untouched = shell("true");
    untouched.wait_exit(SOON);
    untouched.assert_given_back();

    let mut changed = shell("stty -echo");
    changed.wait_exit(SOON);
    let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| changed.assert_given_back()));
    assert!(judged.is_err());
}

#[test]
fn cursor_position_question_is_answered() {
    let mut pty = PtyCommand::program(
        "bash",
        &["-c", "stty -echo; printf 'ab\\033[6n'; IFS= read -rs -d R answer; printf '%q' \"$answer\""],
    )
    .start();
    pty.wait_for_text("[1;3", SOON);
    assert!(pty.wait_exit(SOON).success());
}

#[test]
fn hang_up_ends_a_program_that_obeys() {
    let mut pty = shell("printf up; exec sleep 60");
    pty.wait_for_text("up", SOON);
    pty.hang_up();
    assert!(pty.wait_exit(SOON).signal().is_some());
}

#[test]
fn held_terminal_blocks_the_writer() {
    let pty = shell(
        "printf up; read go; i=0; while [ $i -lt 4000 ]; do printf '0123456789012345678901234567890123456789\\n'; i=$((i+1)); done; printf done",
    );
    pty.wait_for_text("up", SOON);
    pty.stop_reading();
    pty.send("\r");
    wait_for("the writer to block", SOON, || process::state(pty.pid()) == Some('S'));
    holds_for("nothing more is read", Duration::from_millis(100), || pty.output().len() < 160_000);
    pty.read_on();
    pty.wait_for_text("done", SOON);
}

#[test]
fn targets_die_with_their_handle_and_ports_are_seen() {
    let node = require_node!(22);
    let server = Target::start(&node, "server.js", &[]);
    let pid = server.pid();
    assert_eq!(process::listening_ports(pid), [server.port()]);
    assert!(process::thread_names(pid).len() > 1);
    assert!(process::catches_signal(pid, 10));
    drop(server);
    assert!(!process::is_alive(pid));
}

#[test]
fn an_opened_inspector_shows_in_ports_and_report() {
    let node = require_node!(22);
    let mut target = Target::start_with(&node, &["--inspect-port=0"], "globals.js", &[]);
    assert_eq!(target.report()["inspectorUrl"], serde_json::Value::Null);
    target.signal(Signal::USR1);
    let port = target.wait_new_port(&[], SOON);
    wait_for("the target's word for it", SOON, || target.stderr_text().contains("Debugger listening"));
    assert!(target.report()["inspectorUrl"].as_str().is_some_and(|url| url.contains(&port.to_string())));
}

/// `two_functions.pb.gz` was encoded by hand from three stacks: 7 samples of `hot loop` and 2 of `cold`,
/// both called by `main`, and 1 of `main` itself, of 10 ms each.
#[test]
fn go_pprof_reads_every_sample() {
    let pprof = GoPprof::new(require_go!());
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/two_functions.pb.gz");
    let raw = pprof.raw(&fixture);
    assert_eq!(raw.sample_types, ["samples/count", "cpu/nanoseconds"]);
    assert_eq!(
        (raw.sample_count, raw.total("samples/count"), raw.total("cpu/nanoseconds")),
        (3, 10, 100_000_000)
    );
    assert!((raw.own_share("hot loop", "cpu/nanoseconds") - 0.7).abs() < 1e-9, "{raw:?}");
    assert!(pprof.top(&fixture, Some("samples")).contains("hot loop"));
}

#[test]
fn what_is_harmful_is_told_from_what_is_foreign() {
    for harmful in ["\u{1b}", "\u{9b}", "\r", "\u{202e}", "\u{200d}", "\u{e0041}", "\u{3164}", "\u{2028}"] {
        assert!(harmless::harm_in(harmful).is_some(), "{harmful:?}");
    }
    for harmless in ["a\nb", "ünïcode", "函数", "e\u{301}", "\u{fffd}", "␛[31m", "\u{1f600}"] {
        assert_eq!(harmless::harm_in(harmless), None, "{harmless:?}");
    }
    assert_eq!(harmless::written(b"\x1b[1;2Ha\x1b]52;c;aMO8\x07b").copied, ["h\u{fc}"]);
    assert!(std::panic::catch_unwind(|| harmless::written(b"\x1b]0;t\x07")).is_err());
}

#[test]
fn tmux_is_usable() {
    let tmux = require_tmux!();
    let output = Command::new(tmux).arg("-V").output().expect("tmux runs");
    assert!(output.status.success());
}
