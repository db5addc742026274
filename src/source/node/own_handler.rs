//! Whether SIGUSR1 would run a handler of the application's instead of opening the inspector.
//!
//! `/proc` tells that the signal is caught, not by whom: Node catches it itself, from its start. An application's
//! `process.on('SIGUSR1')` goes through libuv, which keeps every signal somebody listens to in one tree; so its tree is
//! read, from the memory of the running process, which stops nothing and changes nothing. Where that memory may not be
//! read (another user's process, Yama) or libuv's symbols are stripped, it can't be told.
//!
//! The places within libuv's `uv_signal_t` are those of `uv.h` on 64-bit Linux, the same in all of libuv 1.x.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::elf::Elf;
use crate::source::procfs::Process;

/// The root of libuv's tree of signals, a pointer.
const TREE: &str = "uv__signal_tree";
/// Places in a `uv_signal_t`.
const TYPE_AT: usize = 16;
const NUMBER_AT: usize = 104;
const LEFT_AT: usize = 112;
const RIGHT_AT: usize = 120;
/// As much of it as we read.
const HANDLE_BYTES: usize = 128;
/// What `type` says of a `uv_signal_t`.
const UV_SIGNAL: u32 = 16;
/// A tree with more handles than this is taken for something else.
const MOST_HANDLES: usize = 1024;

/// Who handles the signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handler {
    /// Nobody but Node itself.
    Node,
    /// The application.
    Application,
    /// It can't be told.
    Unknown,
}

/// Looks who would handle a signal that the process catches.
pub fn handler_of(process: Process, signal: u32) -> Handler {
    match listens_to(process, signal) {
        Ok(Some(true)) => Handler::Application,
        Ok(Some(false)) => Handler::Node,
        Ok(None) | Err(_) => Handler::Unknown,
    }
}

fn listens_to(process: Process, signal: u32) -> io::Result<Option<bool>> {
    let Some(elf) = Elf::open(&process.exe_link())? else { return Ok(None) };
    let Some(address) = elf.local_address(TREE)? else { return Ok(None) };
    let base = if elf.is_relocated() { process.load_address()? } else { 0 };
    let memory = File::open(process.memory_path())?;
    let mut root = [0; 8];
    memory.read_exact_at(&mut root, base.wrapping_add(address))?;
    Ok(find(&memory, u64::from_le_bytes(root), signal))
}

/// Walks the tree; `None` if it is not what we take it for, or changes under our eyes.
fn find(memory: &File, root: u64, signal: u32) -> Option<bool> {
    let mut open = vec![root];
    let mut seen = 0;
    while let Some(at) = open.pop() {
        if at == 0 {
            continue;
        }
        seen += 1;
        let mut handle = [0; HANDLE_BYTES];
        memory.read_exact_at(&mut handle, at).ok()?;
        let number = u32_at(&handle, NUMBER_AT);
        if seen > MOST_HANDLES || u32_at(&handle, TYPE_AT) != UV_SIGNAL || !(1..=64).contains(&number) {
            return None;
        }
        if number == signal {
            return Some(true);
        }
        open.extend([u64_at(&handle, LEFT_AT), u64_at(&handle, RIGHT_AT)]);
    }
    Some(false)
}

fn u32_at(bytes: &[u8; HANDLE_BYTES], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8; HANDLE_BYTES], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_is_no_node_it_cannot_be_told() {
        assert_eq!(handler_of(Process::new(std::process::id()), 10), Handler::Unknown);
        assert_eq!(handler_of(Process::new(0), 10), Handler::Unknown);
    }

    #[test]
    fn a_tree_is_walked_to_its_leaves_and_garbage_is_known() {
        let mut file = tempfile::tempfile().expect("a file");
        let handle = |number: u32, left: u64, right: u64| {
            let mut bytes = [0_u8; HANDLE_BYTES];
            bytes[TYPE_AT..TYPE_AT + 4].copy_from_slice(&UV_SIGNAL.to_le_bytes());
            bytes[NUMBER_AT..NUMBER_AT + 4].copy_from_slice(&number.to_le_bytes());
            bytes[LEFT_AT..LEFT_AT + 8].copy_from_slice(&left.to_le_bytes());
            bytes[RIGHT_AT..RIGHT_AT + 8].copy_from_slice(&right.to_le_bytes());
            bytes
        };
        let tree =
            [handle(0, 0, 0), handle(15, 256, 384), handle(2, 0, 0), handle(28, 0, 512), handle(10, 0, 0)];
        io::Write::write_all(&mut file, &tree.concat()).expect("written");
        assert_eq!(find(&file, 128, 10), Some(true));
        assert_eq!(find(&file, 128, 12), Some(false));
        assert_eq!(find(&file, 0, 10), Some(false), "an empty tree");
        assert_eq!(find(&file, 640, 10), None, "beyond its end");
        assert_eq!(find(&file, 120, 10), None, "no handle");
    }
}
