//! The door for compressed files: what comes through is bounded, however it was packed.

use super::{Limits, ReadError, Strictness};
use flate2::bufread::GzDecoder;
use std::borrow::Cow;
use std::io::{self, Read};

/// Enough of a JSON file to tell its keys.
const PEEK_BYTES: usize = 4096;

/// More members than this are not a profile; each costs the decompressor a new start.
const MAX_MEMBERS: usize = 10_000;

/// The bytes of a file after decompression.
#[derive(Debug)]
pub struct Unpacked<'a> {
    /// The bytes; borrowed when the file was not compressed.
    pub bytes: Cow<'a, [u8]>,
    /// Bytes after the compressed data, which were not read.
    pub trailing: u64,
}

/// Decompresses a gzip file of one or several members; gives other bytes back as they are.
pub fn unpack<'a>(stored: &'a [u8], limits: &Limits) -> Result<Unpacked<'a>, ReadError> {
    if stored.len() as u64 > limits.file_bytes {
        return Err(ReadError::TooMuch {
            what: "bytes",
            limit: limits.file_bytes,
            offset: limits.file_bytes,
        });
    }
    if stored.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return Err(ReadError::Compression { method: "zstd" });
    }
    if !is_gzip(stored) {
        return Ok(Unpacked { bytes: Cow::Borrowed(stored), trailing: 0 });
    }
    inflate(stored, limits)
}

/// The first bytes of what `head`, the beginning of a file, unpacks to; for recognising formats.
pub(super) fn peek(head: &[u8]) -> Cow<'_, [u8]> {
    if !is_gzip(head) {
        return Cow::Borrowed(head);
    }
    let mut first = vec![0; PEEK_BYTES];
    let mut decoder = GzDecoder::new(head);
    let mut filled = 0;
    // A head ends in the middle of the stream: what came before the error is what we want.
    while let Ok(more @ 1..) = decoder.read(&mut first[filled..]) {
        filled += more;
    }
    first.truncate(filled);
    Cow::Owned(first)
}

fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

fn inflate<'a>(stored: &'a [u8], limits: &Limits) -> Result<Unpacked<'a>, ReadError> {
    let most = limits.inflated_for(stored.len() as u64);
    let mut rest = stored;
    let mut bytes = Vec::new();
    for _ in 0..MAX_MEMBERS {
        let room = most - bytes.len() as u64;
        // One byte more than there is room for tells "full" from "too much".
        let read = GzDecoder::new(&mut rest).take(room + 1).read_to_end(&mut bytes);
        let inflated = bytes.len() as u64;
        if inflated > most {
            return Err(ReadError::TooMuch { what: "decompressed bytes", limit: most, offset: most });
        }
        read.map_err(|cause| ReadError::Damaged { inflated, cause })?;
        if !is_gzip(rest) {
            return finish(bytes, rest, limits);
        }
    }
    Err(ReadError::TooMuch { what: "gzip members", limit: MAX_MEMBERS as u64, offset: bytes.len() as u64 })
}

fn finish<'a>(bytes: Vec<u8>, rest: &[u8], limits: &Limits) -> Result<Unpacked<'a>, ReadError> {
    if !rest.is_empty() && limits.strictness == Strictness::Strict {
        let cause = io::Error::new(io::ErrorKind::InvalidData, "other bytes follow it");
        return Err(ReadError::Damaged { inflated: bytes.len() as u64, cause });
    }
    Ok(Unpacked { bytes: Cow::Owned(bytes), trailing: rest.len() as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("a vector takes every byte")
    }

    #[test]
    fn members_are_joined_and_trailing_bytes_are_counted() {
        let file = [gz(b"ab"), gz(b""), gz(b"c"), b"xyz".to_vec()].concat();
        let unpacked = unpack(&file, &Limits::default()).expect("lenient");
        assert_eq!((&*unpacked.bytes, unpacked.trailing), (&b"abc"[..], 3));
        assert!(unpack(&file, &Limits::default().strict()).is_err());
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let limits = Limits { ratio_from: 1000, ratio: 2, ..Limits::default() };
        let file = gz(&vec![0; 1 << 20]);
        let most = limits.inflated_for(file.len() as u64);
        assert!(matches!(unpack(&file, &limits), Err(ReadError::TooMuch { limit, .. }) if limit == most));
        let members = [gz(&[0; 600]), gz(&[0; 600])].concat();
        assert!(matches!(unpack(&members, &limits), Err(ReadError::TooMuch { .. })));
        assert!(unpack(&gz(&[0; 1000]), &limits).is_ok());
    }

    #[test]
    fn a_great_many_empty_members_are_refused() {
        let file = gz(b"").repeat(MAX_MEMBERS + 1);
        let refused = unpack(&file, &Limits::default());
        assert!(matches!(refused, Err(ReadError::TooMuch { what: "gzip members", .. })));
    }

    #[test]
    fn damage_is_told_apart_from_other_compression() {
        let mut cut = gz(b"some longer text, some longer text");
        cut.truncate(cut.len() - 4);
        assert!(matches!(unpack(&cut, &Limits::default()), Err(ReadError::Damaged { .. })));
        let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0];
        assert!(matches!(unpack(&zstd, &Limits::default()), Err(ReadError::Compression { method: "zstd" })));
        assert!(peek(&cut).starts_with(b"some"));
    }
}
