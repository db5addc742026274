//! Writer and reader together, prost as a second opinion on both, and files that are broken or odd.

use super::super::fixture;
use super::message::{self, ProfilesData, Sample, Stack};
use super::*;
use crate::profile::{Frame, FrameKind, Profile as Ours, Thread};
use proptest::prelude::*;
use prost::Message as _;
use std::collections::BTreeMap;

fn written(profile: &Ours) -> Vec<u8> {
    let target = fixture::target();
    let mut out = Vec::new();
    Otlp.write(&Export::new(profile, &target), &mut out).expect("a vector takes every byte");
    out
}

fn read(file: &[u8]) -> Vec<Ours> {
    let profiles = Otlp.read(file, &Limits::default()).expect("readable");
    assert!(profiles.iter().all(Ours::is_sound));
    profiles
}

/// Values by thread, stack and kind, and samples by line, of everything that is not idle.
fn said(profile: &Ours) -> BTreeMap<String, i64> {
    let mut said = BTreeMap::new();
    for lane in &profile.lanes {
        let path = |mut at: u32| {
            let mut path = Vec::new();
            while at != 0 {
                let node = profile.nodes[at as usize];
                let Frame { name, file, line, column, kind } = &profile.frames[node.frame as usize];
                path.push(format!("{name}@{file}:{line}:{column}:{kind:?}"));
                at = node.parent;
            }
            format!("{:?} {}", lane.thread, path.join(" < "))
        };
        for (kind, column) in profile.kinds.iter().zip(&lane.columns) {
            for (node, value) in lane.nodes.iter().zip(column) {
                *said.entry(format!("{} {kind:?}", path(*node))).or_insert(0) += value;
            }
        }
        for (node, line, samples) in &lane.lines {
            *said.entry(format!("{} line {line}", path(*node))).or_insert(0) += i64::from(*samples);
        }
    }
    said.retain(|key, value| *value != 0 && !key.contains("Idle"));
    said
}

#[test]
fn what_was_written_is_read_as_it_was_but_for_idle_time() {
    for profile in [fixture::cpu(), fixture::heap()] {
        let file = written(&profile);
        assert!(Otlp.recognise(&file[..256]) && !super::super::Pprof.recognise(&file[..256]));
        let back = read(&file);
        let [back] = &back[..] else { panic!("{} profiles", back.len()) };
        let mut kinds = back.kinds.clone();
        kinds.sort_by_key(|kind| profile.kind(&kind.name));
        assert_eq!(kinds, profile.kinds);
        assert_eq!((back.span, back.covered), (profile.span, profile.covered));
        let (how, was) = (&back.sampling, &profile.sampling);
        assert_eq!((how.taken, how.lost, how.truncated), (was.taken, was.lost, was.truncated));
        assert_eq!(
            (how.period, how.period_bytes, &how.period_name),
            (was.period, was.period_bytes, &was.period_name)
        );
        assert_eq!(back.notes, profile.notes);
        if profile.kind("cpu").is_some() {
            assert_eq!(said(back), said(&profile));
        } else {
            assert_eq!(back.total(0), profile.total(1));
        }
    }
}

#[test]
fn the_file_obeys_the_rules_of_the_dictionary() {
    let file = written(&fixture::cpu());
    assert_eq!(written(&fixture::cpu()), file);
    let data = ProfilesData::decode(&file[..]).expect("a message");
    let dictionary = data.dictionary.expect("a dictionary");
    assert_eq!(dictionary.string_table[0], "");
    assert_eq!(dictionary.stack_table[0], Stack::default());
    assert_eq!(dictionary.attribute_table[0], message::KeyValueAndUnit::default());
    let profiles = &data.resource_profiles[0].scope_profiles[0].profiles;
    let name = |profile: &message::Profile| {
        let kind = profile.sample_type.expect("a type");
        dictionary.string_table[kind.type_strindex as usize].clone()
    };
    assert_eq!(profiles.iter().map(name).collect::<Vec<_>>(), ["cpu", "samples"]);
    for sample in profiles.iter().flat_map(|profile| &profile.samples) {
        assert_eq!(sample.values.len(), 1);
        let stack = &dictionary.stack_table[sample.stack_index as usize];
        let known = |index: &i32| *index > 0 && (*index as usize) < dictionary.location_table.len();
        assert!(stack.location_indices.iter().all(known));
    }
    let mut identities: Vec<_> =
        profiles[0].samples.iter().map(|sample| (sample.stack_index, &sample.attribute_indices)).collect();
    identities.sort();
    assert!(identities.windows(2).all(|pair| pair[0] != pair[1]));
}

/// A message of one sample of `f`, changed.
fn changed(change: impl FnOnce(&mut ProfilesData)) -> Vec<u8> {
    let mut profile = fixture::cpu();
    profile.kinds.truncate(1);
    profile.lanes.truncate(1);
    let lane = &mut profile.lanes[0];
    (lane.nodes, lane.columns, lane.lines) = (vec![1], vec![vec![7]], vec![]);
    let mut data = ProfilesData::decode(&written(&profile)[..]).expect("our own");
    change(&mut data);
    data.encode_to_vec()
}

fn samples(data: &mut ProfilesData) -> &mut Vec<Sample> {
    &mut data.resource_profiles[0].scope_profiles[0].profiles[0].samples
}

fn dictionary(data: &mut ProfilesData) -> &mut message::ProfilesDictionary {
    data.dictionary.as_mut().expect("a dictionary")
}

#[test]
fn times_count_where_there_are_no_values() {
    let file = changed(|data| {
        let sample = &mut samples(data)[0];
        (sample.values, sample.timestamps_unix_nano) = (vec![], vec![5, 6, 7]);
    });
    let profile = read(&file).remove(0);
    assert_eq!(profile.total(0), 3);
    assert!(profile.notes.iter().any(|note| note.contains("times of their own")));
    let both = changed(|data| {
        let sample = &mut samples(data)[0];
        (sample.values, sample.timestamps_unix_nano) = (vec![2, 3], vec![5, 6]);
    });
    assert_eq!(read(&both)[0].total(0), 5);
}

#[test]
fn profiles_over_other_times_stay_apart() {
    let file = changed(|data| {
        let scope = &mut data.resource_profiles[0].scope_profiles[0];
        let later = message::Profile { time_unix_nano: 99, ..scope.profiles[0].clone() };
        scope.profiles.push(later);
    });
    let profiles = read(&file);
    assert_eq!(profiles.iter().map(|profile| profile.total(0)).collect::<Vec<_>>(), [7, 7]);
    assert_eq!(profiles[1].span.start.0, 99);
}

#[test]
fn a_location_without_lines_is_called_after_its_file() {
    let file = changed(|data| {
        let dictionary = dictionary(data);
        dictionary.location_table[1].lines.clear();
        dictionary.location_table[1].attribute_indices.clear();
    });
    assert_eq!(&*read(&file)[0].frames[0].name, "[node]");
}

#[test]
fn the_process_may_stand_at_the_resource_alone() {
    let file = changed(|data| samples(data)[0].attribute_indices.clear());
    assert_eq!(read(&file)[0].lanes[0].thread, Thread { pid: 4242, tid: 0, name: "".into() });
}

#[test]
fn references_that_lead_nowhere_are_refused_or_shown_as_unknown() {
    for (what, file) in [
        ("stack", changed(|data| samples(data)[0].stack_index = 99)),
        ("stack", changed(|data| samples(data)[0].stack_index = -1)),
        ("location", changed(|data| dictionary(data).stack_table[1].location_indices = vec![99])),
        ("function", changed(|data| dictionary(data).location_table[1].lines[0].function_index = 99)),
        ("mapping", changed(|data| dictionary(data).location_table[1].mapping_index = -7)),
        ("attribute", changed(|data| samples(data)[0].attribute_indices = vec![99])),
    ] {
        let profile = read(&file).remove(0);
        assert_eq!(profile.total(0), 7, "{what}");
        assert!(profile.notes.iter().any(|note| note.contains("are missing")), "{what}");
        let strict = Otlp.read(&file, &Limits::default().strict()).expect_err("strict").to_string();
        assert!(strict.starts_with(&format!("not a valid otlp profile: {what} ")), "{strict}");
    }
}

#[test]
fn what_leaves_no_numbers_or_names_is_refused_with_its_place() {
    for (file, expected) in [
        (vec![], "there is no profile in it"),
        (vec![0x0a], "the data ends in a number (at byte 1)"),
        (vec![0x0a, 9, 0], "a field of 9 bytes has only 1 left"),
        (changed(|data| dictionary(data).function_table[1].name_strindex = 99), "string 99 of"),
        (changed(|data| dictionary(data).function_table[1].name_strindex = -1), "string -1 of"),
        (changed(|data| data.resource_profiles.clear()), "there is no profile in it"),
    ] {
        let error = Otlp.read(&file, &Limits::default()).expect_err("refused").to_string();
        assert!(error.contains(expected) && error.contains("valid otlp"), "{error}");
    }
}

#[test]
fn limits_are_asked_before_memory_is_taken() {
    let deep = changed(|data| dictionary(data).stack_table[1].location_indices = vec![1; 50]);
    let file = changed(|_| ());
    let limits = Limits::default();
    for (file, limits, expected) in [
        (&deep, Limits { stack_frames: 49, ..limits }, "more than 49 frames in a stack"),
        (&deep, Limits { samples: 40, ..limits }, "more than 40 frames in all stacks"),
        (&file, Limits { table_entries: 5, ..limits }, "more than 5 "),
        (&file, Limits { nodes: 1, ..limits }, "more than 1 stacks"),
        (&file, Limits { cells: 0, ..limits }, "more than 0 values"),
    ] {
        let error = Otlp.read(file, &limits).expect_err("refused").to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_profile_without_samples_is_read_too() {
    let profile = read(&changed(|data| samples(data).clear())).remove(0);
    assert_eq!((profile.lanes.len(), profile.kinds.len()), (0, 1));
}

#[test]
fn kinds_of_code_are_told_by_their_type() {
    for (word, kind) in [("kernel", FrameKind::Kernel), ("go", FrameKind::Native), ("v8js", FrameKind::Js)] {
        let file = changed(|data| {
            let types = dictionary(data).attribute_table.iter_mut();
            let text = message::AnyValue { value: Some(message::Value::Text(word.into())) };
            types.for_each(|entry| entry.value = Some(text.clone()));
        });
        assert_eq!(read(&file)[0].frames[0].kind, kind, "{word}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_mutation_makes_the_reader_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let mut file = written(&fixture::cpu());
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        if cuts {
            file.truncate(cut.index(file.len()));
        }
        Otlp.recognise(&file);
        if let Ok(profiles) = Otlp.read(&file, &Limits::default()) {
            prop_assert!(!profiles.is_empty() && profiles.iter().all(Ours::is_sound));
        }
    }
}
