//! The tables of symbols in a 64-bit little-endian ELF file, read piece by piece: Node's program has 100 MB.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The section type of all symbols.
const SHT_SYMTAB: u32 = 2;
/// The section type of dynamic symbols.
const SHT_DYNSYM: u32 = 11;
/// The length of a symbol.
const SYMBOL_BYTES: usize = 24;
/// The largest table of symbols or of their names we read; Node's have 2 to 19 MB.
const TABLE_LIMIT_BYTES: u64 = 64 << 20;
/// The type of a file that is loaded where the system likes.
const ET_DYN: u16 = 3;

/// An ELF file.
#[derive(Debug)]
pub struct Elf {
    file: File,
    header: [u8; 64],
}

/// A section's place in the file.
#[derive(Clone, Copy, Debug)]
struct Section {
    offset: u64,
    length: u64,
    link: u64,
    info: u64,
}

impl Elf {
    /// Opens a file; `None` if it is of another kind.
    pub fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = File::open(path)?;
        let mut header = [0; 64];
        let is_elf = file.read_exact_at(&mut header, 0).is_ok() && header.starts_with(b"\x7fELF\x02\x01");
        Ok(is_elf.then_some(Self { file, header }))
    }

    /// Whether its addresses are relative to where it is loaded.
    pub fn is_relocated(&self) -> bool {
        u16_at(&self.header, 0x10) == ET_DYN
    }

    /// The names of its dynamic symbols.
    pub fn dynamic_names(&self) -> io::Result<Option<Vec<u8>>> {
        let Some(symbols) = self.section_of_type(SHT_DYNSYM)? else { return Ok(None) };
        let names = self.section(symbols.link)?;
        self.read(names.offset, names.length)
    }

    /// The address of a local symbol of that name; the compiler may have added an ending after a dot.
    pub fn local_address(&self, name: &str) -> io::Result<Option<u64>> {
        let Some(symbols) = self.section_of_type(SHT_SYMTAB)? else { return Ok(None) };
        let names = self.section(symbols.link)?;
        let Some(names) = self.read(names.offset, names.length)? else { return Ok(None) };
        // Local symbols come first; `info` is the number of the first that is not.
        let length = symbols.length.min(symbols.info.saturating_mul(SYMBOL_BYTES as u64));
        let Some(table) = self.read(symbols.offset, length)? else { return Ok(None) };
        let is_named = |symbol: &&[u8]| {
            let rest =
                names.get(u32_at(symbol, 0) as usize..).and_then(|rest| rest.strip_prefix(name.as_bytes()));
            rest.is_some_and(|rest| matches!(rest.first(), Some(b'\0' | b'.')))
        };
        Ok(table.chunks_exact(SYMBOL_BYTES).find(is_named).map(|symbol| u64_at(symbol, 8)))
    }

    fn section_of_type(&self, wanted: u32) -> io::Result<Option<Section>> {
        for index in 0..u64::from(u16_at(&self.header, 0x3c)) {
            let header = self.section_header(index)?;
            if u32_at(&header, 4) == wanted {
                return Ok(Some(section_in(&header)));
            }
        }
        Ok(None)
    }

    fn section(&self, index: u64) -> io::Result<Section> {
        Ok(section_in(&self.section_header(index)?))
    }

    fn section_header(&self, index: u64) -> io::Result<[u8; 64]> {
        let (table, size) = (u64_at(&self.header, 0x28), u16_at(&self.header, 0x3a));
        if size < 64 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut header = [0; 64];
        self.file.read_exact_at(&mut header, table.saturating_add(index * u64::from(size)))?;
        Ok(header)
    }

    fn read(&self, offset: u64, length: u64) -> io::Result<Option<Vec<u8>>> {
        if length > TABLE_LIMIT_BYTES {
            return Ok(None);
        }
        let mut bytes = vec![0; length as usize];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(Some(bytes))
    }
}

fn section_in(header: &[u8; 64]) -> Section {
    Section {
        offset: u64_at(header, 0x18),
        length: u64_at(header, 0x20),
        link: u64::from(u32_at(header, 0x28)),
        info: u64::from(u32_at(header, 0x2c)),
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_script_is_none_and_a_torn_program_an_error() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(b"#!/bin/sh\n").expect("written");
        assert!(Elf::open(file.path()).expect("read").is_none());
        let mut torn = tempfile::NamedTempFile::new().expect("a file");
        let mut header = [0_u8; 64];
        header[..6].copy_from_slice(b"\x7fELF\x02\x01");
        header[0x28..0x40].fill(0xff);
        torn.write_all(&header).expect("written");
        let elf = Elf::open(torn.path()).expect("read").expect("it says so");
        assert!(elf.dynamic_names().is_err() && elf.local_address("main").is_err());
    }

    #[test]
    fn what_this_program_has_is_found_and_what_it_has_not_is_not() {
        let elf = Elf::open(Path::new("/proc/self/exe")).expect("read").expect("Linux runs ELF");
        assert_eq!(elf.local_address("no_such_symbol_in_here").expect("read"), None);
        // Every program that libgcc's start files were linked into.
        assert!(elf.local_address("frame_dummy").expect("read").is_some());
    }
}
