//! What another user may and may not: refusals name their cause and the least that helps. Needs root, who can
//! be anybody.

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use support::process;
use support::runtimes::{require_node, root_or_skip};
use support::target::{START, Target};

const NOBODY: &str = "65534";

/// The program where everybody may run it.
fn program(directory: &Path) -> PathBuf {
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    copied(Path::new(env!("CARGO_BIN_EXE_flametop")), directory)
}

/// By another process: one of ours that is started just then would keep the copy open, and busy.
fn copied(from: &Path, directory: &Path) -> PathBuf {
    let to = directory.join(from.file_name().expect("a program has a name"));
    let status = Command::new("install").args(["-m", "755"]).arg(from).arg(&to).status();
    assert!(status.expect("install is part of coreutils").success());
    to
}

fn as_nobody(program: &Path, args: &[&str]) -> Output {
    as_nobody_with("", program, args)
}

fn as_nobody_with(capabilities: &str, program: &Path, args: &[&str]) -> Output {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]);
    if !capabilities.is_empty() {
        command.args(["--inh-caps", capabilities, "--ambient-caps", capabilities]);
    }
    command
        .arg(program)
        .args(args)
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .expect("setpriv is part of util-linux")
}

#[test]
fn a_process_of_another_user_is_refused_with_whose_it_is_and_what_helps() {
    if root_or_skip().is_none() {
        return;
    }
    let node = require_node!(22);
    let target = Target::start_with(&node, &["--inspect-port=0"], "globals.js", &[]);
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let output = as_nobody(&program(directory.path()), &["top", &target.pid().to_string()]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{told}");
    assert!(told.contains("not permitted") && told.contains("user 0"), "{told}");
    assert!(told.contains("hint:") && told.contains("CAP_SYS_PTRACE"), "{told}");
    assert!(process::listening_ports(target.pid()).is_empty());
    assert!(target.is_alive());
}

#[test]
fn the_capabilities_of_the_hint_suffice_and_none_is_too_many() {
    if root_or_skip().is_none() {
        return;
    }
    let node = require_node!(22);
    let target = Target::start_with(&node, &["--inspect-port=0"], "globals.js", &[]);
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let program = program(directory.path());
    let all = ["+sys_ptrace", "+kill", "+dac_read_search"];
    let top = |capabilities: &str| {
        as_nobody_with(capabilities, &program, &["top", &target.pid().to_string(), "--for", "300ms"])
            .status
            .code()
    };
    for left_out in all {
        let others: Vec<&str> = all.into_iter().filter(|one| *one != left_out).collect();
        assert_eq!(top(&others.join(",")), Some(4), "without {left_out}");
    }
    assert_eq!(top(&all.join(",")), Some(0));
    target.wait_ports(&[], START);
}

#[test]
fn root_without_the_capabilities_of_the_target_is_told_the_one_that_suffices() {
    if root_or_skip().is_none() {
        return;
    }
    let node = require_node!(22);
    let target = Target::start_with(&node, &["--inspect-port=0"], "globals.js", &[]);
    let top = |capabilities: &str| {
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set", capabilities, env!("CARGO_BIN_EXE_flametop")]);
        command.args(["top", &target.pid().to_string(), "--for", "300ms"]);
        command.stdin(Stdio::null()).output().expect("setpriv is part of util-linux")
    };
    let refused = top("-sys_ptrace");
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(4), "{told}");
    assert!(told.contains("CAP_SYS_PTRACE") && !told.contains("sudo"), "{told}");
    let allowed = top("-all,+sys_ptrace");
    assert_eq!(allowed.status.code(), Some(0), "{}", String::from_utf8_lossy(&allowed.stderr));
    target.wait_ports(&[], START);
}

#[test]
fn a_process_of_ones_own_needs_no_privileges() {
    if root_or_skip().is_none() {
        return;
    }
    let node = require_node!(22);
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let program = program(directory.path());
    let copy = copied(&node, directory.path());
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]).arg(&copy).current_dir("/");
    let busy = "function guilty(){const e=Date.now()+40;while(Date.now()<e);}setInterval(guilty,50);console.log('ready')";
    command.args(["--inspect-port=0", "-e", busy]);
    let mut target = Target::spawn(command);
    target.wait_line("ready", START);
    let output = as_nobody(&program, &["top", &target.pid().to_string(), "--for", "1s"]);
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && table.contains("guilty"), "{output:?}");
    target.wait_ports(&[], START);
}
