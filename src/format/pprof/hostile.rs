//! Files that are broken, odd or made to hurt: each gives an error that names the fault, or what can
//! be read of it; none a panic.

use super::super::fixture;
use super::message::{self, Function, Line, Location, Mapping, Sample, ValueType};
use super::*;
use crate::profile::FrameKind;
use proptest::prelude::*;
use prost::Message as _;

/// A small valid profile to break: one sample of `f` with the values 1 and 2.
fn base() -> message::Profile {
    let strings = ["", "samples", "count", "cpu", "nanoseconds", "f", "/a.go", "exe", "thread id"];
    message::Profile {
        sample_type: vec![ValueType { r#type: 1, unit: 2 }, ValueType { r#type: 3, unit: 4 }],
        sample: vec![Sample { location_id: vec![1], value: vec![1, 2], label: Vec::new() }],
        mapping: vec![Mapping { id: 1, filename: 7, ..Default::default() }],
        location: vec![Location {
            id: 1,
            mapping_id: 1,
            line: vec![Line { function_id: 1, line: 3, column: 0 }],
        }],
        function: vec![Function { id: 1, name: 5, filename: 6, start_line: 2 }],
        string_table: strings.iter().map(|text| text.as_bytes().to_vec()).collect(),
        time_nanos: 1,
        ..Default::default()
    }
}

fn changed(change: impl FnOnce(&mut message::Profile)) -> Vec<u8> {
    let mut message = base();
    change(&mut message);
    message.encode_to_vec()
}

/// The valid profile with raw bytes after it.
fn with(bytes: &[u8]) -> Vec<u8> {
    [base().encode_to_vec(), bytes.to_vec()].concat()
}

/// A string field of `text`, or a message field of its bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
}

#[track_caller]
fn refused(name: &str, file: &[u8], limits: &Limits, expected: &str) {
    match Pprof.read(file, limits) {
        Ok(_) => panic!("{name}: was read"),
        Err(error) => assert!(error.to_string().contains(expected), "{name}: {error}"),
    }
}

fn read_leniently(file: &[u8]) -> Profile {
    let profile = Pprof.read(file, &Limits::default()).expect("readable").remove(0);
    assert!(profile.is_sound());
    profile
}

fn names(profile: &Profile) -> Vec<&str> {
    profile.frames[1..].iter().map(|frame| &*frame.name).collect()
}

#[test]
fn broken_bytes_are_refused_with_their_place() {
    let whole = base().encode_to_vec();
    for (name, file, expected) in [
        ("nothing", vec![], "there is nothing in it"),
        ("one byte", vec![0x0a], "the data ends in a number (at byte 1)"),
        ("cut", whole[..whole.len() - 1].to_vec(), "the data ends in a number"),
        ("a length past the end", with(&[0x32, 0x7f, 1]), "a field of 127 bytes has only 1 left"),
        ("a length of 2^63", with(&[0x32, 255, 255, 255, 255, 255, 255, 255, 255, 127]), "has only 0 left"),
        ("a group", with(&[0x0b]), "field 1 has wire type 3"),
        (
            "a long number",
            with(&[0x60, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 1]),
            "over 10 bytes",
        ),
        ("a sample that is a number", with(&[0x10, 1]), "field 2 is not a string or message"),
        ("a time that is a string", with(&[0x4a, 1, 0]), "second time_nanos"),
        ("a period that is a string", with(&[0x62, 1, 0]), "field 12 is not a number"),
        ("a message longer than its field", with(&field(4, &[0x22, 9])), "has only 0 left"),
        ("an id that is a double", with(&field(4, &[9, 1, 2, 3, 4, 5, 6, 7, 8])), "field 1 is not a number"),
        ("text", b"main;work 3\n".to_vec(), "field 13 has wire type 5"),
    ] {
        let expected = if name == "text" { "not a valid pprof profile" } else { expected };
        refused(name, &file, &Limits::default(), expected);
    }
}

#[test]
fn tables_that_contradict_themselves_are_refused() {
    for (name, file, expected) in [
        ("first string", changed(|p| p.string_table[0] = b"x".to_vec()), "the first string is not empty"),
        ("no strings", changed(|p| p.string_table.clear()), "string 5 of 0"),
        ("name", changed(|p| p.function[0].name = 99), "string 99 of 9 is referred to (at byte 43)"),
        ("negative name", changed(|p| p.function[0].name = -1), "string -1 of 9"),
        ("least name", changed(|p| p.function[0].filename = i64::MIN), "string -9223372036854775808"),
        ("mapping's file", changed(|p| p.mapping[0].filename = 9), "string 9 of 9"),
        ("sample type", changed(|p| p.sample_type[0].r#type = 70), "string 70"),
        ("unit", changed(|p| p.sample_type[0].unit = 71), "string 71"),
        ("comment", changed(|p| p.comment = vec![72]), "string 72"),
        ("drop_frames", with(&[0x38, 73]), "string 73"),
        ("label key", changed_sample(&[0x1a, 4, 8, 74, 16, 1]), "string 74"),
        ("label text", changed_sample(&[0x1a, 4, 8, 8, 16, 75]), "string 75"),
        ("label unit", changed_sample(&[0x1a, 4, 8, 8, 32, 76]), "string 76"),
        ("function 0", changed(|p| p.function[0].id = 0), "a function has id 0"),
        ("location 0", changed(|p| p.location[0].id = 0), "a location has id 0"),
        ("mapping 0", changed(|p| p.mapping[0].id = 0), "a mapping has id 0"),
        ("functions", changed(|p| p.function.push(p.function[0])), "two functions have id 1"),
        ("locations", changed(|p| p.location.push(p.location[0].clone())), "two locations have id 1"),
        ("few values", changed(|p| p.sample[0].value = vec![1]), "1 values for 2 sample types"),
        ("many values", changed(|p| p.sample[0].value = vec![1, 2, 3]), "3 values for 2 sample types"),
        ("no sample types", changed(|p| p.sample_type.clear()), "no sample types"),
        ("two profiles", [base().encode_to_vec(), base().encode_to_vec()].concat(), "concatenated"),
    ] {
        refused(name, &file, &Limits::default(), expected);
    }
}

/// The valid profile with one more sample, which has these bytes after its values.
fn changed_sample(label: &[u8]) -> Vec<u8> {
    let sample = [&[0x0a, 1, 1, 0x12, 2, 1, 1], label].concat();
    with(&field(2, &sample))
}

#[test]
fn more_than_the_limits_is_refused_by_name() {
    let limits = Limits {
        file_bytes: 4000,
        samples: 3,
        table_entries: 20,
        stack_frames: 10,
        lines_per_location: 5,
        cells: 4,
        ..Limits::default()
    };
    let line = Line { function_id: 1, line: 1, column: 0 };
    let location = |id| Location { id, mapping_id: 0, line: Vec::new() };
    let deep = |frames| Sample { location_id: vec![1; frames], value: vec![1, 1], label: Vec::new() };
    for (expected, file) in [
        ("4000 bytes", vec![0; 4001]),
        ("3 samples", changed(|p| p.sample = vec![p.sample[0].clone(); 4])),
        ("20 strings", changed(|p| p.string_table.resize(21, Vec::new()))),
        ("20 locations", changed(|p| p.location.extend((2..22).map(location)))),
        ("5 lines at one location", changed(|p| p.location[0].line = vec![line; 6])),
        ("10 frames in a stack", changed(|p| p.sample.push(deep(11)))),
        ("10 frames in a stack", changed(|p| (p.location[0].line = vec![line; 3], p.sample.push(deep(5))).1)),
        ("64 sample types", changed(|p| p.sample_type = vec![p.sample_type[0]; 65])),
        (
            "4 values",
            changed(|p| {
                p.location.extend([location(2), location(3)]);
                p.sample.extend((2..4).map(|id| Sample {
                    location_id: vec![id],
                    value: vec![1, 1],
                    label: Vec::new(),
                }));
            }),
        ),
    ] {
        refused(expected, &file, &limits, expected);
    }
}

#[test]
fn packed_files_that_lie_about_their_size_are_refused() {
    let mut file = Vec::new();
    let (profile, target) = (fixture::cpu(), fixture::target());
    Pprof.write(&Export::new(&profile, &target), &mut file).expect("written");
    let small = Limits { ratio_from: 100, ratio: 1, ..Limits::default() };
    refused("bomb", &file, &small, "decompressed bytes");
    let at = file.len() - 8;
    let mut flipped = file.clone();
    flipped[at] ^= 1;
    refused("checksum", &flipped, &Limits::default(), "damaged");
    refused("cut", &file[..at], &Limits::default(), "damaged");
    refused("zstd", &[0x28, 0xb5, 0x2f, 0xfd, 0, 0], &Limits::default(), "zstd");
    refused("header only", &[0x1f, 0x8b], &Limits::default(), "damaged");
    let trailing = read_leniently(&[&file[..], b"zz"].concat());
    assert!(trailing.notes.iter().any(|note| note.contains("2 bytes after the profile")));
}

#[test]
fn what_is_missing_shows_as_unknown_and_keeps_its_value() {
    for (name, file, shown) in [
        ("location", changed(|p| p.sample[0].location_id = vec![9]), "[unknown]"),
        ("location 0", changed(|p| p.sample[0].location_id = vec![0]), "[unknown]"),
        ("function", changed(|p| p.location[0].line[0].function_id = 9), "[unknown]"),
        ("mapping", changed(|p| p.location[0].mapping_id = 9), "f"),
        ("lines", changed(|p| p.location[0].line.clear()), "[exe]+0x0"),
        ("lines and mapping", changed(|p| (p.location[0].line.clear(), p.mapping.clear()).1), "0x0"),
    ] {
        let profile = read_leniently(&file);
        assert_eq!(names(&profile), [shown], "{name}");
        assert_eq!((profile.total(0), profile.total(1)), (1, 2), "{name}");
        let strict = Pprof.read(&file, &Limits::default().strict());
        assert_eq!(strict.is_err(), shown == "[unknown]", "{name}");
    }
}

#[test]
fn odd_but_legal_files_are_read() {
    for (name, file) in [
        ("field 0 and unknown fields", with(&[0, 1, 0xfa, 7, 1, 9, 0xf1, 1, 1, 2, 3, 4, 5, 6, 7, 8])),
        (
            "ids of 2^63",
            changed(|p| {
                (p.location[0].id, p.sample[0].location_id[0]) = (1 << 63, 1 << 63);
            }),
        ),
        (
            "unpacked numbers",
            changed(|p| p.sample.clear()).into_iter().chain(field(2, &[8, 1, 16, 1, 16, 2])).collect(),
        ),
        (
            "a sample of nothing",
            changed(|p| p.sample.push(Sample { value: vec![0, 0], ..Default::default() })),
        ),
    ] {
        let profile = read_leniently(&file);
        assert_eq!((profile.total(0), profile.total(1), names(&profile)), (1, 2, vec!["f"]), "{name}");
        assert_eq!(profile.frames[1].kind, FrameKind::Native, "{name}");
    }
}

#[test]
fn names_cannot_carry_control_characters_or_break_the_file() {
    let profile = read_leniently(&changed(|p| p.string_table[5] = b"\x1b[2J\xff\xfe\xe2\x80\xae".to_vec()));
    assert_eq!(names(&profile), ["␛[2J\u{fffd}\u{fffd}\u{fffd}"]);
    let long = read_leniently(&changed(|p| p.string_table[5] = vec![b'x'; 1 << 20]));
    assert!(names(&long)[0].len() < 2000);
}

#[test]
fn sums_never_overflow_and_negative_values_stay() {
    let profile = read_leniently(&changed(|p| {
        p.sample[0].value = vec![i64::MAX, i64::MIN];
        p.sample.push(p.sample[0].clone());
        p.sample_type[1].unit = 2;
    }));
    assert_eq!((profile.total(0), profile.total(1)), (1 << 60, -(1 << 60)));
    assert!(profile.notes.iter().any(|note| note.contains("too great")), "{:?}", profile.notes);
    let negative = read_leniently(&changed(|p| p.sample[0].value = vec![-1, -2]));
    assert_eq!((negative.total(0), negative.total(1)), (-1, -2));
}

#[test]
fn lines_and_columns_packed_in_one_number_are_parted() {
    let profile = read_leniently(&changed(|p| p.location[0].line[0].line = (7 << 32) + 41));
    assert_eq!(profile.lanes[0].lines, [(1, 41, 1)]);
    let nonsense = read_leniently(&changed(|p| p.location[0].line[0].line = -1));
    assert_eq!(nonsense.lanes[0].lines, []);
}

#[test]
fn sample_types_of_one_name_stay_apart() {
    let profile = read_leniently(&changed(|p| p.sample_type[1] = p.sample_type[0]));
    assert_eq!((profile.kind("samples"), profile.kind("samples 2")), (Some(0), Some(1)));
}

#[test]
fn too_many_stacks_end_in_their_callers_with_a_note() {
    let limits = Limits { nodes: 2, ..Limits::default() };
    let file = changed(|p| p.sample[0].location_id = vec![1, 1, 1]);
    let profile = Pprof.read(&file, &limits).expect("readable").remove(0);
    assert_eq!((profile.nodes.len(), profile.total(1)), (2, 2));
    assert!(profile.notes.iter().any(|note| note.contains("end early")));
}

#[test]
fn a_stack_of_200_000_frames_is_walked_without_recursion() {
    let deep = read_leniently(&changed(|p| p.sample[0].location_id = vec![1; 200_000]));
    assert_eq!((deep.nodes.len(), deep.total(1)), (200_001, 2));
}

/// A place by chance and what happens there.
#[derive(Clone, Debug)]
enum Mutation {
    Set(u16, u8),
    Flip(u16, u8),
    Cut(u16),
    Insert(u16, Vec<u8>),
    Repeat(u16, u16),
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let length = bytes.len();
        let at = |place: &u16| usize::from(*place) % length;
        match self {
            Self::Set(place, byte) => bytes[at(place)] = *byte,
            Self::Flip(place, bit) => bytes[at(place)] ^= 1 << (bit % 8),
            Self::Cut(place) => bytes.truncate(at(place)),
            Self::Insert(place, more) => _ = bytes.splice(at(place)..at(place), more.iter().copied()),
            Self::Repeat(one, other) => {
                bytes.extend_from_within(at(one).min(at(other))..at(one).max(at(other)));
            }
        }
    }
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let small = prop_oneof![any::<u8>(), Just(0), Just(0x7f), Just(0x80), Just(0xff)];
    prop::collection::vec(
        prop_oneof![
            4 => (any::<u16>(), small.clone()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
            4 => (any::<u16>(), any::<u8>()).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
            1 => any::<u16>().prop_map(Mutation::Cut),
            2 => (any::<u16>(), prop::collection::vec(small, 1..12))
                .prop_map(|(at, more)| Mutation::Insert(at, more)),
            1 => any::<(u16, u16)>().prop_map(|(from, to)| Mutation::Repeat(from, to)),
        ],
        1..6,
    )
}

/// Reads; whatever can be read must be sound, and fit for everything done with profiles.
fn survive(bytes: &[u8], limits: &Limits) -> Result<(), TestCaseError> {
    let Ok(profiles) = Pprof.read(bytes, limits) else { return Ok(()) };
    for profile in &profiles {
        prop_assert!(profile.is_sound());
        let target = fixture::target();
        for format in crate::format::FORMATS {
            // A difference or a profile without values is refused; both are fine here.
            let _ = format.write(&Export::new(profile, &target), &mut std::io::sink());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_mutation_makes_the_reader_panic(mutations in mutations(), strict in any::<bool>()) {
        let (profile, target) = (fixture::cpu(), fixture::target());
        let mut bytes = write::encode(&Export::new(&profile, &target)).expect("encoded");
        for mutation in &mutations {
            mutation.apply(&mut bytes);
        }
        let limits = if strict { Limits::default().strict() } else { Limits::default() };
        survive(&bytes, &limits)?;
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survive(&bytes, &Limits::default())?;
    }
}
