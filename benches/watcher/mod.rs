//! flametop watching a target while a bench measures what that costs the target.

use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Begins to watch a process with these further arguments; what is seen goes into `directory`.
pub fn watch(pid: u32, args: &[&str], directory: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_flametop"))
        .args(["record", &pid.to_string()])
        .args(args)
        .arg("-o")
        .arg(directory.join("x.pb.gz"))
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary was built")
}
