//! The writer's tables: every string, function and location once, numbered in the order of first use.

use super::message::{Function, Line, Location};
use crate::format::names::{self, written_name};
use crate::profile::Frame;
use rustc_hash::FxHashMap;

/// The string table. Law: string 0 is empty.
pub(super) struct Strings {
    ids: FxHashMap<Vec<u8>, i64>,
    table: Vec<Vec<u8>>,
}

impl Strings {
    pub fn new() -> Self {
        Self { ids: FxHashMap::from_iter([(Vec::new(), 0)]), table: vec![Vec::new()] }
    }

    pub fn id(&mut self, text: &str) -> i64 {
        if let Some(id) = self.ids.get(text.as_bytes()) {
            return *id;
        }
        let id = self.table.len() as i64;
        self.table.push(text.as_bytes().to_vec());
        self.ids.insert(text.as_bytes().to_vec(), id);
        id
    }

    pub fn get(&self, id: i64) -> &[u8] {
        &self.table[id as usize]
    }

    pub fn into_table(self) -> Vec<Vec<u8>> {
        self.table
    }
}

/// Functions and locations. Frames are told apart by everything they are, so that two functions of one
/// name stay two.
pub(super) struct Places<'a> {
    function_ids: FxHashMap<&'a Frame, u64>,
    location_ids: FxHashMap<(u64, u32, u32), u64>,
    pub functions: Vec<Function>,
    pub locations: Vec<Location>,
    /// The frame of each function.
    pub frames: Vec<&'a Frame>,
}

impl<'a> Places<'a> {
    pub fn new() -> Self {
        Self {
            function_ids: FxHashMap::default(),
            location_ids: FxHashMap::default(),
            functions: Vec::new(),
            locations: Vec::new(),
            frames: Vec::new(),
        }
    }

    /// The location of a frame that called another. V8 does not tell the line of the call: the line
    /// of the definition stands in.
    pub fn caller(&mut self, strings: &mut Strings, frame: &'a Frame) -> u64 {
        self.location(strings, frame, frame.line, frame.column)
    }

    /// The location of a frame on top of the stack, at a line if one is known (0 if not).
    ///
    /// A known line has column 0. An unknown one shows as the definition, line and column, so that
    /// reading tells the two apart; frames without a column have line 0 instead.
    pub fn leaf(&mut self, strings: &mut Strings, frame: &'a Frame, line: u32) -> u64 {
        match (line, frame.column) {
            (0, 0) => self.location(strings, frame, 0, 0),
            (0, column) => self.location(strings, frame, frame.line, column),
            (line, _) => self.location(strings, frame, line, 0),
        }
    }

    fn location(&mut self, strings: &mut Strings, frame: &'a Frame, line: u32, column: u32) -> u64 {
        let function_id = self.function(strings, frame);
        let locations = &mut self.locations;
        *self.location_ids.entry((function_id, line, column)).or_insert_with(|| {
            let id = locations.len() as u64 + 1;
            let line = Line { function_id, line: line.into(), column: column.into() };
            locations.push(Location { id, mapping_id: 1, line: vec![line] });
            id
        })
    }

    fn function(&mut self, strings: &mut Strings, frame: &'a Frame) -> u64 {
        if let Some(id) = self.function_ids.get(frame) {
            return *id;
        }
        let id = self.functions.len() as u64 + 1;
        // system_name stays empty: equal to the name, pprof would demangle JavaScript as C++.
        self.functions.push(Function {
            id,
            name: strings.id(&written_name(frame)),
            filename: strings.id(&frame.file),
            start_line: frame.line.into(),
        });
        self.frames.push(frame);
        self.function_ids.insert(frame, id);
        id
    }

    /// Functions that a reader would take for something else, by their ids: kind and column.
    pub fn exceptions(&self, mapping: &str) -> Vec<(u64, &'a Frame)> {
        let mut told = vec![0; self.frames.len()];
        for line in self.locations.iter().flat_map(|location| &location.line) {
            let at = line.function_id as usize - 1;
            if line.column > 0 && line.line == i64::from(self.frames[at].line) {
                told[at] = line.column as u32;
            }
        }
        let misread = |(at, frame): &(usize, &&'a Frame)| {
            let column = names::anonymous_place(&written_name(frame)).map_or(told[*at], |place| place.1);
            column != frame.column || names::kind_of(&frame.name, &frame.file, mapping) != frame.kind
        };
        let misread = self.frames.iter().enumerate().filter(misread);
        misread.map(|(at, frame)| (at as u64 + 1, *frame)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::FrameKind;

    #[test]
    fn equal_things_share_an_id_and_ids_count_from_one() {
        let (mut strings, mut places) = (Strings::new(), Places::new());
        let here = Frame::at("run", "/a.js", 4, 2, FrameKind::Js);
        let there = Frame::at("run", "/b.js", 4, 2, FrameKind::Js);
        assert_eq!(places.caller(&mut strings, &here), 1);
        assert_eq!(places.caller(&mut strings, &there), 2);
        assert_eq!(places.leaf(&mut strings, &here, 0), 1);
        assert_eq!(places.leaf(&mut strings, &here, 4), 3);
        assert_eq!(places.functions.len(), 2);
        assert_eq!(strings.into_table(), [&b""[..], b"run", b"/a.js", b"/b.js"]);
    }

    #[test]
    fn only_frames_that_break_the_rules_are_exceptions() {
        let (mut strings, mut places) = (Strings::new(), Places::new());
        let usual = Frame::at("f", "/a.js", 4, 2, FrameKind::Js);
        let unusual = Frame::at("g", "/a.js", 4, 0, FrameKind::Native);
        let column_lost = Frame::at("h", "/a.js", 9, 7, FrameKind::Js);
        places.caller(&mut strings, &usual);
        places.leaf(&mut strings, &unusual, 0);
        places.leaf(&mut strings, &column_lost, 10);
        let ids: Vec<u64> = places.exceptions("node").iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, [2, 3]);
    }
}
