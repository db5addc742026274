//! What a file from outside may ask of us.

/// Bounds that every reader asks before it allocates, and how it takes small faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a file as it is stored.
    pub file_bytes: u64,
    /// Bytes of a file after decompression.
    pub inflated_bytes: u64,
    /// How many times its stored size a file may inflate to, once past [`Limits::ratio_from`].
    pub ratio: u64,
    /// Inflated bytes that any file may have, however small it is stored.
    pub ratio_from: u64,
    /// Samples of a file.
    pub samples: u64,
    /// Locations, functions, mappings, strings or inlined lines of a file, each.
    pub table_entries: u64,
    /// Frames of one stack.
    pub stack_frames: u64,
    /// Inlined functions at one location.
    pub lines_per_location: u64,
    /// Nodes of the call tree made of a file; more stacks end in their callers, with a note.
    pub nodes: usize,
    /// Values kept: different stacks times sample types.
    pub cells: usize,
    /// How small faults are taken.
    pub strictness: Strictness,
}

impl Default for Limits {
    /// Limits within which any file, however made, is read or refused in 512 MiB of memory.
    fn default() -> Self {
        Self {
            file_bytes: 256 << 20,
            inflated_bytes: 256 << 20,
            ratio: 200,
            ratio_from: 64 << 20,
            samples: 64 << 20,
            table_entries: 2 << 20,
            stack_frames: 1 << 20,
            lines_per_location: 10_000,
            nodes: crate::profile::MAX_NODES,
            cells: 8 << 20,
            strictness: Strictness::Lenient,
        }
    }
}

impl Limits {
    /// Limits for very large files from trusted hands; needs memory in proportion to them.
    pub fn raised(self) -> Self {
        Self {
            file_bytes: 1 << 30,
            inflated_bytes: 2 << 30,
            table_entries: 16 << 20,
            cells: 256 << 20,
            ..self
        }
    }

    /// The same limits, refusing whatever `go tool pprof` refuses.
    pub fn strict(self) -> Self {
        Self { strictness: Strictness::Strict, ..self }
    }

    /// Bytes that a file of `stored` bytes may inflate to.
    pub fn inflated_for(&self, stored: u64) -> u64 {
        stored.saturating_mul(self.ratio).max(self.ratio_from).min(self.inflated_bytes)
    }
}

/// What happens to a file with a fault that leaves its numbers readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// It is read; what is missing shows as `[unknown]`, and a note counts the faults.
    Lenient,
    /// It is refused.
    Strict,
}
