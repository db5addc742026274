//! Leaving without a runtime.

use crate::prelude::*;

#[test]
fn a_panic_hook_closes_what_is_pending() {
    for node in nodes() {
        let mut target = Target::script(&node, ANY_PORT, IDLE);
        let inspector = block_on(async {
            let (inspector, mut cdp, _) = attach(target.pid()).await;
            let _: Installed = evaluate(&mut cdp, &snippets::agent_install(&inspector.nonce, true)).await;
            inspector
        });
        assert!(undo::pending().contains(&undo::Pending::Attached(inspector.clone())));
        undo::close_inspector_blocking(&inspector, PATIENCE).expect("closes");
        assert_eq!(listeners(target.pid()), 0, "it says so only once the port is closed");
        undo::disarm(&inspector);
        assert!(target.is_alive());
    }
}

#[test]
fn another_process_on_the_port_is_left_alone() {
    let target = Target::script(&newest!(), &["--inspect=0"], IDLE);
    block_on(async {
        let inspector = open_inspector(target.pid(), &OpenOptions::default()).await.expect("opens");
        let stranger = Inspector { inner_pid: Some(1), ..inspector.clone() };
        undo::close_inspector_blocking(&stranger, PATIENCE).expect("nothing");
        holds_for("it is open", Duration::from_millis(200), || listeners(target.pid()) == 1);
        inspector.connect(PATIENCE).await.expect("it is still open");
        assert!(matches!(stranger.connect(PATIENCE).await, Err(AttachError::WrongProcess { .. })));
    });
}

#[test]
fn a_loop_that_never_turns_is_closed_from_within() {
    for node in nodes() {
        let mut target = Target::script(&node, ANY_PORT, HANG);
        let inspector = open(target.pid()).expect("opens");
        undo::close_inspector_blocking(&inspector, PATIENCE).expect("closes");
        undo::disarm(&inspector);
        assert_eq!(listeners(target.pid()), 0);
        assert!(target.is_alive());
    }
}

#[test]
fn a_stopped_target_is_left_quickly_and_is_as_it_was_when_it_runs_again() {
    let target = Target::script(&newest!(), ANY_PORT, IDLE);
    let signal = |name: &str| {
        let sent = Command::new("kill").args([name, &target.pid().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    };
    block_on(async {
        let (inspector, cdp, _) = attach(target.pid()).await;
        signal("-STOP");
        wait_until("it is stopped", || Process::new(target.pid()).status().is_ok_and(|s| s.is_stopped()));
        let since = Instant::now();
        assert_eq!(detach(cdp, &inspector, Duration::from_millis(350)).await, Left::StillOpen);
        assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
        signal("-CONT");
        undo::close_inspector_blocking(&inspector, PATIENCE).ok();
        wait_until("the port is closed", || listeners(target.pid()) == 0);
        undo::disarm(&inspector);
    });
}
