//! The banner: what the user must not miss, over the second line of the header, beside nothing that
//! matters while it is there.

use super::super::source::Condition;
use super::super::units;
use super::super::widgets::Pen;
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
        if let Some((text, slot)) = text(ui) {
            Pen::on(buf, area, ui.theme).cell(&text, area.width, ui.theme.style(slot));
        }
    }
}

fn text(ui: &Ui) -> Option<(String, Slot)> {
    let (_, source) = ui.source()?;
    // While there is nothing else to see, the message in the middle says it.
    let seen = ui.shown.flame.is_some();
    match ui.condition() {
        Condition::Ended(reason) if seen => Some(ended(ui, reason)),
        Condition::Waiting(why) if seen => Some((format!(" ▲ WAITING  {why}"), Slot::BannerAlarm)),
        Condition::Sampling => {
            source.status.blocked.as_ref().map(|blocked| (said(ui, blocked), Slot::BannerAlarm))
        }
        _ => None,
    }
}

fn said(ui: &Ui, blocked: &Blocked) -> String {
    let long = units::duration(ui.app.now.since(blocked.since));
    let since = units::time_of_day(blocked.since);
    format!(" ▲ EVENT LOOP BLOCKED {long} {}, since {since}; the flame shows what it is doing", blocked.how)
}

fn ended(ui: &Ui, reason: &EndReason) -> (String, Slot) {
    let at = ui.source().map(|(_, source)| units::time_of_day(source.last_heard)).unwrap_or_default();
    match reason {
        EndReason::Detached => {
            (format!(" Detached at {at}. Everything seen stays here; q leaves"), Slot::BannerInfo)
        }
        EndReason::TargetExited => {
            (format!(" ▲ THE TARGET EXITED at {at}. Everything seen stays here; q leaves"), Slot::BannerAlarm)
        }
        EndReason::EndOfInput => {
            (" The end of the input. Everything read stays here; q leaves".into(), Slot::BannerInfo)
        }
        EndReason::Failed(why) => (format!(" ▲ FAILED at {at}: {why}"), Slot::BannerAlarm),
    }
}
