//! The table of slots: everything on the screen that a theme can give a look.

use crate::profile::FrameKind;

macro_rules! slots {
    ($($id:ident, $name:literal;)*) => {
        /// A part of the screen with a look of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each is its name in the theme's file")]
        pub enum Slot {
            $($id,)*
        }

        /// Every slot with its name, in the order of [`Slot`].
        pub const SLOTS: &[(Slot, &str)] = &[$((Slot::$id, $name),)*];
    };
}

slots! {
    Text, "text";
    TextDim, "text.dim";
    TextFaint, "text.faint";
    TextStrong, "text.strong";
    TextValue, "text.value";
    TextGood, "text.good";
    TextWarn, "text.warn";
    TextError, "text.error";
    Header, "header";
    HeaderName, "header.name";
    HeaderTarget, "header.target";
    HeaderDim, "header.dim";
    ChipLive, "chip.live";
    ChipFrozen, "chip.frozen";
    ChipWait, "chip.wait";
    ChipRecord, "chip.record";
    ChipDiff, "chip.diff";
    BannerAlarm, "banner.alarm";
    BannerInfo, "banner.info";
    SparkLabel, "spark.label";
    SparkCpu, "spark.cpu";
    SparkCpuInner, "spark.cpu.inner";
    SparkMemory, "spark.memory";
    SparkMemoryInner, "spark.memory.inner";
    SparkLoop, "spark.loop";
    SparkLoopInner, "spark.loop.inner";
    SparkGc, "spark.gc";
    SparkGcInner, "spark.gc.inner";
    SparkOther, "spark.other";
    SparkOtherInner, "spark.other.inner";
    SparkGap, "spark.gap";
    SparkSelected, "spark.selected";
    Ruler, "ruler";
    RulerSelected, "ruler.selected";
    RulerMark, "ruler.mark";
    Tab, "tab";
    TabActive, "tab.active";
    FlameRoot, "flame.root";
    FlameAbove, "flame.above";
    FlameCursor, "flame.cursor";
    FlameMatch, "flame.match";
    FlameMiss, "flame.miss";
    FlameGathered, "flame.gathered";
    FlameNoise, "flame.noise";
    FlameMore, "flame.more";
    DiffMore, "diff.more";
    DiffLess, "diff.less";
    DiffNoise, "diff.noise";
    TableHeader, "table.header";
    TableCursor, "table.cursor";
    TableMatch, "table.match";
    Bar, "bar";
    BarInner, "bar.inner";
    BarRest, "bar.rest";
    HintKey, "hint.key";
    HintText, "hint.text";
    Overlay, "overlay";
    OverlayBorder, "overlay.border";
    OverlayTitle, "overlay.title";
    OverlayKey, "overlay.key";
    OverlayDim, "overlay.dim";
    OverlayCursor, "overlay.cursor";
    Toast, "toast";
    ToastError, "toast.error";
    Prompt, "prompt";
    PromptError, "prompt.error";
}

/// Hues that packages are spread over by their name.
pub const PACKAGE_HUES: u8 = 8;
/// Steps of colour by self value.
pub const HEAT_STEPS: u8 = 5;
/// Steps of colour by change: much less, less, none, more, much more.
pub const CHANGE_STEPS: u8 = 5;

/// What gives a block of the flame its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// The application itself.
    App,
    /// A package, by its hue from 0.
    Package(u8),
    /// A kind of code.
    Kind(FrameKind),
    /// A step of self value from 0.
    Heat(u8),
    /// A step of change from 0, the greatest loss.
    Change(u8),
}

impl Family {
    /// Every family, by index.
    pub fn all() -> impl Iterator<Item = Self> {
        let packages = (0..PACKAGE_HUES).map(Self::Package);
        let kinds = FrameKind::ALL.into_iter().map(Self::Kind);
        [Self::App]
            .into_iter()
            .chain(packages)
            .chain(kinds)
            .chain((0..HEAT_STEPS).map(Self::Heat))
            .chain((0..CHANGE_STEPS).map(Self::Change))
    }

    /// Its place among all.
    pub fn index(self) -> usize {
        let (packages, kinds) = (usize::from(PACKAGE_HUES), FrameKind::ALL.len());
        match self {
            Self::App => 0,
            Self::Package(hue) => 1 + usize::from(hue % PACKAGE_HUES),
            Self::Kind(kind) => 1 + packages + kind as usize,
            Self::Heat(step) => 1 + packages + kinds + usize::from(step.min(HEAT_STEPS - 1)),
            Self::Change(step) => {
                1 + packages + kinds + usize::from(HEAT_STEPS) + usize::from(step.min(CHANGE_STEPS - 1))
            }
        }
    }

    /// Its slot.
    pub fn slot(self) -> String {
        match self {
            Self::App => "flame.app".into(),
            Self::Package(hue) => format!("flame.package.{}", hue + 1),
            Self::Kind(kind) => format!("flame.{}", kind.as_str()),
            Self::Heat(step) => format!("flame.heat.{}", step + 1),
            Self::Change(step) => format!("flame.change.{}", step + 1),
        }
    }
}

/// The looks of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shade {
    /// As it is.
    Base,
    /// Beside a neighbour of the same colour.
    Alternate,
    /// On the hot path.
    Hot,
}

impl Shade {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Base, Self::Alternate, Self::Hot];

    /// What follows the family's slot.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Base => "",
            Self::Alternate => ".alt",
            Self::Hot => ".hot",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_and_families_stand_at_their_index() {
        assert!(SLOTS.iter().enumerate().all(|(index, (slot, _))| *slot as usize == index));
        assert!(Family::all().enumerate().all(|(index, family)| family.index() == index));
        assert!(Shade::ALL.iter().enumerate().all(|(index, shade)| *shade as usize == index));
    }
}
