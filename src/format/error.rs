//! Why a file could not be read or written.

use std::io;

/// Why bytes are not a profile.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The bytes break the format's rules.
    #[error("not a valid {format} profile: {cause} (at byte {offset})")]
    Malformed {
        /// The format's name.
        format: &'static str,
        /// Where the fault lies, in the decompressed bytes.
        offset: u64,
        /// What is wrong there.
        cause: String,
    },
    /// A limit was met before the end.
    #[error("the profile has more than {limit} {what} (found at byte {offset})")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// Where it was met, in the decompressed bytes.
        offset: u64,
    },
    /// The compressed stream is broken or cut short.
    #[error("the compressed data is damaged after {inflated} bytes: {cause}")]
    Damaged {
        /// Bytes that could be decompressed.
        inflated: u64,
        /// What the decompressor says.
        cause: io::Error,
    },
    /// Compressed in a way flametop does not read.
    #[error("the file is compressed with {method}, which flametop does not read")]
    Compression {
        /// The method.
        method: &'static str,
    },
    /// flametop writes the format but does not read it.
    #[error("flametop does not read the {format} format")]
    NotReadable {
        /// The format's name.
        format: &'static str,
    },
}

impl ReadError {
    /// The way out, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Malformed { .. } => None,
            Self::TooMuch { .. } => Some("raise the limit only for a file whose origin you trust"),
            Self::Damaged { .. } => Some("fetch the file again; it may have been cut while it was copied"),
            Self::Compression { .. } => Some("decompress it first"),
            Self::NotReadable { .. } => Some("export the data as pprof instead"),
        }
    }
}

/// Why an export could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The writer failed.
    #[error("failed to write the profile")]
    Io(#[from] io::Error),
    /// The format has no negative numbers.
    #[error("the {format} format cannot hold the negative {kind} values of a difference")]
    Negative {
        /// The format's name.
        format: &'static str,
        /// The kind with a negative value.
        kind: String,
    },
    /// The profile has no values of the kind asked for.
    #[error("the profile has no {kind} values")]
    NoSuchKind {
        /// The kind asked for.
        kind: String,
    },
    /// The profile breaks the laws of [`crate::profile::Profile::is_sound`].
    #[error("the profile's columns and nodes do not fit together")]
    Unsound,
    /// flametop reads the format but does not write it.
    #[error("flametop does not write the {format} format")]
    NotWritable {
        /// The format's name.
        format: &'static str,
    },
}
