//! The whole path on real Node processes: from a PID to the screen, through time, to a file.

mod support;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::pprof_go::GoPprof;
use support::process;
use support::pty::{Pty, PtyCommand};
use support::target::Target;
use support::wait::wait_for;

const SOON: Duration = Duration::from_secs(15);

fn watch(target: &Target, columns: u16, rows: u16) -> (Pty, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let pid = target.pid().to_string();
    let pty = PtyCommand::flametop(&[&pid]).size(columns, rows).current_dir(directory.path()).start();
    (pty, directory)
}

fn files_ending(directory: &tempfile::TempDir, ending: &str) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory.path()).expect("the directory exists");
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    paths.filter(|path| path.to_string_lossy().ends_with(ending)).collect()
}

#[test]
fn a_server_is_watched_frozen_stepped_through_recorded_and_exported() {
    let node = support::runtimes::require_node!(22);
    let go = support::runtimes::require_go!();
    let target = Target::start_with(&node, &["--inspect-port=0"], "split_cpu.js", &[]);
    let before = process::listening_ports(target.pid());
    let (mut pty, directory) = watch(&target, 120, 40);
    pty.wait_for_text("seventy", SOON);
    pty.send("R");
    // The first windows hold the one-off cost of the start.
    pty.wait_for_text("REC 00:04", SOON);
    pty.send(" ");
    pty.wait_for_text("FROZEN", SOON);
    pty.send("[");
    pty.send("w");
    wait_for("the export to be written", SOON, || !files_ending(&directory, ".cpu.pb.gz").is_empty());
    pty.send(" ");
    pty.wait_for_text("LIVE", SOON);
    pty.send("R");
    pty.wait_for_no_text("REC ", SOON);
    pty.send("q");
    assert_eq!(pty.wait_exit(SOON).exit_code(), 0, "{}", pty.screen());
    pty.assert_given_back();
    target.wait_ports(&before, SOON);
    assert!(target.is_alive());

    let export = files_ending(&directory, ".cpu.pb.gz").remove(0);
    let profile = GoPprof::new(go).raw(&export);
    let share = profile.own_share("seventy", "cpu/nanoseconds");
    assert!((0.5..0.9).contains(&share), "one window of a 70/20/10 program: {share}");
    let recording = files_ending(&directory, ".ftrec");
    assert_eq!(recording.len(), 1, "one file at rest: {recording:?}");
}

#[test]
fn a_process_that_hangs_in_a_loop_shows_its_guilty_function() {
    let node = support::runtimes::require_node!(20);
    let target = Target::start_with(&node, &["--inspect-port=0"], "hang.js", &[]);
    let started = Instant::now();
    let (mut pty, _directory) = watch(&target, 80, 24);
    pty.wait_for_text("guiltyLoop", SOON);
    println!("guilty function on screen after {:?}", started.elapsed());
    pty.send("q");
    assert_eq!(pty.wait_exit(SOON).exit_code(), 0);
    target.wait_ports(&[], SOON);
}

#[test]
fn record_without_a_screen_writes_what_go_reads() {
    let go = GoPprof::new(support::runtimes::require_go!());
    for (major, node) in support::runtimes::every_node() {
        let target = Target::start_with(&node, &["--inspect-port=0"], "split_cpu.js", &[]);
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let path = directory.path().join("x.pb.gz");
        let status = Command::new(env!("CARGO_BIN_EXE_flametop"))
            .args(["record", &target.pid().to_string(), "--for", "3s", "-o"])
            .arg(&path)
            .stdin(Stdio::null())
            .status()
            .expect("the binary was built");
        assert!(status.success(), "Node {major}");
        let profile = go.raw(&path);
        for (function, expected) in [("seventy", 0.7), ("twenty", 0.2), ("ten", 0.1)] {
            let share = profile.own_share(function, "cpu/nanoseconds");
            assert!((share - expected).abs() < 0.05, "Node {major}: {function} has {share}");
        }
        target.wait_ports(&[], SOON);
    }
}

#[test]
fn run_passes_the_exit_code_on_and_sees_the_first_instruction() {
    let node = support::runtimes::require_node!(24);
    let node = node.to_string_lossy().into_owned();
    let script = "function startup(){const e=Date.now()+1500;let n=0;while(Date.now()<e)n++;return n}\
                  startup();process.exitCode=7";
    let mut pty = PtyCommand::flametop(&["run", "--", &node, "-e", script]).size(80, 24).start();
    pty.wait_for_text("startup", SOON);
    pty.wait_for_text("ENDED", SOON);
    pty.send("q");
    assert_eq!(pty.wait_exit(SOON).exit_code(), 7);
    pty.assert_given_back();
}

#[test]
fn the_picker_lists_filters_and_attaches() {
    let node = support::runtimes::require_node!(22);
    // A name of its own: other tests run the same program meanwhile.
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let program = directory.path().join("picked_by_name.js");
    std::fs::copy(support::target::script("split_cpu.js"), &program).expect("it can be copied");
    let program = program.to_string_lossy().into_owned();
    let target = Target::start_with(&node, &["--inspect-port=0"], &program, &[]);
    let mut pty = PtyCommand::flametop(&[]).size(100, 30).start();
    pty.wait_for_text("picked_by_name.js", SOON);
    pty.send("picked_by");
    pty.wait_for_text(&target.pid().to_string(), SOON);
    pty.send("\r");
    pty.wait_for_text("seventy", SOON);
    pty.send("q");
    assert_eq!(pty.wait_exit(SOON).exit_code(), 0);
    target.wait_ports(&[], SOON);
}

#[test]
fn a_panic_in_any_thread_frees_the_target_and_the_terminal() {
    let node = support::runtimes::require_node!(22);
    for place in ["engine", "job", "input", "terminal", "source", "folder", "recorder"] {
        let target = Target::start_with(&node, &["--inspect-port=0"], "split_cpu.js", &[]);
        let pid = target.pid().to_string();
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let command = PtyCommand::flametop(&[&pid]).current_dir(directory.path());
        let mut pty = command.env("FLAMETOP_PLANT_PANIC", place).start();
        let key = match place {
            "job" => "w",
            "input" => "j",
            "recorder" => "R",
            _ => "",
        };
        if !key.is_empty() {
            pty.wait_for_text("seventy", SOON);
            pty.send(key);
        }
        assert_eq!(pty.wait_exit(SOON).exit_code(), 101, "{}", pty.screen());
        pty.assert_given_back();
        // Told after the terminal was given back; a backtrace may have pushed it off the screen.
        let output = String::from_utf8_lossy(&pty.output()).into_owned();
        let told = output.find("a panic was planted").expect("the panic is told");
        assert!(output.rfind("\u{1b}[?1049l").is_some_and(|left| left < told));
        target.wait_ports(&[], SOON);
        assert!(target.is_alive());
    }
}

#[test]
fn a_target_that_is_stopped_and_goes_on_is_told_and_not_lost() {
    let node = support::runtimes::require_node!(24);
    let target = Target::start_with(&node, &["--inspect-port=0"], "split_cpu.js", &[]);
    let (mut pty, _directory) = watch(&target, 120, 40);
    pty.wait_for_text("seventy", SOON);
    target.signal(rustix::process::Signal::STOP);
    pty.wait_for_text("BLOCKED", SOON);
    pty.wait_for_text("stopped", SOON);
    target.signal(rustix::process::Signal::CONT);
    pty.wait_for_no_text("BLOCKED", SOON);
    pty.wait_for_text("seventy", SOON);
    pty.send("q");
    assert_eq!(pty.wait_exit(SOON).exit_code(), 0);
    target.wait_ports(&[], SOON);
}

#[test]
fn a_target_that_ends_or_becomes_another_program_stays_to_be_read() {
    let node = support::runtimes::require_node!(24);
    let script = "function busy(){const e=Date.now()+2500;let n=0;while(Date.now()<e)n++}\
                  console.log('ready');setTimeout(()=>{busy();process.execve?.('/bin/sleep',['sleep','5'],process.env);\
                  process.exit(0)},200)";
    let mut command = Command::new(&node);
    command.args(["--inspect-port=0", "-e", script]).stdout(Stdio::piped());
    let mut target = Target::spawn(command);
    target.wait_line("ready", SOON);
    let (mut pty, _directory) = watch(&target, 120, 40);
    pty.wait_for_text("busy", SOON);
    pty.wait_for_text("ENDED", SOON);
    pty.send("q");
    assert_eq!(pty.wait_exit(SOON).exit_code(), 0);
}

#[test]
fn an_export_into_a_directory_that_cannot_be_written_to_is_told_on_screen() {
    let node = support::runtimes::require_node!(22);
    let target = Target::start_with(&node, &["--inspect-port=0"], "split_cpu.js", &[]);
    let pid = target.pid().to_string();
    let mut pty =
        PtyCommand::flametop(&[&pid]).size(120, 40).current_dir(std::path::Path::new("/proc")).start();
    pty.wait_for_text("seventy", SOON);
    pty.send("w");
    pty.wait_for_text("failed to", SOON);
    pty.send("q");
    assert_eq!(pty.wait_exit(SOON).exit_code(), 0);
}
