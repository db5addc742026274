//! [`ReportBuilder`]: takes events one at a time and writes the page of them.

use super::data;
use super::page::{Page, ReportError};
use crate::feed::{Event, Feed, SourceId};
use crate::session::{Session, Track};
use std::io::Write;
use std::sync::Arc;

/// Default bound of memory for windows: hours of a busy server, and a page that a browser still opens.
const DEFAULT_BUDGET: usize = 128 << 20;

/// What a report says besides what it was told in events.
#[derive(Clone, Debug)]
pub struct ReportOptions {
    /// The version that made it.
    pub generator: Arc<str>,
    /// The machine it was measured on; empty to leave it out.
    pub host: Arc<str>,
    /// Sentences about the report as a whole.
    pub notes: Vec<Arc<str>>,
    /// What is looked at first, in the words of an address: `t=10-20&a=0-5&diff=`; empty for everything.
    pub view: Arc<str>,
    /// Bytes of memory for windows; past them the oldest are rolled up, then dropped, and the page says so.
    pub budget: usize,
}

impl Default for ReportOptions {
    fn default() -> Self {
        let generator = concat!("flametop ", env!("CARGO_PKG_VERSION")).into();
        Self { generator, host: "".into(), notes: Vec::new(), view: "".into(), budget: DEFAULT_BUDGET }
    }
}

/// A report being put together.
///
/// ```
/// use flametop::report::{ReportBuilder, ReportOptions};
/// # let events: Vec<flametop::feed::Event> = Vec::new();
/// let mut report = ReportBuilder::new(ReportOptions::default());
/// for event in &events {
///     report.add(event);
/// }
/// let mut page = Vec::new();
/// report.write(&mut page)?;
/// # Ok::<(), flametop::report::ReportError>(())
/// ```
pub struct ReportBuilder {
    options: ReportOptions,
    session: Session,
    /// Notes heard, to tell how many of them were kept.
    notes_heard: u64,
}

impl ReportBuilder {
    /// A report of nothing yet.
    pub fn new(options: ReportOptions) -> Self {
        let session = Session::new(options.budget);
        Self { options, session, notes_heard: 0 }
    }

    /// Takes in one event; they come in the order of time.
    pub fn add(&mut self, event: &Event) {
        self.notes_heard += u64::from(matches!(event.feed, Feed::Note(_)));
        self.session.ingest(event);
    }

    /// Writes the page. The same events and options always give the same bytes.
    pub fn write(&self, out: &mut dyn Write) -> Result<(), ReportError> {
        let packed = data::pack(&self.session, &self.options, &self.losses())?;
        let page = Page { title: &self.title(), data: &packed };
        page.write(out)
    }

    /// The session that holds what was added: what the page shows of any range can be asked of it.
    pub fn session(&self) -> &Session {
        &self.session
    }

    fn title(&self) -> String {
        let targets = self.session.sources().iter().filter_map(|source| source.target.as_ref());
        let names: Vec<&str> = targets.map(|target| &*target.name).take(3).collect();
        if names.is_empty() { "flametop report".into() } else { format!("{} - flametop", names.join(", ")) }
    }

    fn has_rolled_gauges(&self) -> bool {
        let gauges = self.session.gauges();
        let sources = (0..self.session.sources().len()).map(|at| SourceId(at as u16));
        let mut oldest = sources.flat_map(|source| {
            gauges.gauges_of(source).filter_map(move |gauge| gauges.buckets(source, gauge).next())
        });
        oldest.any(|(_, length)| length.0 > 0)
    }

    /// What was left out for want of room, in plain sentences.
    fn losses(&self) -> Vec<String> {
        let mut losses = Vec::new();
        let tracks = self.session.timeline().tracks();
        let rolled: u32 =
            tracks.iter().flat_map(Track::windows).map(|w| w.rolled).filter(|rolled| *rolled > 1).sum();
        if rolled > 0 {
            losses
                .push(format!("{rolled} windows were put together, 8 or 64 to one, to keep the file small"));
        }
        let dropped = self.session.timeline().dropped();
        if dropped > 0 {
            losses.push(format!("the {dropped} oldest windows were left out to keep the file small"));
        }
        if self.has_rolled_gauges() {
            losses.push(
                "of older gauges only the least and the greatest value of each ten seconds are here".into(),
            );
        }
        let held = self.session.notes().count() as u64;
        if self.notes_heard > held {
            losses.push(format!("the {} oldest notes were left out", self.notes_heard - held));
        }
        losses
    }
}
