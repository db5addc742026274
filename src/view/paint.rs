//! Which colour a frame has: by package, by kind of code, or by what it costs itself.

use crate::app::ColourBy;
use crate::profile::{Change, Comparison, Frame, FrameKind, Verdict, package_of};
use crate::theme::{Family, Shade, Slot};

/// A change of this share of the whole is a large one.
const LARGE_CHANGE: f64 = 0.05;

/// The colour of a frame; `self_share` is its self value's share of the whole.
pub fn family(frame: &Frame, by: ColourBy, self_share: f64) -> Family {
    match by {
        ColourBy::Package => by_package(frame),
        ColourBy::Kind => Family::Kind(frame.kind),
        ColourBy::SelfValue => Family::Heat(heat(self_share)),
    }
}

/// The colour of a change: by its verdict, and how large it is against the whole.
pub fn change_family(comparison: &Comparison, change: &Change) -> Family {
    let is_large = comparison.relative(change).abs() >= LARGE_CHANGE;
    Family::Change(match change.verdict {
        Verdict::Noise => 2,
        Verdict::Less | Verdict::Vanished => u8::from(!is_large),
        Verdict::More | Verdict::New => 3 + u8::from(is_large),
    })
}

/// The look of a change.
pub fn change_slot(change: &Change) -> Slot {
    match change.verdict {
        Verdict::More | Verdict::New => Slot::DiffMore,
        Verdict::Less | Verdict::Vanished => Slot::DiffLess,
        Verdict::Noise => Slot::DiffNoise,
    }
}

/// The shade that keeps a block apart from its left neighbour. It hangs on the frame, so that it
/// stays when neighbours come and go, unless both would look the same.
pub fn shade(frame: &Frame, family: Family, left: Option<(Family, Shade)>) -> Shade {
    let own = if hash(&frame.name) & 1 == 0 { Shade::Base } else { Shade::Alternate };
    match (left, own) {
        (Some((left, shade)), own) if left == family && shade == own => {
            if own == Shade::Base {
                Shade::Alternate
            } else {
                Shade::Base
            }
        }
        _ => own,
    }
}

fn by_package(frame: &Frame) -> Family {
    match (frame.kind, package_of(frame)) {
        (FrameKind::Native, "app" | "native") => match crate_of(&frame.name) {
            Some(name) => Family::Package(hue(name)),
            None => Family::Kind(FrameKind::Native),
        },
        (_, "app") => Family::App,
        (FrameKind::Js, "node") => Family::Kind(FrameKind::Builtin),
        (FrameKind::Js | FrameKind::Native, package) => Family::Package(hue(package)),
        (kind, _) => Family::Kind(kind),
    }
}

/// The crate or package that a compiled function's name begins with: `tokio` of
/// `<tokio::runtime::Handle as Drop>::drop`, `net/http` of `net/http.(*conn).serve`.
fn crate_of(name: &str) -> Option<&str> {
    let name = name.trim_start_matches(['<', '&', '*', '(', '[']);
    if let Some((first, _)) = name.split_once("::") {
        return first.split(' ').next_back();
    }
    let last = name.rfind('/').map_or(0, |slash| slash + 1);
    let dot = name.get(last..)?.find('.')?;
    name.get(..last + dot)
}

fn hue(package: &str) -> u8 {
    (hash(package) >> 32) as u8 % crate::theme::PACKAGE_HUES
}

/// FNV-1a: the same on every machine and for ever, so that a package keeps its colour.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn heat(share: f64) -> u8 {
    match share {
        _ if share < 0.002 => 0,
        _ if share < 0.01 => 1,
        _ if share < 0.05 => 2,
        _ if share < 0.15 => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_the_package() {
        let js = |file| Frame::at("f", file, 1, 1, FrameKind::Js);
        assert_eq!(by_package(&js("/srv/app.js")), Family::App);
        assert_eq!(by_package(&js("/x/node_modules/zod/a.js")), by_package(&js("/y/node_modules/zod/b.js")));
        assert_eq!(
            by_package(&Frame::at("f", "node:fs", 1, 1, FrameKind::Builtin)),
            Family::Kind(FrameKind::Builtin)
        );
        assert_eq!(
            by_package(&Frame::named("(garbage collector)", FrameKind::Gc)),
            Family::Kind(FrameKind::Gc)
        );
    }

    #[test]
    fn compiled_names_begin_with_their_crate() {
        assert_eq!(crate_of("<tokio::runtime::Handle as core::Drop>::drop"), Some("tokio"));
        assert_eq!(crate_of("net/http.(*conn).serve"), Some("net/http"));
        assert_eq!(crate_of("runtime.mallocgc"), Some("runtime"));
        assert_eq!(crate_of("malloc"), None);
    }

    #[test]
    fn equal_neighbours_differ_in_shade() {
        let frame = Frame::at("f", "/srv/app.js", 1, 1, FrameKind::Js);
        let alone = shade(&frame, Family::App, None);
        assert_ne!(shade(&frame, Family::App, Some((Family::App, alone))), alone);
        assert_eq!(shade(&frame, Family::App, Some((Family::Package(1), alone))), alone);
    }
}
