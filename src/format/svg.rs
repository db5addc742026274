//! The flame graph as a picture: one SVG file of one kind, drawn by inferno.
//!
//! inferno takes folded lines, reads numbers off their ends and trims them; so names that it would read
//! otherwise than we mean them get visible blanks. It sorts lines by their bytes, which tears apart boxes
//! of names with spaces; so it gets them in the order of the flame, as it takes those of flame charts.

use super::amount::Scale;
use super::export::{flame, process_name};
use super::names::{OTHER, written_name};
use super::pprof::sentences;
use super::{Export, Format, FormatSpec, WriteError};
use crate::profile::{CallTree, Flame, Frame, FrameKind, Unit, short_path};
use inferno::flamegraph::color::{MultiPalette, Palette};
use inferno::flamegraph::{Options, from_lines};
use std::fmt::Write as _;
use std::io::Write;

const SPEC: FormatSpec = FormatSpec {
    name: "svg",
    summary: "flame graph as a picture with search and zoom: any browser",
    extension: "svg",
    reads: false,
    writes: true,
};

/// Boxes narrower than this share of the whole, in per cent, are not drawn.
const NARROWEST: f64 = 0.01;
/// Bytes of the lines that inferno gets, at most; beyond, more narrow boxes are left out.
const MOST_BYTES: usize = 64 << 20;
/// Characters of the line below the title.
const SUBTITLE_CHARS: usize = 160;

/// The flame graph picture.
#[derive(Clone, Copy, Debug)]
pub struct Svg;

impl Format for Svg {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn write(&self, export: &Export<'_>, out: &mut dyn Write) -> Result<(), WriteError> {
        export.check(SPEC.name)?;
        let column = export.main_kind()?;
        let (tree, flame) = flame(export, column)?;
        let (lines, narrowest) = stacks(&tree, &flame);
        let mut options = options(export, column, flame.total());
        options.min_width = narrowest;
        // Charts are drawn from their last line on.
        let drawn = from_lines(&mut options, lines.iter().rev().map(String::as_str), out);
        match drawn {
            // What it draws then says that there is nothing to draw.
            Err(_) if flame.total() <= 0 => Ok(()),
            drawn => Ok(drawn?),
        }
    }
}

/// How the picture looks and what it says beside the stacks.
fn options(export: &Export<'_>, column: usize, total: i64) -> Options<'static> {
    let kind = &export.profile.kinds[column];
    let (factor, word) = unit(kind.unit, total);
    let total = Scale::for_total(kind.unit, total).label(total);
    let said = sentences(export);
    let mut options = Options::default();
    options.colors = Palette::Multi(MultiPalette::Js);
    options.deterministic = true;
    options.flame_chart = true;
    options.title = sound(&format!("{} {}", process_name(export.target), kind.title()));
    options.subtitle = Some(sound(&subtitle(&total, &said)));
    // Two dashes would end the comment that this stands in.
    options.notes = sound(&said.join("; ")).replace('-', "\u{2010}");
    options.count_name = word.into();
    options.factor = factor;
    options
}

/// What is counted by, and the factor that makes it of a readable size.
fn unit(unit: Unit, total: i64) -> (f64, &'static str) {
    match unit {
        Unit::Nanoseconds if total >= 10_000_000_000 => (1e-6, "ms"),
        Unit::Nanoseconds if total >= 10_000_000 => (1e-3, "us"),
        Unit::Nanoseconds => (1.0, "ns"),
        Unit::Bytes if total >= 100 << 20 => (1.0 / 1024.0, "kB"),
        Unit::Bytes => (1.0, "bytes"),
        Unit::Count => (1.0, "samples"),
    }
}

fn subtitle(total: &str, said: &[String]) -> String {
    let text = format!("{total} in all; {}", said.join("; "));
    match text.char_indices().nth(SUBTITLE_CHARS) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

/// The lines for inferno, in the order of the flame, and the share in per cent below which a box was
/// given to its caller.
fn stacks(tree: &CallTree, flame: &Flame) -> (Vec<String>, f64) {
    let labels: Vec<String> = flame.nodes().iter().map(|node| label(tree.frames().get(node.frame))).collect();
    let mut narrowest = NARROWEST;
    loop {
        let least = flame.total() as f64 * narrowest / 100.0;
        if let Some(lines) = wide_stacks(flame, &labels, least) {
            return (lines, narrowest);
        }
        narrowest *= 2.0;
    }
}

/// A line for each box at least so wide that has a value of its own, with what its narrow callees have;
/// none if they would need too much memory.
fn wide_stacks(flame: &Flame, labels: &[String], least: f64) -> Option<Vec<String>> {
    let is_wide = |at: u32| flame.node(at).total > 0 && flame.node(at).total as f64 >= least;
    let (mut lines, mut bytes, mut room) = (Vec::new(), 0, i64::MAX);
    let mut open = vec![(0, String::new())];
    while let Some((at, path)) = open.pop() {
        let narrow = flame.children(at).iter().filter(|child| !is_wide(**child));
        let own =
            narrow.fold(flame.node(at).self_value, |sum, child| sum.saturating_add(flame.node(*child).total));
        // Totals of hostile files may add up to more than a number holds.
        let own = own.clamp(0, room);
        room -= own;
        for child in flame.children(at).iter().rev().filter(|child| is_wide(**child)) {
            let label = &labels[*child as usize];
            let below = if path.is_empty() { label.clone() } else { format!("{path};{label}") };
            bytes += below.len();
            open.push((*child, below));
        }
        if own > 0 {
            let path = if path.is_empty() { OTHER } else { &path };
            lines.push(format!("{path} {own}"));
        }
        if bytes > MOST_BYTES {
            return None;
        }
    }
    Some(lines)
}

/// What stands in a box: name and place, and a remark by which inferno chooses its colour.
fn label(frame: &Frame) -> String {
    let mut text = written_name(frame).into_owned();
    if !frame.file.is_empty() {
        text = format!("{text} {}", short_path(&frame.file));
    }
    if !frame.file.is_empty() && frame.line > 0 {
        // Writing to a string cannot fail.
        let _ = write!(text, ":{}", frame.line);
    }
    let remark = match frame.kind {
        FrameKind::Js | FrameKind::Builtin => "_[j]",
        FrameKind::Kernel => "_[k]",
        _ => "",
    };
    unmistakable(&sound(&text.replace(';', ":"))) + remark
}

/// A label that inferno reads as it is meant, not as a comment, a number or blanks to trim.
fn unmistakable(label: &str) -> String {
    let ends_in_number =
        label.rsplit(' ').next().is_some_and(|word| word.chars().all(|c| c.is_ascii_digit() || c == '.'));
    if label.trim() == label && !ends_in_number && !label.starts_with('#') {
        return label.into();
    }
    label.replace(char::is_whitespace, "␣").replacen('#', "＃", 1)
}

/// Text without the two characters that are clean and still not allowed in XML.
fn sound(text: &str) -> String {
    text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::profile::Profile;

    fn drawn(profile: &Profile, kind: Option<&str>) -> String {
        let target = fixture::target();
        let mut out = Vec::new();
        let export = Export { kind, ..Export::new(profile, &target) };
        Svg.write(&export, &mut out).expect("a vector takes every byte");
        String::from_utf8(out).expect("text")
    }

    /// The tooltips of the boxes: name, value and share.
    fn titles(svg: &str) -> Vec<String> {
        let parts = svg.split("<title>").skip(1).filter_map(|part| part.split_once("</title>"));
        parts.map(|(title, _)| title.into()).collect()
    }

    #[test]
    fn boxes_are_named_by_function_and_place_and_sum_the_threads() {
        insta::assert_snapshot!(titles(&drawn(&fixture::cpu(), None)).join("\n"));
    }

    #[test]
    fn the_kind_asked_for_is_drawn_in_its_unit_and_the_same_bytes_every_time() {
        let svg = drawn(&fixture::heap(), Some("alloc_space"));
        assert!(
            svg.contains(">api.js allocated<") && titles(&svg).contains(&"all (500,224 kB, 100%)".into())
        );
        assert_eq!(drawn(&fixture::heap(), Some("alloc_space")), svg);
    }

    #[test]
    fn notes_and_losses_are_in_the_file_and_cannot_end_their_comment() {
        let mut profile = fixture::cpu();
        profile.notes.push("two -- dashes --> and <script>".into());
        let svg = drawn(&profile, None);
        let (_, notes) = svg.split_once("<!--NOTES: ").expect("notes");
        let (notes, _) = notes.split_once("-->").expect("the end of the comment");
        assert!(notes.contains("3 samples were lost") && notes.contains("merged from 2"), "{notes}");
        assert!(notes.contains("and &lt;script") && !notes.contains("--"), "{notes}");
    }

    #[test]
    fn names_are_escaped_and_not_taken_for_numbers() {
        for (name, shown) in [
            ("read 2", "read␣2"),
            ("1.5", "1.5"),
            (" x", "␣x"),
            ("\u{3000}", "␣"),
            ("# a;b", "＃␣a:b"),
            ("<b>&\"\u{ffff}", "&lt;b&gt;&amp;&quot;\u{fffd}"),
        ] {
            let mut profile = fixture::cpu();
            profile.frames[1] = Frame::named(name, FrameKind::Js);
            let titles = titles(&drawn(&profile, None));
            assert!(titles.iter().any(|title| title.starts_with(&format!("{shown} ("))), "{titles:?}");
            assert_eq!(titles.len(), 9);
        }
    }

    #[test]
    fn nothing_to_draw_is_a_picture_too() {
        let empty = Profile { lanes: vec![], ..fixture::cpu() };
        assert!(drawn(&empty, None).contains("</svg>"));
    }

    #[test]
    fn narrow_boxes_give_their_value_to_their_caller() {
        let mut profile = fixture::cpu();
        for lane in &mut profile.lanes {
            let heavy = lane.nodes.iter().position(|node| *node == 4);
            heavy.into_iter().for_each(|at| lane.columns[1][at] = 1 << 50);
        }
        let titles = titles(&drawn(&profile, None));
        assert_eq!(titles.len(), 4, "{titles:?}");
    }
}
