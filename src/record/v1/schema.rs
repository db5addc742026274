//! The tables of format 1, as SQL and as lists of columns.

use super::row::Table;

/// The tables. Times are nanoseconds since 1970, lengths nanoseconds.
pub(super) const SCHEMA: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY, crc INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE frames (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, file TEXT NOT NULL, line INTEGER NOT NULL, col INTEGER NOT NULL,
    kind TEXT NOT NULL, crc INTEGER NOT NULL
) STRICT;
CREATE TABLE targets (
    seq INTEGER PRIMARY KEY, source INTEGER NOT NULL, sent INTEGER NOT NULL, name TEXT NOT NULL,
    kind TEXT NOT NULL, pid INTEGER, started INTEGER, executable TEXT NOT NULL, capabilities TEXT NOT NULL,
    interval INTEGER NOT NULL, address TEXT NOT NULL, crc INTEGER NOT NULL
) STRICT;
CREATE TABLE windows (
    seq INTEGER PRIMARY KEY, source INTEGER NOT NULL, sent INTEGER NOT NULL, start INTEGER NOT NULL,
    length INTEGER NOT NULL, covered INTEGER NOT NULL, taken INTEGER NOT NULL, lost INTEGER NOT NULL,
    truncated INTEGER NOT NULL, period_name TEXT NOT NULL, period INTEGER NOT NULL, period_unit TEXT NOT NULL,
    achieved INTEGER NOT NULL, handover INTEGER NOT NULL, handover_bytes INTEGER NOT NULL, kinds TEXT NOT NULL,
    notes TEXT NOT NULL, pprof BLOB, detail BLOB NOT NULL, crc INTEGER NOT NULL
) STRICT;
CREATE TABLE gauges (
    seq INTEGER NOT NULL, place INTEGER NOT NULL, places INTEGER NOT NULL, source INTEGER NOT NULL,
    sent INTEGER NOT NULL, at INTEGER NOT NULL, gauge TEXT NOT NULL, value REAL, crc INTEGER NOT NULL,
    PRIMARY KEY (seq, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE notes (
    seq INTEGER PRIMARY KEY, source INTEGER NOT NULL, sent INTEGER NOT NULL, level TEXT NOT NULL,
    text TEXT NOT NULL, crc INTEGER NOT NULL
) STRICT;
CREATE TABLE states (
    seq INTEGER PRIMARY KEY, source INTEGER NOT NULL, sent INTEGER NOT NULL, what TEXT NOT NULL,
    body TEXT NOT NULL, crc INTEGER NOT NULL
) STRICT;
CREATE INDEX windows_by_time ON windows (sent);
";

pub(super) const META: Table = Table { name: "meta", columns: &["key", "value"] };
pub(super) const FRAMES: Table =
    Table { name: "frames", columns: &["id", "name", "file", "line", "col", "kind"] };
pub(super) const TARGETS: Table = Table {
    name: "targets",
    columns: &[
        "seq",
        "source",
        "sent",
        "name",
        "kind",
        "pid",
        "started",
        "executable",
        "capabilities",
        "interval",
        "address",
    ],
};
pub(super) const WINDOWS: Table = Table {
    name: "windows",
    columns: &[
        "seq",
        "source",
        "sent",
        "start",
        "length",
        "covered",
        "taken",
        "lost",
        "truncated",
        "period_name",
        "period",
        "period_unit",
        "achieved",
        "handover",
        "handover_bytes",
        "kinds",
        "notes",
        "pprof",
        "detail",
    ],
};
pub(super) const GAUGES: Table =
    Table { name: "gauges", columns: &["seq", "place", "places", "source", "sent", "at", "gauge", "value"] };
pub(super) const NOTES: Table = Table { name: "notes", columns: &["seq", "source", "sent", "level", "text"] };
pub(super) const STATES: Table =
    Table { name: "states", columns: &["seq", "source", "sent", "what", "body"] };

/// The tables whose rows are events, together numbered by `seq`.
pub(super) const EVENT_TABLES: [Table; 5] = [TARGETS, WINDOWS, GAUGES, NOTES, STATES];

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn the_lists_of_columns_are_those_of_the_tables() {
        let connection = Connection::open_in_memory().expect("opens");
        connection.execute_batch(SCHEMA).expect("is SQL");
        for table in EVENT_TABLES.iter().chain([&META, &FRAMES]) {
            let statement = connection.prepare(&format!("SELECT * FROM {}", table.name)).expect("exists");
            let columns: Vec<&str> = statement.column_names().collect();
            assert_eq!(columns, [table.columns, &["crc"]].concat(), "{}", table.name);
        }
    }
}
