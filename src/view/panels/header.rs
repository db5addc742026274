//! The header: who is watched and in what state; how well, what is open, and what we cost.

use super::super::source::Condition;
use super::super::units;
use super::super::widgets::{Pen, Segment, draw_ends};
use super::{Panel, Screen, Ui};
use crate::app::Mode;
use crate::feed::HeapState;
use crate::profile::{Nanos, Span};
use crate::session::{Base, Range, SourceState};
use crate::theme::Slot;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// See the module.
pub struct Header;

impl Panel for Header {
    fn place(&self, _: &Ui, screen: &Screen) -> Option<Rect> {
        Some(screen.header)
    }

    fn draw(&self, ui: &Ui, area: Rect, buf: &mut Buffer) {
        let first = Rect { height: 1, ..area };
        Pen::on(buf, first, ui.theme).cell("", area.width, ui.theme.style(Slot::Header));
        draw_ends(buf, indented(first), ui.theme, who(ui), state(ui));
        if area.height > 1 {
            let second = Rect { y: area.y + 1, height: 1, ..area };
            draw_ends(buf, indented(second), ui.theme, how_well(ui), own_cost(ui));
        }
    }
}

/// Text keeps a cell from the edge; what has a ground of its own reaches it.
fn indented(row: Rect) -> Rect {
    Rect { x: row.x + 1, width: row.width.saturating_sub(1), ..row }
}

/// `flametop  api.js  Node 22.3.0  pid 4711  up 3d 4h`
fn who(ui: &Ui) -> Vec<Segment> {
    let style = |slot| ui.theme.style(slot);
    let mut segments = vec![Segment::new(30, "flametop", style(Slot::HeaderName))];
    let Some(target) = ui.source().and_then(|(_, source)| source.target.as_ref()) else { return segments };
    segments.push(Segment::new(90, &*target.name, style(Slot::HeaderTarget)));
    segments.push(Segment::new(60, &*target.kind, style(Slot::Header)));
    if let Some(pid) = target.pid {
        segments.push(Segment::new(70, format!("pid {pid}"), style(Slot::Header)));
    } else if !target.address.is_empty() {
        segments.push(Segment::new(70, &*target.address, style(Slot::Header)));
    }
    if let Some(started) = target.started {
        let up = units::age(ui.app.now.since(started));
        segments.push(Segment::new(20, format!("up {up}"), style(Slot::HeaderDim)));
    }
    let others = ui.session.sources().len().saturating_sub(1);
    if others > 0 {
        segments.push(Segment::new(50, format!("+{others} more"), style(Slot::Header)));
    }
    segments
}

/// ` ● REC 00:12 3.10 MiB x.ftrec   LIVE `
fn state(ui: &Ui) -> Vec<Segment> {
    let style = |slot| ui.theme.style(slot);
    let mut segments = Vec::new();
    if let Some(recording) = &ui.app.recording {
        let time = units::clock(ui.app.now.since(recording.since));
        let bytes = units::bytes(recording.bytes as f64);
        let name =
            recording.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        segments.push(
            Segment::new(10, format!(" ● REC {time}  {bytes}  {name} "), style(Slot::ChipRecord))
                .or(95, format!(" ● REC {time} {bytes} ")),
        );
    }
    if let (Some(_), Some(base)) = (ui.app.against, ui.session.base()) {
        let what = if ui.shown.comparison().is_some() { "DIFF to" } else { "NOTHING TO COMPARE with" };
        let text = format!(" {what} {} ", base_name(base));
        segments.push(Segment::new(92, text, style(Slot::ChipDiff)).or(96, " DIFF "));
    }
    let (text, slot) = state_chip(ui);
    segments.push(Segment::new(100, text, style(slot)));
    segments
}

/// `14:03:20–14:03:25`, and whose when it is another's.
fn base_name(base: &Base) -> String {
    let time = format!("{}–{}", units::time_of_day(base.span.start), units::time_of_day(base.span.end()));
    if base.target.is_some() { format!("{} {time}", base.label) } else { time }
}

/// ` FROZEN 14:03:20 −12 s `; a range of windows with its end.
fn frozen(ui: &Ui, span: Span) -> String {
    let from = units::time_of_day(span.start);
    let several = ui.shown.meta.as_ref().is_some_and(|meta| meta.windows > 1);
    let to = if several { format!("–{}", units::time_of_day(span.end())) } else { String::new() };
    let behind = ui.app.now.since(span.end());
    let behind = match behind.0 / 1_000_000_000 {
        seconds @ 0..60 => format!("{seconds} s"),
        _ => units::age(behind),
    };
    format!(" FROZEN {from}{to} −{behind} ")
}

fn state_chip(ui: &Ui) -> (String, Slot) {
    if let Some(playing) = &ui.app.playing {
        let speed = ui.app.speed.times();
        return (format!(" PLAY {speed}× {} ", units::time_of_day(playing.at)), Slot::ChipFrozen);
    }
    if let Range::Span(span) = ui.app.selection.range {
        return (frozen(ui, span), Slot::ChipFrozen);
    }
    if matches!(ui.app.mode, Mode::Pick(_)) {
        return (" CHOOSE ".into(), Slot::ChipFrozen);
    }
    let (text, slot) = match ui.condition() {
        Condition::Nothing => (" NO TARGET ", Slot::ChipWait),
        Condition::Attaching(_) => (" ATTACHING ", Slot::ChipWait),
        Condition::Waiting(_) => (" WAITING ", Slot::ChipWait),
        Condition::Detaching => (" DETACHING ", Slot::ChipWait),
        Condition::Ended(_) => (" ENDED ", Slot::ChipWait),
        Condition::Sampling => (" LIVE ", Slot::ChipLive),
    };
    (text.into(), slot)
}

/// `CPU  window 1.00 s  928 of 1000/s  931 samples  lost 0  gaps 0 ms  inspector 127.0.0.1:9229`
fn how_well(ui: &Ui) -> Vec<Segment> {
    let style = |slot| ui.theme.style(slot);
    let mut segments = Vec::new();
    if let Some(meta) = &ui.shown.meta {
        segments.push(Segment::new(95, meta.kind.title(), style(Slot::TextStrong)));
        segments.push(Segment::new(
            80,
            window(meta.covered, meta.span.length, meta.windows),
            style(Slot::Text),
        ));
        let sampling = &meta.sampling;
        if sampling.achieved > 0 && !sampling.period_bytes && sampling.period > 0 {
            let rate = |interval: u64| (1e9 / interval as f64).round();
            let (achieved, asked) = (rate(sampling.achieved), rate(sampling.period));
            let slot = if achieved < asked * 0.8 { Slot::TextWarn } else { Slot::Text };
            segments.push(Segment::new(50, format!("{achieved} of {asked}/s"), style(slot)));
        } else if sampling.period_bytes {
            let every = units::bytes(sampling.period as f64);
            segments.push(Segment::new(50, format!("every {every}"), style(Slot::Text)));
        }
        let samples = units::count(sampling.taken);
        segments.push(Segment::new(38, format!("{samples} samples"), style(Slot::Text)));
    }
    if let Some((_, source)) = ui.source().filter(|(_, source)| source.target.is_some()) {
        segments.extend(losses(ui, source));
        segments.extend(heap(ui, &source.status.heap));
        if !source.status.exposure.is_empty() {
            let short = source.status.exposure.split(" (").next().unwrap_or_default();
            segments.push(Segment::new(28, &*source.status.exposure, style(Slot::TextDim)).or(60, short));
        }
    }
    segments
}

fn window(covered: Nanos, length: Nanos, windows: usize) -> String {
    let what = if windows > 1 { format!("{windows} windows,") } else { "window".into() };
    if covered.0 * 100 < length.0 * 99 {
        format!("{what} {} of {}", units::duration(covered), units::duration(length))
    } else {
        format!("{what} {}", units::duration(length))
    }
}

fn losses(ui: &Ui, source: &SourceState) -> Vec<Segment> {
    let fact = |bad: bool, weight: u8, text: String| {
        let (slot, weight) = if bad { (Slot::TextWarn, weight + 45) } else { (Slot::TextDim, weight) };
        Segment::new(weight, text, ui.theme.style(slot))
    };
    let mut facts = vec![
        fact(source.lost > 0, 42, format!("lost {}", units::count(source.lost))),
        fact(source.gaps.0 > 0, 41, format!("gaps {}", units::duration(source.gaps))),
    ];
    if source.truncated > 0 {
        facts.push(fact(true, 40, format!("cut {}", units::count(source.truncated))));
    }
    facts
}

fn heap(ui: &Ui, heap: &HeapState) -> Option<Segment> {
    let text = match heap {
        HeapState::Unavailable => return None,
        HeapState::Off(_) => "heap off".to_owned(),
        HeapState::On { window, cost } if cost.0 == 0 => format!("heap every {}", units::duration(*window)),
        HeapState::On { window, cost } => {
            format!("heap every {}, costs {}", units::duration(*window), units::duration(*cost))
        }
    };
    Some(Segment::new(25, text, ui.theme.style(Slot::TextDim)))
}

fn own_cost(ui: &Ui) -> Vec<Segment> {
    let own = ui.own;
    if own.rss == 0 {
        return Vec::new();
    }
    let (cpu, rss) = (units::percent(own.cpu), units::bytes(own.rss as f64));
    let full = format!("flametop {cpu} cpu {rss} ");
    let style = ui.theme.style(Slot::TextDim);
    vec![Segment::new(30, full, style).or(36, format!("own {cpu} {rss} "))]
}
