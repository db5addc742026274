//! Names for addresses of this process, as a reader wants them: demangled, without hashes, without
//! the frames of the profiler and of the machinery that every stack goes through.

use crate::profile::{Frame, FrameKind, clean_name, clean_path};
use rustc_hash::FxHashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

/// Addresses kept; beyond them the table starts anew.
const MAX_ADDRESSES: usize = 64 * 1024;

/// Functions between the code that is looked at and the sample of it.
const LEAF_MACHINERY: &[&str] = &[
    "backtrace::",
    "pprof::",
    "perf_signal_handler",
    "__restore_rt",
    "flametop::source::this_process::heap::",
    "__rust_alloc",
    "__rust_realloc",
    "__rustc::",
    "__rdl_",
    "__rg_",
    "alloc::alloc::",
    "alloc::raw_vec::",
];

/// Functions that stand in every stack and say nothing about it.
const NOISE: &[&str] = &[
    "_start",
    "__libc_start",
    "__clone",
    "clone3",
    "start_thread",
    "__rust_try",
    "__rust_begin_short_backtrace",
    "alloc::boxed::Box<F,A> as core::ops::function",
    "core::ops::function::",
    "core::panic::unwind_safe",
    "std::panic::",
    "std::panicking::",
    "std::rt::lang_start",
    "std::sys::",
    "std::thread::",
    "tokio::loom::",
    "tokio::runtime::blocking::",
    "tokio::runtime::context::",
    "tokio::runtime::coop",
    "tokio::runtime::handle::",
    "tokio::runtime::park",
    "tokio::runtime::scheduler::current_thread::CoreGuard",
    "tokio::runtime::scheduler::current_thread::Context",
    "tokio::runtime::scheduler::multi_thread::worker::run",
    "tokio::runtime::task::",
    "tokio::task::coop",
];

/// What runs to take and serve a profile.
const PROFILER: &str = "flametop::source::this_process::";

/// Where this process keeps its own modules; cut from names, so that they read as a program's.
const PREFIXES: &[&str] = &["flametop::demo::"];

/// What stands for stacks inside the profiler itself: it is real CPU time, but nobody's program.
const TAKING: &str = "(taking this profile)";

/// What has no name.
const UNKNOWN: &str = "(unknown)";

/// Names by address. One for the process, since looking up is slow the first time.
#[derive(Default)]
pub(super) struct Symbols {
    known: FxHashMap<usize, Arc<Named>>,
}

/// The function at an address.
struct Named {
    role: Role,
    frame: Frame,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Code,
    Noise,
    LeafMachinery,
    Profiler,
}

impl Symbols {
    pub(super) fn lock() -> MutexGuard<'static, Self> {
        static SYMBOLS: LazyLock<Mutex<Symbols>> = LazyLock::new(Mutex::default);
        SYMBOLS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The frames of a stack from the root, by its addresses from the leaf.
    pub(super) fn path(&mut self, addresses: &[usize]) -> Vec<Frame> {
        let named: Vec<Arc<Named>> = addresses.iter().map(|address| self.named(*address)).collect();
        let machinery = named.iter().rposition(|named| named.role == Role::LeafMachinery);
        path_of(&named[machinery.map_or(0, |last| last + 1)..])
    }

    fn named(&mut self, address: usize) -> Arc<Named> {
        if let Some(known) = self.known.get(&address) {
            return known.clone();
        }
        if self.known.len() >= MAX_ADDRESSES {
            self.known.clear();
        }
        let named = Self::resolve(address);
        self.known.insert(address, named.clone());
        named
    }

    /// The function that has its own code there. What was inlined into it is left out: its names come
    /// without their modules, and a release build does not have them at all.
    fn resolve(address: usize) -> Arc<Named> {
        let mut found = None;
        backtrace::resolve(address as *mut _, |symbol| {
            let name = symbol.name().map(|name| format!("{name:#}"));
            // No line: debug information has that of the call, and the line that happened to run
            // would make one function many.
            let file = symbol.filename().map(|path| path.to_string_lossy()).unwrap_or_default();
            found = name.map(|name| named(&name, &file)).or(found.take());
        });
        // Without a name it is glue of the C library: the trampoline of a signal, the start of a thread.
        found
            .unwrap_or_else(|| Named { role: Role::Noise, frame: Frame::named(UNKNOWN, FrameKind::Native) })
            .into()
    }
}

fn named(raw: &str, file: &str) -> Named {
    let frame = Frame::at(&clean_name(&tidy(raw)), &clean_path(file), 0, 0, FrameKind::Native);
    Named { role: role_of(raw), frame }
}

fn role_of(raw: &str) -> Role {
    let bare = raw.trim_start_matches(['<', '&']);
    let begins = |table: &[&str]| table.iter().any(|prefix| bare.starts_with(prefix));
    if bare.starts_with(PROFILER) && bare.contains("::tests::") {
        return Role::Code;
    }
    // The allocator lives inside the profiler's module, so it is asked for first.
    if begins(LEAF_MACHINERY) {
        Role::LeafMachinery
    } else if bare.starts_with(PROFILER) {
        Role::Profiler
    } else if begins(NOISE) {
        Role::Noise
    } else {
        Role::Code
    }
}

/// A name without our own prefix and without closure marks: an `async fn` is a closure of itself.
fn tidy(raw: &str) -> String {
    let mut name = raw.to_owned();
    for prefix in PREFIXES {
        name = name.replace(prefix, "");
    }
    while let Some(at) = name.find("::{{closure}}").or_else(|| name.find("::{closure#")) {
        let end = name[at..].find('}').map_or(name.len(), |end| at + end + 1);
        let end = end + usize::from(name[end..].starts_with('}'));
        name.replace_range(at..end, "");
    }
    name
}

/// The stack from the root without noise; a function and its closures in a row are one frame.
fn path_of(leaf_first: &[Arc<Named>]) -> Vec<Frame> {
    if leaf_first.iter().any(|named| named.role == Role::Profiler) {
        return vec![Frame::named(TAKING, FrameKind::Program)];
    }
    let mut path: Vec<Frame> = Vec::with_capacity(leaf_first.len());
    for named in leaf_first.iter().rev().filter(|named| named.role == Role::Code) {
        let repeats =
            path.last().is_some_and(|last| last.name == named.frame.name && last.file == named.frame.file);
        if !repeats {
            path.push(named.frame.clone());
        }
    }
    if path.is_empty() {
        path.extend(leaf_first.first().map(|leaf| leaf.frame.clone()));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(leaf_first: &[&str]) -> Vec<String> {
        let named: Vec<Arc<Named>> = leaf_first.iter().map(|name| named(name, "").into()).collect();
        path_of(&named).iter().map(|frame| frame.name.to_string()).collect()
    }

    #[test]
    fn names_lose_closures_and_our_prefix() {
        assert_eq!(
            tidy("flametop::demo::shop::pages::render::{{closure}}::{{closure}}"),
            "shop::pages::render"
        );
        assert_eq!(tidy("a::b::{closure#0}"), "a::b");
        assert_eq!(tidy("<flametop::demo::A as b::C>::d"), "<A as b::C>::d");
        assert_eq!(tidy("a::{{closure}}<T>"), "a<T>");
    }

    #[test]
    fn noise_goes_and_a_function_with_its_closure_is_one() {
        let stack = [
            "app::f",
            "app::g::{{closure}}",
            "app::g",
            "core::ops::function::FnOnce::call_once",
            "main",
            "clone3",
        ];
        assert_eq!(names(&stack), ["main", "app::g", "app::f"]);
        assert_eq!(names(&["clone3"]), ["clone3"]);
    }

    #[test]
    fn the_profiler_is_named_as_such() {
        assert_eq!(names(&["x", "flametop::source::this_process::symbols::y", "main"]), [TAKING]);
    }

    #[inline(never)]
    fn a_function_of_this_file() -> Vec<usize> {
        let mut addresses = Vec::new();
        backtrace::trace(|frame| {
            addresses.push(frame.ip() as usize);
            true
        });
        addresses
    }

    #[test]
    fn a_real_stack_reads_from_root_to_leaf_with_places() {
        let path = Symbols::lock().path(&a_function_of_this_file());
        let place = path.iter().find(|frame| frame.name.ends_with("a_function_of_this_file"));
        let frame = place.expect("the function is on the stack");
        assert!(frame.file.ends_with("symbols.rs"), "{frame:?}");
    }
}
