//! A row with its checksum: how every table is written and read.
//!
//! SQLite notices a torn file but not a flipped bit in a value, so each row ends with a CRC over the
//! others. A reader gives the value that was written, or says that the row is damaged.

use crate::profile::plain_text;
use flate2::Crc;
use rusqlite::types::{FromSql, Value};
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use std::fmt::Write;
use std::sync::Arc;

/// A table of the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub name: &'static str,
    /// Its columns but `crc`, in the order of the schema.
    pub columns: &'static [&'static str],
}

/// Why a row could not be read.
#[derive(Debug)]
pub(super) enum RowError {
    /// The row is not what was written.
    Damaged,
    /// SQLite failed.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for RowError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            // A text that is not UTF-8, or another type than the schema's.
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..) => Self::Damaged,
            error => Self::Sqlite(error),
        }
    }
}

impl Table {
    /// Adds a row.
    pub fn insert(&self, connection: &Connection, row: Vec<Value>) -> rusqlite::Result<()> {
        self.put("INSERT", connection, row)
    }

    /// Adds a row in the place of the one of that key, if there is one.
    pub fn replace(&self, connection: &Connection, row: Vec<Value>) -> rusqlite::Result<()> {
        self.put("REPLACE", connection, row)
    }

    fn put(&self, verb: &str, connection: &Connection, mut row: Vec<Value>) -> rusqlite::Result<()> {
        debug_assert_eq!(row.len(), self.columns.len(), "{}", self.name);
        row.push(Value::Integer(checksum(&row)));
        let mut sql = format!("{verb} INTO {} VALUES (", self.name);
        for at in 1..=row.len() {
            // Writing to a string cannot fail.
            let _ = write!(sql, "{}?{at}", if at == 1 { "" } else { ", " });
        }
        sql.push(')');
        connection.prepare_cached(&sql)?.execute(params_from_iter(row)).map(|_| ())
    }

    /// The rows whose first column is `key`, in the order of the primary key.
    pub fn load(&self, connection: &Connection, key: &Value) -> Result<Vec<Fields>, RowError> {
        let columns = self.columns.join(", ");
        let order = &self.columns[..2].join(", ");
        let sql = format!(
            "SELECT {columns}, crc FROM {} WHERE {} = ?1 ORDER BY {order}",
            self.name, self.columns[0]
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query([key])?;
        let mut loaded = Vec::new();
        while let Some(row) = rows.next()? {
            let mut values = Vec::with_capacity(self.columns.len());
            for at in 0..self.columns.len() {
                values.push(row.get::<_, Value>(at)?);
            }
            if row.get::<_, i64>(self.columns.len())? != checksum(&values) {
                return Err(RowError::Damaged);
            }
            loaded.push(Fields { values: values.into_iter() });
        }
        Ok(loaded)
    }

    /// Takes away the rows whose first column is `key`.
    pub fn delete(&self, connection: &Connection, key: i64) -> rusqlite::Result<()> {
        let sql = format!("DELETE FROM {} WHERE {} = ?1", self.name, self.columns[0]);
        connection.prepare_cached(&sql)?.execute([key]).map(|_| ())
    }

    /// One column of the first row whose first column is `key`: for the writer, who knows what it wrote.
    pub fn field<T: FromSql>(&self, connection: &Connection, key: i64, column: &str) -> rusqlite::Result<T> {
        let sql = format!("SELECT {column} FROM {} WHERE {} = ?1 LIMIT 1", self.name, self.columns[0]);
        connection.prepare_cached(&sql)?.query_row([key], |row| row.get(0))
    }

    /// The least key above `key`.
    pub fn next_key(&self, connection: &Connection, key: i64) -> rusqlite::Result<Option<i64>> {
        let first = self.columns[0];
        let sql = format!("SELECT {first} FROM {} WHERE {first} > ?1 ORDER BY {first} LIMIT 1", self.name);
        connection.prepare_cached(&sql)?.query_row([key], |row| row.get(0)).optional()
    }
}

fn checksum(row: &[Value]) -> i64 {
    let mut crc = Crc::new();
    for value in row {
        match value {
            Value::Null => crc.update(b"n"),
            Value::Integer(number) => {
                crc.update(b"i");
                crc.update(&number.to_le_bytes());
            }
            Value::Real(number) => {
                crc.update(b"r");
                crc.update(&number.to_bits().to_le_bytes());
            }
            Value::Text(text) => sized(&mut crc, b"t", text.as_bytes()),
            Value::Blob(bytes) => sized(&mut crc, b"b", bytes),
        }
    }
    i64::from(crc.sum())
}

fn sized(crc: &mut Crc, tag: &[u8], bytes: &[u8]) {
    crc.update(tag);
    crc.update(&(bytes.len() as u64).to_le_bytes());
    crc.update(bytes);
}

/// The values of a row, taken in the order of the columns.
pub(super) struct Fields {
    values: std::vec::IntoIter<Value>,
}

impl Fields {
    pub fn integer(&mut self) -> Result<i64, RowError> {
        match self.values.next() {
            Some(Value::Integer(number)) => Ok(number),
            _ => Err(RowError::Damaged),
        }
    }

    /// An unsigned number that SQLite keeps as the signed one of the same bits.
    pub fn unsigned(&mut self) -> Result<u64, RowError> {
        Ok(self.integer()?.cast_unsigned())
    }

    pub fn small<T: TryFrom<i64>>(&mut self) -> Result<T, RowError> {
        self.integer()?.try_into().map_err(|_| RowError::Damaged)
    }

    pub fn optional_integer(&mut self) -> Result<Option<i64>, RowError> {
        match self.values.next() {
            Some(Value::Integer(number)) => Ok(Some(number)),
            Some(Value::Null) => Ok(None),
            _ => Err(RowError::Damaged),
        }
    }

    /// A figure; SQLite keeps "not a number" as null.
    pub fn real(&mut self) -> Result<f64, RowError> {
        match self.values.next() {
            Some(Value::Real(number)) => Ok(number),
            Some(Value::Null) => Ok(f64::NAN),
            _ => Err(RowError::Damaged),
        }
    }

    /// A text, safe to show: it was cleaned before it was written, but anybody can write a file.
    pub fn text(&mut self) -> Result<Arc<str>, RowError> {
        Ok(plain_text(&self.raw_text()?))
    }

    /// A value kept as JSON; the texts in it are safe to show.
    pub fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, RowError> {
        let mut json = serde_json::from_str(&self.raw_text()?).map_err(|_| RowError::Damaged)?;
        make_plain(&mut json);
        serde_json::from_value(json).map_err(|_| RowError::Damaged)
    }

    fn raw_text(&mut self) -> Result<String, RowError> {
        match self.values.next() {
            Some(Value::Text(text)) => Ok(text),
            _ => Err(RowError::Damaged),
        }
    }

    pub fn blob(&mut self) -> Result<Vec<u8>, RowError> {
        match self.values.next() {
            Some(Value::Blob(bytes)) => Ok(bytes),
            _ => Err(RowError::Damaged),
        }
    }

    pub fn skip(&mut self) {
        self.values.next();
    }

    /// The value of a row that is a key and a value.
    pub fn second(mut self) -> Option<Value> {
        self.values.nth(1)
    }
}

/// Cleans every text in a JSON value; names of fields are only compared with ours.
fn make_plain(json: &mut serde_json::Value) {
    match json {
        serde_json::Value::String(text) => *text = plain_text(text).as_ref().into(),
        serde_json::Value::Array(items) => items.iter_mut().for_each(make_plain),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(make_plain),
        _ => {}
    }
}
