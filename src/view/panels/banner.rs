//! The banner: what the user must not miss, over the second line of the header, beside nothing that
//! matters while it is there.

use super::super::source::Condition;
use super::super::units;
use super::super::widgets::{Pen, Segment, draw_segments};
use super::{Panel, Screen, Ui};
use crate::feed::{Blocked, EndReason};
use crate::theme::Slot;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// See the module.
pub struct Banner;

impl Panel for Banner {
    fn place(&self, ui: &Ui, screen: &Screen) -> Option<Rect> {
        text(ui)?;
        let rows = if screen.header.height > 1 { screen.header } else { screen.detail };
        Some(Rect { y: rows.bottom().saturating_sub(1), height: rows.height.min(1), ..rows })
    }

    fn draw(&self, ui: &Ui, area: Rect, buf: &mut Buffer) {
        let Some((texts, slot)) = text(ui) else { return };
        let style = ui.theme.style(slot);
        Pen::on(buf, area, ui.theme).cell("", area.width, style);
        // What is said first matters most.
        let weight = |at: usize| 100 - at as u8;
        let segments = texts.into_iter().enumerate().map(|(at, text)| Segment::new(weight(at), text, style));
        draw_segments(buf, area, ui.theme, segments.collect());
    }
}

type Said = (Vec<String>, Slot);

fn text(ui: &Ui) -> Option<Said> {
    let (_, source) = ui.source()?;
    // While there is nothing else to see, the message in the middle says it.
    let seen = ui.shown.flame.is_some();
    match ui.condition() {
        Condition::Ended(reason) if seen => Some(ended(ui, reason)),
        Condition::Waiting(why) if seen => Some((vec![format!(" ▲ WAITING  {why}")], Slot::BannerAlarm)),
        Condition::Sampling => {
            source.status.blocked.as_ref().map(|blocked| (said(ui, blocked), Slot::BannerAlarm))
        }
        _ => None,
    }
}

fn said(ui: &Ui, blocked: &Blocked) -> Vec<String> {
    let long = units::duration(ui.app.now.since(blocked.since));
    let since = units::time_of_day(blocked.since);
    vec![
        format!(" ▲ EVENT LOOP BLOCKED {long} {}", blocked.how),
        format!("since {since}"),
        "the flame shows what it is doing".into(),
    ]
}

fn ended(ui: &Ui, reason: &EndReason) -> Said {
    let at = ui.source().map(|(_, source)| units::time_of_day(source.last_heard)).unwrap_or_default();
    let (text, slot) = match reason {
        EndReason::Detached => (format!(" Detached at {at}"), Slot::BannerInfo),
        EndReason::TargetExited => (format!(" ▲ THE TARGET EXITED at {at}"), Slot::BannerAlarm),
        EndReason::EndOfInput => (" The end of the input".into(), Slot::BannerInfo),
        EndReason::Failed(why) => (format!(" ▲ FAILED at {at}: {why}"), Slot::BannerAlarm),
    };
    (vec![text, "everything seen stays here".into(), "q leaves".into()], slot)
}
