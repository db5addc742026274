//! Names on the screen: the real program in a terminal, byte by byte.

use std::time::Duration;

use crate::live::hostile_target;
use crate::made_up::pprof_file;
use crate::names::{self, Name};
use crate::support::harmless::{assert_harmless, written};
use crate::support::program::survived;
use crate::support::pty::{Pty, PtyCommand};

const SOON: Duration = Duration::from_secs(20);

/// What is typed: every pane, the copying of each row from the first to the last, help, a search by
/// the function's own name.
fn look_at_everything(pty: &Pty, rows: usize) {
    for pane in ["1", "2", "3"] {
        pty.send(pane);
        pty.send("g");
        for row in 0..rows {
            pty.send("yj");
            if row % 8 == 0 {
                pty.send("Y");
            }
        }
    }
    pty.send("1g#nN/\r\u{1b}Wq\u{1b}");
}

#[test]
fn a_file_of_hostile_names_does_no_harm_to_the_terminal() {
    let home = tempfile::tempdir().expect("a directory");
    let names = names::all();
    let path = home.path().join("x\u{1b}]0;owned\u{7}\u{202e}.pb.gz");
    pprof_file(&names, &path);
    for (columns, rows) in [(200, 60), (40, 10)] {
        let mut pty = PtyCommand::flametop(&[&path.to_string_lossy()])
            .size(columns, rows)
            .current_dir(home.path())
            .start();
        pty.wait_for_text("all", SOON);
        look_at_everything(&pty, names.len());
        end(&mut pty);
        let written = written(&pty.output());
        assert_harmless(&written.text, "the screen");
        assert!(written.copied.len() > names.len(), "{} copies", written.copied.len());
        written.copied.iter().for_each(|text| assert_harmless(text, "the clipboard"));
    }
    survived(names.len());
}

#[test]
fn a_live_target_of_hostile_names_does_no_harm_to_the_terminal() {
    let home = tempfile::tempdir().expect("a directory");
    // Only so many as have a place on the screen at once.
    let names: Vec<Name> = names::all();
    for part in names.chunks(16) {
        let server = hostile_target(part.to_vec());
        let address = server.address();
        let arguments = [&*address, "--kind", "node", "--heap"];
        let mut pty = PtyCommand::flametop(&arguments).size(160, 50).current_dir(home.path()).start();
        pty.wait_for_text("all", SOON);
        // The toasts and the state of a target that refuses are on the screen by now.
        pty.send("R");
        pty.wait_for_text("REC", SOON);
        pty.send("w");
        look_at_everything(&pty, part.len());
        pty.send("R");
        end(&mut pty);
        let written = written(&pty.output());
        assert_harmless(&written.text, "the screen");
        written.copied.iter().for_each(|text| assert_harmless(text, "the clipboard"));
    }
    survived(names.len());
}

/// Leaves, whatever is open.
fn end(pty: &mut Pty) {
    pty.send("\u{3}");
    assert_eq!(pty.wait_exit(SOON).exit_code(), 0, "{}", pty.screen());
    pty.assert_given_back();
}
