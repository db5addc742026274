//! `flametop diff`: two profiles or recordings, or parts of them, against each other.

use super::args::{BasisArg, DiffArgs, SliceArgs};
use super::diff_text;
use super::exit::Failure;
use super::html;
use super::load::Loaded;
use super::plain::{print_plain, say};
use super::report::check_writable;
use crate::feed::{Event, Feed, SourceId, TargetInfo};
use crate::profile::{
    Accumulation, Basis, Change, Comparison, FunctionRow, Nanos, Profile, Shape, Span, Verdict,
    function_table,
};
use crate::session::{DEFAULT_BUDGET, Range, Scope, Selection, Session};
use std::path::{Path, PathBuf};

/// Sample types that are compared where nobody says which, in this order.
const MAIN_KINDS: [&str; 5] = ["cpu", "wall", "inuse_space", "alloc_space", "samples"];

/// One side as it was read.
pub struct Input {
    /// The file.
    pub path: PathBuf,
    /// Whose it is.
    pub target: TargetInfo,
    /// The stretch of time compared.
    pub span: Span,
    /// How much of it was observed.
    pub covered: Nanos,
    /// Samples in it.
    pub samples: u64,
}

/// A function on both sides.
pub struct Row {
    /// The function's values.
    pub values: FunctionRow,
    /// The change of what it cost itself.
    pub own: Change,
    /// The change with everything it called.
    pub total: Change,
}

/// Two files compared.
pub struct Diff {
    /// What is compared with.
    pub base: Input,
    /// What is compared.
    pub other: Input,
    /// How.
    pub comparison: Comparison,
    /// Every function, the greatest change first.
    pub rows: Vec<Row>,
    /// The profile that is compared.
    pub profile: Profile,
    /// The functions' names and places, and the base.
    pub session: Session,
}

/// Runs `flametop diff`; the exit code is 1 when something grew past `--fail-above`.
pub fn run(args: &DiffArgs) -> Result<u8, Failure> {
    if let Some(path) = &args.html {
        check_writable(Some(path))?;
    }
    let diff = compare(args)?;
    if let Some(path) = &args.html {
        let written = html::write_diff(&diff, path)?;
        say(&format!("flametop: written {}", written.display()));
    }
    let in_words = if args.json { diff_text::json } else { diff_text::text };
    print_plain(&in_words(&diff, args.lines), args.json)?;
    Ok(args.fail_above.map_or(0, |limit| u8::from(tell_regressions(&diff, limit))))
}

fn compare(args: &DiffArgs) -> Result<Diff, Failure> {
    let base_slice =
        SliceArgs { from: args.base_from.clone(), to: args.base_to.clone(), ..args.slice.clone() };
    let base = Loaded::read(&args.base, &base_slice)?;
    let other = Loaded::read(&args.other, &args.slice)?;
    for (path, loaded) in [(&args.base, &base), (&args.other, &other)] {
        loaded.warnings().for_each(|text| say(&format!("flametop: {}: {text}", path.display())));
    }
    let (base_profiles, other_profiles) = (base.profiles()?, other.profiles()?);
    let kind = kind_of(args.slice.sample_type.as_deref(), &base_profiles, &other_profiles)?;
    let (base_profile, other_profile) = (of_kind(base_profiles, &kind)?, of_kind(other_profiles, &kind)?);
    let mut session = Session::new(DEFAULT_BUDGET);
    session.ingest(&Event {
        source: SourceId(0),
        at: other_profile.span.end(),
        feed: Feed::Window(Box::new(other_profile.clone())),
    });
    session.set_base_from(std::slice::from_ref(&base_profile), None, "base");
    let selection =
        Selection { range: Range::Span(other_profile.span), kind: kind.as_str().into(), scope: Scope::All };
    let basis = basis_of(args.by, &base_profile, &other_profile, &kind);
    let compared = session
        .compare(&selection, basis)
        .ok_or_else(|| Failure::new(format!("there are no {kind} samples on both sides")))?;
    let (flame, comparison) = compared.flame(session.tree(), &Shape::default());
    let mut rows: Vec<Row> = function_table(&flame).iter().map(|values| row(&comparison, *values)).collect();
    rows.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    Ok(Diff {
        base: input(&args.base, base.target(), &base_profile),
        other: input(&args.other, other.target(), &other_profile),
        comparison,
        rows,
        profile: other_profile,
        session,
    })
}

fn row(comparison: &Comparison, values: FunctionRow) -> Row {
    let own = comparison.change(values.base_self, values.self_value);
    let total = comparison.change(values.base_total, values.total);
    Row { values, own, total }
}

/// What decides the order: change of its own before change of what it calls.
fn weight(row: &Row) -> f64 {
    let sure = |change: &Change| if change.verdict == Verdict::Noise { 1e-3 } else { 1.0 };
    (row.own.difference().abs() * sure(&row.own)).max(row.total.difference().abs() * sure(&row.total) * 1e-2)
}

fn input(path: &Path, target: TargetInfo, profile: &Profile) -> Input {
    let (span, covered, samples) = (profile.span, profile.covered, profile.sampling.taken);
    Input { path: path.into(), target, span, covered, samples }
}

/// The sample type to compare: the one asked for, or the first that both sides have.
fn kind_of(asked: Option<&str>, base: &[Profile], other: &[Profile]) -> Result<String, Failure> {
    let kinds = |profiles: &[Profile]| -> Vec<String> {
        profiles.iter().flat_map(|p| &p.kinds).map(|kind| kind.name.to_string()).collect()
    };
    let (base, other) = (kinds(base), kinds(other));
    let both = |name: &str| base.iter().any(|kind| kind == name) && other.iter().any(|kind| kind == name);
    if let Some(name) = asked.filter(|name| both(name)) {
        return Ok(name.to_owned());
    }
    let main = MAIN_KINDS.iter().copied().find(|name| asked.is_none() && both(name));
    let any = || other.iter().map(String::as_str).find(|name| asked.is_none() && both(name));
    main.or_else(any).map(str::to_owned).ok_or_else(|| {
        let text = format!("nothing can be compared: {} against {}", base.join(", "), other.join(", "));
        Failure::new(text).hint("both files must hold one sample type of the same name; see --type").code(2)
    })
}

fn of_kind(profiles: Vec<Profile>, kind: &str) -> Result<Profile, Failure> {
    let found = profiles.into_iter().find(|profile| profile.kind(kind).is_some());
    found.ok_or_else(|| Failure::new(format!("there are no {kind} samples")))
}

/// Per second where both sides know how long they looked; else by share.
fn basis_of(asked: Option<BasisArg>, base: &Profile, other: &Profile, kind: &str) -> Basis {
    let is_level =
        |p: &Profile| p.kind(kind).is_some_and(|at| p.kinds[at].accumulation == Accumulation::Level);
    match asked {
        Some(BasisArg::Second) => Basis::Second,
        None if is_level(other) || (base.covered.0 > 0 && other.covered.0 > 0) => Basis::Second,
        Some(BasisArg::Share) | None => Basis::Share,
    }
}

/// Tells what grew past the limit, a ratio of the base's whole; whether anything did.
fn tell_regressions(diff: &Diff, limit: f64) -> bool {
    let comparison = &diff.comparison;
    let grew = |change: &Change| {
        matches!(change.verdict, Verdict::More | Verdict::New) && comparison.relative(change) > limit
    };
    let mut told = Vec::new();
    let whole = comparison.whole();
    if !comparison.is_share() && grew(&whole) {
        told.push(format!("the whole grew by {}", diff_text::points(comparison, &whole)));
    }
    for row in &diff.rows {
        let name = || diff_text::function(diff, &row.values);
        if grew(&row.own) {
            told.push(format!("{} itself grew by {}", name(), diff_text::points(comparison, &row.own)));
        } else if grew(&row.total) {
            let points = diff_text::points(comparison, &row.total);
            told.push(format!("{} with what it calls grew by {points}", name()));
        }
    }
    for text in &told {
        say(&format!("flametop: {text} of the base's whole; the limit is {:.4} %", limit * 100.0));
    }
    !told.is_empty()
}
