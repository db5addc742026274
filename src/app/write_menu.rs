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
    export('m', "markdown", false, "markdown: a summary to paste into an issue"),
    export('J', "json", false, "json: the summary for programs"),
    export('v', "svg", false, "svg: the flame graph as a picture"),
    export('f', "folded", false, "folded: stacks as lines of text"),
    export('s', "speedscope", true, "speedscope: every thread and sample type"),
    export('x', "firefox", false, "firefox: for the Firefox Profiler"),
    export('d', "cpuprofile", false, "cpuprofile: CPU for Chrome and VS Code"),
    export('h', "heapprofile", false, "heapprofile: the heap for the same"),
    export('o', "otlp", true, "otlp: OpenTelemetry profiles"),
    WriteRow { item: WriteItem::Recording, key: 'r', label: "recording: start or stop" },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::FORMATS;

    #[test]
    fn everything_that_can_be_written_has_a_row_and_a_key_of_its_own() {
        for spec in FORMATS.iter().map(|format| format.spec()).filter(|spec| spec.writes) {
            let offers =
                |row: &WriteRow| matches!(row.item, WriteItem::Export { format, .. } if format == spec.name);
            assert!(WRITE_MENU.iter().any(offers), "{} is not in the menu", spec.name);
        }
        for (at, row) in WRITE_MENU.iter().enumerate() {
            assert!(WRITE_MENU[..at].iter().all(|other| other.key != row.key), "{}", row.key);
            // The menu's own keys.
            assert!(!"jkgGqW".contains(row.key), "{}", row.key);
        }
    }
}
