//! A sampling heap profiler for this process: a wrapper around the system's allocator.
//!
//! Off, it costs one relaxed load per call. On, one allocation in about every `interval` bytes is
//! sampled: distances are drawn from an exponential distribution, so that every byte is equally
//! likely to be seen, and each sample stands for the bytes it was drawn from, as Go and tcmalloc do
//! it. A sample keeps its stack as bare addresses; names are looked up when the profile is read.
//!
//! This file is the only unsafe code of the profiler of this process.
#![expect(unsafe_code, reason = "a global allocator and a stack walk are unsafe by their nature")]

use super::{RawStack, Taken, assemble};
use crate::profile::{Profile, Sampling, Span, Thread, ValueKind};
use crate::source::Clock;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Frames kept of a stack; the root end of a deeper one is cut.
const MAX_FRAMES: usize = 128;
/// Different stacks kept; beyond them a sample counts as one of unknown origin.
const MAX_STACKS: usize = 16 * 1024;
/// Live samples kept in one of [`LIVE`]; beyond them a sample's end is not seen, so it is not taken.
const MAX_LIVE: usize = 64 * 1024;
const SHARDS: usize = 16;
const FILTER_SLOTS: usize = 1 << 16;

/// Mean bytes between samples; 0 is off.
static INTERVAL: AtomicU64 = AtomicU64::new(0);
/// Whether sampling was ever on, so that frees must be looked at.
static EVER: AtomicBool = AtomicBool::new(false);
/// Live samples by hash of their address: nearly every free ends at a zero here, without a lock.
static FILTER: [AtomicU16; FILTER_SLOTS] = [const { AtomicU16::new(0) }; FILTER_SLOTS];
static LIVE: [Mutex<HashMap<usize, Sampled, FxBuildHasher>>; SHARDS] =
    [const { Mutex::new(HashMap::with_hasher(FxBuildHasher)) }; SHARDS];
static STACKS: Mutex<Stacks> =
    Mutex::new(Stacks { ids: HashMap::with_hasher(FxBuildHasher), counts: Vec::new(), taken: 0, lost: 0 });

// All without destructors: they can be used to the very end of a thread and never allocate.
thread_local! {
    static COUNTDOWN: Cell<i64> = const { Cell::new(0) };
    static RANDOM: Cell<u64> = const { Cell::new(0) };
    static MODE: Cell<Mode> = const { Cell::new(Mode::Watching) };
}

/// What a thread does with its own allocations.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Watching,
    /// Takes no samples, but still sees the end of those taken elsewhere.
    Unsampled,
    /// Inside the tables below: looks at nothing, or it would wait for itself.
    Recording,
}

/// One sampled allocation that was not freed yet.
#[derive(Clone, Copy)]
struct Sampled {
    stack: u32,
    objects: u64,
    bytes: u64,
}

/// What was counted at one stack, scaled from samples to all allocations.
#[derive(Clone, Copy, Default)]
struct Counts {
    alloc_objects: u64,
    alloc_bytes: u64,
    live_objects: u64,
    live_bytes: u64,
}

struct Stacks {
    ids: HashMap<Box<[usize]>, u32, FxBuildHasher>,
    counts: Vec<Counts>,
    taken: u64,
    lost: u64,
}

/// The system's allocator, with samples taken of it once [`sample_heap`] is called.
pub struct SamplingAllocator;

// SAFETY: every call goes to the system's allocator with the caller's own arguments and its result
// comes back unchanged; what is done besides never panics, and what it allocates itself it neither
// samples nor locks for again (`Mode`).
unsafe impl GlobalAlloc for SamplingAllocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of this same function.
        let address = unsafe { System.alloc(layout) };
        allocated(address as usize, layout.size());
        address
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of this same function.
        let address = unsafe { System.alloc_zeroed(layout) };
        allocated(address as usize, layout.size());
        address
    }

    #[inline]
    unsafe fn dealloc(&self, address: *mut u8, layout: Layout) {
        // First, because another thread may be given the address at once.
        freed(address as usize);
        // SAFETY: the caller keeps the contract of this same function.
        unsafe { System.dealloc(address, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, address: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let before = freed(address as usize);
        // SAFETY: the caller keeps the contract of this same function.
        let new = unsafe { System.realloc(address, layout, size) };
        match before {
            // It failed, and the old block lives on.
            Some(sampled) if new.is_null() => restore(address as usize, sampled),
            _ => allocated(new as usize, size),
        }
        new
    }
}

#[inline]
fn allocated(address: usize, size: usize) {
    let interval = INTERVAL.load(Ordering::Relaxed);
    if interval == 0 || address == 0 {
        return;
    }
    let due = COUNTDOWN.with(|countdown| {
        let left = countdown.get() - size as i64;
        countdown.set(left);
        left < 0
    });
    if due {
        sample(address, size, interval);
    }
}

#[inline]
fn freed(address: usize) -> Option<Sampled> {
    let watched = EVER.load(Ordering::Relaxed) && filter(address).load(Ordering::Relaxed) > 0;
    if watched { forget(address) } else { None }
}

fn filter(address: usize) -> &'static AtomicU16 {
    &FILTER[hash(address) % FILTER_SLOTS]
}

fn shard(address: usize) -> &'static Mutex<HashMap<usize, Sampled, FxBuildHasher>> {
    &LIVE[hash(address) / FILTER_SLOTS % SHARDS]
}

/// Spreads addresses, whose low bits are all zero (Fibonacci hashing).
fn hash(address: usize) -> usize {
    ((address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `work` in another mode; the mode before comes back even when it panics.
fn in_mode<T>(mode: Mode, work: impl FnOnce() -> T) -> T {
    struct Before(Mode);
    impl Drop for Before {
        fn drop(&mut self) {
            MODE.set(self.0);
        }
    }
    let _before = Before(MODE.replace(mode));
    work()
}

#[cold]
#[inline(never)]
fn sample(address: usize, size: usize, interval: u64) {
    if MODE.get() != Mode::Watching {
        return;
    }
    let fresh = RANDOM.get() == 0;
    COUNTDOWN.set(next_distance(address, interval));
    // A thread's first countdown was not drawn yet: its first allocation is no fair sample.
    if !fresh {
        in_mode(Mode::Recording, || record(address, size, interval));
    }
}

/// Bytes to the next sample: exponential with mean `interval`, by xorshift64*.
fn next_distance(seed: usize, interval: u64) -> i64 {
    let mut state = RANDOM.get();
    if state == 0 {
        let here = RANDOM.with(|random| std::ptr::from_ref(random) as u64);
        state = hash(seed) as u64 ^ here | 1;
    }
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    RANDOM.set(state);
    let unit = (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 53) as f64;
    (-(1.0 - unit).ln() * interval as f64) as i64
}

/// Allocations and bytes that one sample of `size` stands for: a block is seen with probability
/// 1 - e^(-size/interval).
fn weight(size: usize, interval: u64) -> (u64, u64) {
    let seen = 1.0 - (-(size as f64) / interval as f64).exp();
    ((1.0 / seen).round() as u64, (size as f64 / seen).round() as u64)
}

fn record(address: usize, size: usize, interval: u64) {
    let mut frames = [0usize; MAX_FRAMES];
    let mut depth = 0;
    // SAFETY: the walk is unsynchronised only where the platform's unwinder keeps global state
    // (dbghelp); libgcc's and LLVM's do not. The closure does not unwind.
    unsafe {
        backtrace::trace_unsynchronized(|frame| {
            frames[depth] = frame.ip() as usize;
            depth += 1;
            depth < MAX_FRAMES
        });
    }
    let (objects, bytes) = weight(size, interval);
    let mut live = lock(shard(address));
    let mut stacks = lock(&STACKS);
    if live.len() >= MAX_LIVE {
        stacks.lost += 1;
        return;
    }
    let stack = stacks.id(&frames[..depth]);
    stacks.taken += 1;
    stacks.counts[stack as usize].alloc_objects += objects;
    stacks.counts[stack as usize].alloc_bytes += bytes;
    keep(&mut live, &mut stacks, address, Sampled { stack, objects, bytes });
}

fn keep(
    live: &mut HashMap<usize, Sampled, FxBuildHasher>,
    stacks: &mut Stacks,
    address: usize,
    sampled: Sampled,
) {
    match live.insert(address, sampled) {
        // Its end was not seen; it must have come.
        Some(stale) => stacks.ended(stale),
        None => {
            filter(address).fetch_add(1, Ordering::Relaxed);
        }
    }
    let counts = &mut stacks.counts[sampled.stack as usize];
    counts.live_objects += sampled.objects;
    counts.live_bytes += sampled.bytes;
}

#[cold]
#[inline(never)]
fn forget(address: usize) -> Option<Sampled> {
    if MODE.get() == Mode::Recording {
        return None;
    }
    in_mode(Mode::Recording, || {
        let mut live = lock(shard(address));
        let sampled = live.remove(&address)?;
        filter(address).fetch_sub(1, Ordering::Relaxed);
        lock(&STACKS).ended(sampled);
        Some(sampled)
    })
}

#[cold]
#[inline(never)]
fn restore(address: usize, sampled: Sampled) {
    in_mode(Mode::Recording, || keep(&mut lock(shard(address)), &mut lock(&STACKS), address, sampled));
}

impl Stacks {
    /// The number of a stack; that of the empty stack when there are too many.
    fn id(&mut self, frames: &[usize]) -> u32 {
        if let Some(id) = self.ids.get(frames) {
            return *id;
        }
        let frames = if self.ids.len() < MAX_STACKS { frames } else { &[] };
        let next = self.counts.len() as u32;
        let id = *self.ids.entry(frames.into()).or_insert(next);
        if id == next {
            self.counts.push(Counts::default());
        }
        id
    }

    fn ended(&mut self, sampled: Sampled) {
        let counts = &mut self.counts[sampled.stack as usize];
        counts.live_objects = counts.live_objects.saturating_sub(sampled.objects);
        counts.live_bytes = counts.live_bytes.saturating_sub(sampled.bytes);
    }
}

/// Samples the heap from now on, one allocation in about `interval` bytes; 0 takes no new samples.
/// Does nothing in a process whose allocator is not [`SamplingAllocator`].
pub fn sample_heap(interval: u64) {
    EVER.fetch_or(interval > 0, Ordering::Relaxed);
    INTERVAL.store(interval, Ordering::Relaxed);
}

/// Runs `work` without sampling what it allocates: for the profiler's own needs.
pub fn unsampled<T>(work: impl FnOnce() -> T) -> T {
    in_mode(Mode::Unsampled, work)
}

/// Bytes in use as far as sampled.
pub fn live_bytes() -> u64 {
    lock(&STACKS).counts.iter().map(|counts| counts.live_bytes).sum()
}

/// The heap as sampled so far, in Go's four sample types; allocated figures count from the start.
pub fn read_heap(started: crate::profile::Moment) -> Profile {
    unsampled(|| {
        let (raw, taken, lost) = copy_stacks();
        let span = Span::between(started, Clock::get().now());
        let sampling = Sampling {
            period_name: "space".into(),
            period: INTERVAL.load(Ordering::Relaxed),
            period_bytes: true,
            taken,
            lost,
            ..Sampling::default()
        };
        assemble(raw, Taken { kinds: heap_kinds(), span, covered: span.length, sampling })
    })
}

/// Go's order of sample types: the one shown by default stands last.
fn heap_kinds() -> Vec<ValueKind> {
    use crate::profile::Unit::{Bytes, Count};
    [("alloc_objects", Count), ("alloc_space", Bytes), ("inuse_objects", Count), ("inuse_space", Bytes)]
        .map(|(name, unit)| ValueKind::from_sample_type(name, unit))
        .to_vec()
}

fn copy_stacks() -> (Vec<RawStack>, u64, u64) {
    let thread = Thread { pid: std::process::id(), tid: 0, name: "heap".into() };
    in_mode(Mode::Recording, || {
        let stacks = lock(&STACKS);
        let row = |counts: Counts| {
            [counts.alloc_objects, counts.alloc_bytes, counts.live_objects, counts.live_bytes]
                .map(|count| i64::try_from(count).unwrap_or(i64::MAX))
                .to_vec()
        };
        let raw = stacks
            .ids
            .iter()
            .map(|(frames, id)| RawStack {
                thread: thread.clone(),
                addresses: frames.to_vec(),
                values: row(stacks.counts[*id as usize]),
            })
            .collect();
        (raw, stacks.taken, stacks.lost)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Moment;

    #[global_allocator]
    static HEAP: SamplingAllocator = SamplingAllocator;

    #[inline(never)]
    fn hoard(blocks: usize, size: usize) -> Vec<Vec<u8>> {
        (0..blocks).map(|_| std::hint::black_box(vec![1u8; size])).collect()
    }

    fn live_at(name: &str) -> i64 {
        let profile = read_heap(Moment(0));
        assert!(profile.is_sound());
        let column = profile.kind("inuse_space").expect("the kind is there");
        let holds = |mut node: u32| {
            while node != 0 {
                let at = profile.nodes[node as usize];
                if profile.frames[at.frame as usize].name.contains(name) {
                    return true;
                }
                node = at.parent;
            }
            false
        };
        let lanes = profile.lanes.iter().flat_map(|lane| lane.nodes.iter().zip(&lane.columns[column]));
        lanes.filter(|(node, _)| holds(**node)).map(|(_, value)| *value).sum()
    }

    #[test]
    fn live_bytes_are_found_where_they_were_allocated_and_end_when_freed() {
        sample_heap(16 * 1024);
        let held = hoard(4000, 4096);
        let (live, held_bytes) = (live_at("hoard"), 4000 * 4096);
        assert!((live - held_bytes).abs() < held_bytes / 5, "{live} of {held_bytes}");
        drop(held);
        assert!(live_at("hoard") < held_bytes / 50);
        sample_heap(0);
    }

    #[test]
    fn a_sample_stands_for_the_bytes_it_was_drawn_from() {
        assert_eq!(weight(10 << 20, 512 << 10), (1, 10 << 20));
        let (objects, bytes) = weight(64, 512 << 10);
        assert!((8190..=8194).contains(&objects), "{objects}");
        assert!((bytes as i64 - (512 << 10)).abs() < 64, "{bytes}");
    }
}
