//! One picture for each thing a user can see. Read each as a user would before accepting it.

use super::world::World;
use crate::app::Candidate;
use crate::feed::{Blocked, EndReason, Feed, Phase, Status, TargetInfo};
use crate::profile::Nanos;
use crate::source::synthetic::START;
use crate::theme::{ColourDepth, Glyphs};

const SMALL: (u16, u16) = (80, 24);
const MIDDLE: (u16, u16) = (120, 40);
const LARGE: (u16, u16) = (200, 60);

macro_rules! picture {
    ($name:literal, $world:expr) => {
        insta::with_settings!({prepend_module_to_snapshot => false, snapshot_path => "snapshots", omit_expression => true}, {
            insta::assert_snapshot!($name, $world.text());
        });
    };
}

macro_rules! styles {
    ($name:literal, $world:expr) => {
        insta::with_settings!({prepend_module_to_snapshot => false, snapshot_path => "snapshots", omit_expression => true}, {
            insta::assert_snapshot!($name, $world.styles());
        });
    };
}

#[test]
fn live() {
    picture!("live_80x24", World::after(48, SMALL));
    picture!("live_120x40", World::after(48, MIDDLE));
    picture!("live_200x60", World::after(170, LARGE));
    styles!("live_80x24_styles", World::after(48, SMALL));
}

#[test]
fn moving_and_zooming() {
    picture!("zoomed_120x40", World::after(48, MIDDLE).keys("Gkk<enter>"));
    picture!("cursor_80x24", World::after(48, SMALL).keys("jjj"));
    styles!("cursor_80x24_styles", World::after(48, SMALL).keys("jjj"));
}

#[test]
fn frozen() {
    picture!("frozen_80x24", World::after(48, SMALL).keys("[[["));
    picture!("frozen_range_120x40", World::after(48, MIDDLE).keys("[[[<<<<"));
}

#[test]
fn difference() {
    // The base: three quiet seconds; then the seconds in which `loadCatalog` blocks the loop.
    let keys = "[[[[[[[[[[<<B]]]]]]";
    picture!("diff_80x24", World::after(58, SMALL).keys(keys));
    picture!("diff_120x40", World::after(58, MIDDLE).keys(keys));
    picture!("diff_share_120x40", World::after(58, MIDDLE).keys(keys).keys("%j"));
    picture!("diff_top_80x24", World::after(58, SMALL).keys(keys).keys("3"));
    picture!("diff_top_120x40", World::after(58, MIDDLE).keys(keys).keys("3jj"));
    picture!("diff_tree_120x40", World::after(58, MIDDLE).keys(keys).keys("2jl"));
    picture!("diff_mono_80x24", World::after(58, SMALL).keys(keys).with(ColourDepth::None, Glyphs::Ascii));
}

#[test]
fn heap() {
    picture!("heap_80x24", World::after(48, SMALL).keys("vv"));
    picture!("heap_120x40", World::after(48, MIDDLE).keys("vvj"));
}

#[test]
fn tree() {
    picture!("tree_80x24", World::after(48, SMALL).keys("2jllljljljl"));
    picture!("tree_120x40", World::after(48, MIDDLE).keys("2jllljljljl"));
}

#[test]
fn top() {
    picture!("top_80x24", World::after(48, SMALL).keys("3jj"));
    picture!("top_120x40", World::after(48, MIDDLE).keys("3jj"));
    picture!("top_200x60", World::after(48, LARGE).keys("3jj"));
}

#[test]
fn help() {
    picture!("help_80x24", World::after(48, SMALL).keys("?"));
    picture!("help_filtered_120x40", World::after(48, MIDDLE).keys("?window"));
}

#[test]
fn search() {
    picture!("search_80x24", World::after(48, SMALL).keys("/lodash"));
    picture!("search_standing_120x40", World::after(48, MIDDLE).keys("/parse<enter>"));
    picture!("search_wrong_80x24", World::after(48, SMALL).keys("/par(se"));
    styles!("search_80x24_styles", World::after(48, SMALL).keys("/lodash"));
}

#[test]
fn blocked() {
    picture!("blocked_80x24", World::after(33, SMALL));
    picture!("blocked_120x40", World::after(33, MIDDLE));
    picture!("blocked_native_60x14", native_block());
}

fn native_block() -> World {
    let mut world = World::after(20, (60, 14));
    let blocked = Blocked { since: START + Nanos::from_millis(16_800), how: "in native code".into() };
    world.say(Feed::Status(Status { blocked: Some(blocked), ..Status::default() }));
    world
}

#[test]
fn attaching() {
    let mut world = World::empty(SMALL);
    world.say(Feed::Status(Status {
        phase: Phase::Attaching("opening the inspector of process 4711".into()),
        ..Status::default()
    }));
    picture!("attaching_80x24", world);
}

#[test]
fn before_the_first_window() {
    let mut world = World::empty(MIDDLE);
    let target = TargetInfo {
        name: "api.js".into(),
        kind: "Node 22.14.0".into(),
        pid: Some(4711),
        ..TargetInfo::default()
    };
    world.say(Feed::Attached(target));
    world.say(Feed::Status(Status { window: Nanos::from_secs(1), ..Status::default() }));
    picture!("first_window_120x40", world);
}

#[test]
fn ended() {
    let mut world = World::after(30, SMALL);
    world.say(Feed::Ended(EndReason::TargetExited));
    picture!("ended_80x24", world);
    let mut world = World::empty(SMALL);
    let why =
        "process 4711 belongs to root: run flametop as that user, or let it do this: sudo flametop 4711";
    world.say(Feed::Ended(EndReason::Failed(why.into())));
    picture!("failed_80x24", world);
}

#[test]
fn picker() {
    picture!("picker_80x24", World::empty(SMALL).picking(candidates()));
    picture!("picker_filtered_120x40", World::empty(MIDDLE).picking(candidates()).keys("node<down>"));
}

fn candidates() -> Vec<Candidate> {
    let candidate = |pid, kind: &str, command: &str, cpu, mib: u64, age, obstacle: Option<&str>| Candidate {
        pid,
        kind: kind.into(),
        name: command.rsplit(['/', ' ']).next().unwrap_or_default().into(),
        command: command.into(),
        cpu,
        rss: mib << 20,
        age: Nanos::from_secs(age),
        user: "www".into(),
        obstacle: obstacle.map(Into::into),
    };
    vec![
        candidate(4711, "Node", "node /srv/api/src/api.js --port 8080", 0.93, 184, 273_600, None),
        candidate(4802, "Node", "node /srv/worker/index.mjs", 0.021, 96, 86_500, None),
        candidate(
            918,
            "Go",
            "/usr/bin/prometheus --config.file=/etc/prometheus.yml",
            0.11,
            612,
            1_900_000,
            None,
        ),
        candidate(1, "Node", "node /srv/legacy/server.js", 0.4, 240, 99_000, Some("belongs to root")),
    ]
}

#[test]
fn recording() {
    picture!("recording_80x24", World::after(48, SMALL).recording());
    picture!("recording_120x40", World::after(48, MIDDLE).recording());
    picture!("recording_quit_80x24", World::after(48, SMALL).recording().keys("q"));
}

#[test]
fn menus_and_messages() {
    picture!("write_menu_80x24", World::after(48, SMALL).keys("Wj"));
    let mut world = World::after(48, SMALL);
    world.tell(crate::app::Msg::Done(crate::app::Outcome::Failed(
        crate::app::Job::Export,
        "/srv/profiles is not writable".into(),
    )));
    picture!("toast_80x24", world);
    world.tell(crate::app::Msg::Done(crate::app::Outcome::Exported(vec![
        "/home/someone/work/services/api/profiles/api.js-20260302-140320-cpu.pb.gz".into(),
        "/home/someone/work/services/api/profiles/api.js-20260302-140320-heap.pb.gz".into(),
    ])));
    world.tell(crate::app::Msg::Done(crate::app::Outcome::Failed(
        crate::app::Job::Record,
        "failed to create /srv/profiles/today/api.js.ftrec: Permission denied; choose a directory you may \
         write to"
            .into(),
    )));
    picture!("toasts_long_80x24", world);
}

#[test]
fn few_colours() {
    let mono = || World::after(48, SMALL).with(ColourDepth::None, Glyphs::Unicode).keys("jj");
    picture!("mono_80x24", mono());
    styles!("mono_80x24_styles", mono());
    picture!("ascii_80x24", World::after(48, SMALL).with(ColourDepth::Sixteen, Glyphs::Ascii).keys("[j"));
    picture!("ascii_120x40", World::after(48, MIDDLE).with(ColourDepth::None, Glyphs::Ascii));
}

#[test]
fn hardly_any_room() {
    picture!("small_50x12", World::after(48, (50, 12)));
    picture!("too_small_30x8", World::after(48, (30, 8)));
}
