//! Attaching and leaving again and again: nothing adds up, here or in the target.

mod support;

use std::time::Duration;

use flametop::feed::{EndReason, TargetSpec};
use flametop::source::SourceOptions;
use flametop::source::node::NODE_KIND;
use support::process;
use support::runtimes::every_node;
use support::tally;
use support::target::Target;
use support::wait::wait_for;
use support::watch::Watch;

const LONG: Duration = Duration::from_secs(20);
/// The first few load what is made once.
const WARM_UP: usize = 3;
const CYCLES: usize = 12;

fn cycle(target: &Target) {
    let source = NODE_KIND.open(TargetSpec::Pid(target.pid()), SourceOptions::default());
    let mut watch = Watch::start(source);
    watch.until("a window", LONG, |watch| (!watch.windows("cpu").is_empty()).then_some(()));
    assert_eq!(watch.stop().0, EndReason::Detached);
    target.wait_ports(&[], LONG);
}

#[test]
fn cycles_of_attaching_and_leaving_leave_no_file_no_thread_and_no_port() {
    let us = std::process::id();
    let nodes = every_node();
    for (major, node) in nodes.iter().take(1).chain(nodes.last()) {
        let mut target = Target::start_with(node, &["--inspect-port=0"], "globals.js", &[]);
        (0..WARM_UP).for_each(|_| cycle(&target));
        let state = target.report();
        let files = (process::open_files(us), process::open_files(target.pid()));
        let threads = process::thread_names(target.pid());
        (0..CYCLES).for_each(|_| cycle(&target));
        let now = || (process::open_files(us), process::open_files(target.pid()));
        // A socket is closed a moment after its last word.
        wait_for("no more files than before", LONG, || now().0 <= files.0 && now().1 <= files.1);
        wait_for("the same threads", LONG, || process::thread_names(target.pid()) == threads);
        assert_eq!(target.report(), state, "node {major}");
        tally::count("cycles of attaching and leaving, no leak", CYCLES);
    }
}
