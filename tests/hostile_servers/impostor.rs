//! A process that answers as an inspector, and is another than the one asked for.

use crate::servers::SOON;
use crate::support::process::listening_ports;
use crate::support::program::{flametop, survived};
use crate::support::runtimes::require_node;
use crate::support::target::Target;

#[test]
fn a_process_that_is_not_the_one_asked_for_is_named_and_left_alone() {
    let node = require_node!(22);
    let target = Target::start(&node, "impostor.js", &["1"]);
    let (pid, ports) = (target.pid().to_string(), listening_ports(target.pid()));
    let home = tempfile::tempdir().expect("a directory");
    let ended = flametop(&["top", &pid, "--for", "300ms"], home.path(), SOON);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    for word in
        [&format!("expected process {pid}"), &format!("127.0.0.1:{}", ports[0]), "found process 1", "hint:"]
    {
        assert!(ended.stderr.contains(word), "{word}: {}", ended.stderr);
    }
    target.wait_ports(&ports, SOON);
    assert!(target.is_alive() && ended.stdout.is_empty());
    survived(1);
}
