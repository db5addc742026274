//! Proves that a process is Node before anything is sent to it: to most other programs our signal is death.
//!
//! A name proves nothing (`node` may be anything, and Node may be renamed), so the proof is in the program: its dynamic
//! symbols contain `node::Start`, which Node exports for its add-ons and nothing else does. Bun exports part of Node's
//! API but not that. Where Node is a shared library, the library is looked for in the process's mappings.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::elf::Elf;
use super::error::AttachError;
use crate::source::procfs::{ProcError, Process};

/// `node::Start(int, char**)`, exported by all of Node 18 to 26.
const NODE_START: &[u8] = b"_ZN4node5StartEiPPc";

/// A process proved to be Node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeProcess {
    /// Its program.
    pub exe: PathBuf,
    /// Its version, where it can be told without asking it.
    pub version: Option<String>,
}

/// Proves that a process is Node, or says what it is.
pub fn identify(process: Process) -> Result<NodeProcess, AttachError> {
    let pid = process.pid();
    let exe = match process.exe() {
        Ok(exe) => exe,
        // The process is there (its status was read), but has no program: a kernel thread.
        Err(ProcError::NoSuchProcess { .. }) if process.status().is_ok_and(|status| !status.is_dead()) => {
            return Err(AttachError::NotNode { pid, command: process.comm().unwrap_or_default() });
        }
        Err(error) => return Err(AttachError::from_proc(pid, error)),
    };
    match exe.file_name().and_then(|name| name.to_str()) {
        Some("bun" | "bunx") => return Err(AttachError::Bun { pid }),
        Some("deno") => return Err(AttachError::Deno { pid }),
        _ => {}
    }
    let proved = exports_node_start(&process.exe_link())
        .map_err(|source| AttachError::Executable { exe: exe.clone(), source })?
        || maps_libnode(process);
    if !proved {
        let command = exe.file_name().unwrap_or(exe.as_os_str()).to_string_lossy().into_owned();
        return Err(AttachError::NotNode { pid, command });
    }
    let version = version_beside(&exe);
    Ok(NodeProcess { exe, version })
}

/// Whether a mapped library is Node's; distributions split it off as `libnode.so.108`.
fn maps_libnode(process: Process) -> bool {
    process.mapped_files().is_ok_and(|files| {
        files.iter().any(|file| {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with("libnode.so") && exports_node_start(file).unwrap_or(false)
        })
    })
}

/// Node's version as its headers say, which most installations have beside the program.
fn version_beside(exe: &Path) -> Option<String> {
    let header = exe.parent()?.parent()?.join("include/node/node_version.h");
    // A special file could keep us waiting.
    if !header.symlink_metadata().ok()?.is_file() {
        return None;
    }
    let mut text = vec![0; 8192];
    let length = File::open(header).ok()?.read_at(&mut text, 0).ok()?;
    version_in_header(&String::from_utf8_lossy(&text[..length]))
}

fn version_in_header(text: &str) -> Option<String> {
    let number = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix("#define ")?.strip_prefix(name)?.trim().parse::<u32>().ok())
    };
    let (major, minor) = (number("NODE_MAJOR_VERSION")?, number("NODE_MINOR_VERSION")?);
    Some(format!("{major}.{minor}.{}", number("NODE_PATCH_VERSION")?))
}

/// Whether an ELF file's dynamic symbol names contain `node::Start`. A file of another kind has none.
fn exports_node_start(path: &Path) -> io::Result<bool> {
    let Some(elf) = Elf::open(path)? else { return Ok(false) };
    let Some(names) = elf.dynamic_names()? else { return Ok(false) };
    // The linker may share tails: a name can be the end of another.
    Ok(names.split(|byte| *byte == 0).any(|name| name.ends_with(NODE_START)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_test_is_not_node() {
        let error = identify(Process::new(std::process::id())).expect_err("not Node");
        assert!(matches!(error, AttachError::NotNode { .. }), "{error}");
    }

    #[test]
    fn a_header_tells_the_version() {
        let text =
            "#define NODE_MAJOR_VERSION 22\n#define NODE_MINOR_VERSION 23\n#define NODE_PATCH_VERSION 3\n";
        assert_eq!(version_in_header(text).as_deref(), Some("22.23.3"));
        assert_eq!(version_in_header("#define NODE_MAJOR_VERSION x"), None);
    }
}
