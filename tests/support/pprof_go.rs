//! Go's own `pprof` as the judge of what flametop exports.
//!
//! A complaint is anything on stderr: a profile that Go reads with a warning is not right.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `go tool pprof`.
pub struct GoPprof {
    go: PathBuf,
}

/// What `-raw` prints: every sample, so that totals can be compared to the last unit.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RawProfile {
    /// As `cpu/nanoseconds`, in the order of the profile.
    pub sample_types: Vec<String>,
    /// How many samples (distinct stacks and labels) there are.
    pub sample_count: usize,
    /// Sums over all samples, one for each type.
    pub totals: Vec<i64>,
    /// Sums of the samples whose leaf is the function, by its name.
    pub own: BTreeMap<String, Vec<i64>>,
}

impl GoPprof {
    /// Takes what `require_go!` gave.
    pub fn new(go: PathBuf) -> GoPprof {
        GoPprof { go }
    }

    /// The text of `-top`, of the default sample type or of the one asked for.
    #[track_caller]
    pub fn top(&self, profile: &Path, sample_type: Option<&str>) -> String {
        let chosen = sample_type.map(|name| format!("-sample_index={name}"));
        let mut args = vec!["-top", "-nodecount=1000"];
        args.extend(chosen.as_deref());
        self.run(&args, profile)
    }

    /// The whole profile.
    #[track_caller]
    pub fn raw(&self, profile: &Path) -> RawProfile {
        self.raw_with(&[], profile)
    }

    /// The whole profile, read with further options.
    #[track_caller]
    pub fn raw_with(&self, args: &[&str], profile: &Path) -> RawProfile {
        RawProfile::parse(&self.run(&[&["-raw"], args].concat(), profile))
    }

    /// Runs `go tool pprof ARGS FILE` and returns its stdout; fails the test on any complaint.
    #[track_caller]
    pub fn run(&self, args: &[&str], profile: &Path) -> String {
        let output = Command::new(&self.go).args(["tool", "pprof"]).args(args).arg(profile).output();
        let output = output.unwrap_or_else(|error| panic!("failed to run {}: {error}", self.go.display()));
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && complaints.is_empty(),
            "go tool pprof {args:?} {} ended with {}: {complaints}",
            profile.display(),
            output.status,
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl RawProfile {
    /// The place of a sample type such as `cpu/nanoseconds` in [`RawProfile::totals`].
    #[track_caller]
    pub fn index(&self, sample_type: &str) -> usize {
        let place = self.sample_types.iter().position(|known| known == sample_type);
        place.unwrap_or_else(|| panic!("no {sample_type} in {:?}", self.sample_types))
    }

    /// The total of a sample type.
    #[track_caller]
    pub fn total(&self, sample_type: &str) -> i64 {
        self.totals[self.index(sample_type)]
    }

    /// A function's own share of a sample type, from 0 to 1.
    #[track_caller]
    pub fn own_share(&self, function: &str, sample_type: &str) -> f64 {
        let index = self.index(sample_type);
        let own = self.own.get(function).map_or(0, |values| values[index]);
        own as f64 / self.totals[index] as f64
    }

    fn parse(text: &str) -> RawProfile {
        let mut profile = RawProfile::default();
        let (samples, rest) = section(text, "Samples:", "Locations");
        let names = leaf_names(section(rest, "Locations", "Mappings").0);
        let mut lines = samples.lines();
        let types = lines.next().unwrap_or_default().split_whitespace();
        // The default type is marked: `cpu/nanoseconds[dflt]`.
        profile.sample_types = types.map(|name| name.trim_end_matches("[dflt]").to_owned()).collect();
        profile.totals = vec![0; profile.sample_types.len()];
        for (values, leaf) in lines.filter_map(sample_row) {
            profile.add(&values, names.get(&leaf).map_or("?", String::as_str));
        }
        profile
    }

    fn add(&mut self, values: &[i64], leaf: &str) {
        self.sample_count += 1;
        let own = self.own.entry(leaf.to_owned()).or_insert_with(|| vec![0; values.len()]);
        for (index, value) in values.iter().enumerate() {
            self.totals[index] += value;
            own[index] += value;
        }
    }
}

/// The text from the line after `heading` to the line `end`, and the text from there on.
fn section<'a>(text: &'a str, heading: &str, end: &str) -> (&'a str, &'a str) {
    let body = text.split_once(&format!("{heading}\n")).map_or("", |(_, body)| body);
    let length = body.find(&format!("{end}\n")).unwrap_or(body.len());
    body.split_at(length)
}

/// `  12 1200: 3 2 1 `: the values, then the locations from the leaf on; lines of labels are no rows.
fn sample_row(line: &str) -> Option<(Vec<i64>, u64)> {
    let (values, locations) = line.split_once(':')?;
    let values = values.split_whitespace().map(|value| value.parse().ok()).collect::<Option<Vec<i64>>>()?;
    let leaf = locations.split_whitespace().next()?.parse().ok()?;
    (!values.is_empty()).then_some((values, leaf))
}

/// `     3: 0x1f M=1 name file:12:5 s=10`: the innermost function of each location. A name may hold
/// blanks, so it ends where the file does: both are cut from the right.
fn leaf_names(locations: &str) -> BTreeMap<u64, String> {
    locations.lines().filter_map(location_row).collect()
}

fn location_row(line: &str) -> Option<(u64, String)> {
    let (id, rest) = line.trim_start().split_once(": 0x")?;
    let (_, rest) = rest.split_once(' ')?;
    let rest = rest
        .trim_start()
        .strip_prefix("M=")
        .map_or(rest, |mapped| mapped.split_once(' ').map_or("", |(_, name)| name));
    let named = rest.rsplit_once(" s=").map_or(rest, |(named, _)| named);
    let name = named.trim().rsplit_once(' ').map_or(named, |(name, _)| name);
    Some((id.parse().ok()?, name.trim().to_owned()))
}
