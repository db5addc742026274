//! The rows of the write menu.

/// Something the menu can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteItem {
    /// What is on screen, in a format by its name in the registry.
    Export {
        /// The format.
        format: &'static str,
        /// Every track, each in its file with one timestamp; or only the sample type on screen.
        all_types: bool,
    },
    /// Start or stop recording.
    Recording,
}

/// A row of the menu.
#[derive(Clone, Copy, Debug)]
pub struct WriteRow {
    /// What it writes.
    pub item: WriteItem,
    /// Its key within the menu.
    pub key: char,
    /// What it says.
    pub label: &'static str,
}

const fn export(key: char, format: &'static str, all_types: bool, label: &'static str) -> WriteRow {
    WriteRow { item: WriteItem::Export { format, all_types }, key, label }
}

/// Everything that can be written, in the order shown.
pub const WRITE_MENU: &[WriteRow] = &[
    export('p', "pprof", true, "pprof: CPU and heap, one timestamp"),
    export('c', "pprof", false, "pprof: only the sample type on screen"),
    export('t', "top", false, "top: the table of functions as text"),
    export('f', "folded", false, "folded: stacks as lines of text"),
    WriteRow { item: WriteItem::Recording, key: 'r', label: "recording: start or stop" },
];
