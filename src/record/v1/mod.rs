//! Formats 1 and 2 of recordings: their tables, and events as their rows and back.
//!
//! The two have the same tables. A recording is made in format 1 and becomes one of format 2 when it lets
//! its oldest events go (`keep.rs`): a flametop that knows only format 1 would take that for damage.
//! Formats with other tables get a directory of their own; this one then stays to read old files.

mod append;
mod cursor;
mod detail;
mod events;
mod keep;
mod row;
mod schema;

pub(super) use append::Appender;
pub(super) use cursor::{Cursor, Step, span};
pub(super) use keep::{let_go, shrink, used_bytes};

use rusqlite::Connection;
use rusqlite::types::Value;

/// The number of the format in which a recording begins, kept as SQLite's `user_version`.
const VERSION: u32 = 1;
/// The newest format that is read.
pub(super) const NEWEST: u32 = keep::VERSION;

/// Makes the tables of an empty database.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = {}; PRAGMA user_version = {VERSION}; \
         BEGIN; {} COMMIT;",
        super::APPLICATION_ID,
        schema::SCHEMA
    ))
}

/// Whether the tables are exactly those of [`create`]: a file made to mislead could hold views or
/// computed columns under their names, which would run for ever or say anything.
pub(super) fn has_our_tables(connection: &Connection) -> rusqlite::Result<bool> {
    let fresh = Connection::open_in_memory()?;
    create(&fresh)?;
    let sql = "SELECT type, sql FROM sqlite_schema WHERE name = ?1";
    let describe = |connection: &Connection, name: &str| {
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map([name], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<Vec<(String, String)>>>()
    };
    for table in schema::EVENT_TABLES.iter().chain([&schema::META, &schema::FRAMES]) {
        if describe(connection, table.name)? != describe(&fresh, table.name)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Stores something about the recording as a whole, in the place of what was stored under that key.
pub(super) fn set_meta(connection: &Connection, key: &str, value: Value) -> rusqlite::Result<()> {
    schema::META.replace(connection, vec![Value::Text(key.to_owned()), value])
}

/// What was stored under that key; nothing when it is not there or damaged.
pub(super) fn meta(connection: &Connection, key: &str) -> Option<Value> {
    let rows = schema::META.load(connection, &Value::Text(key.to_owned())).ok()?;
    rows.into_iter().next().and_then(row::Fields::second)
}
