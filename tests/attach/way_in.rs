//! The ways in, and that what we open we close.

use crate::prelude::*;

#[test]
fn what_we_open_we_close() {
    for node in nodes() {
        let mut target = Target::script(&node, ANY_PORT, IDLE);
        block_on(async {
            let (inspector, cdp, identity) = attach(target.pid()).await;
            assert!(inspector.opened_by_us);
            assert_eq!(identity.pid, target.pid());
            assert_eq!(detach(cdp, &inspector, PATIENCE).await, Left::AsItWas);
        });
        assert_eq!(listeners(target.pid()), 0, "{}", node.display());
        assert!(target.is_alive());
    }
}

#[test]
fn the_default_port_works_too_and_can_be_opened_again() {
    let _turn = default_port();
    let target = Target::script(&newest!(), &[], IDLE);
    for _ in 0..3 {
        block_on(async {
            let (inspector, cdp, _) = attach(target.pid()).await;
            assert_eq!(inspector.address.port(), 9229);
            assert_eq!(detach(cdp, &inspector, PATIENCE).await, Left::AsItWas);
        });
    }
}

#[test]
fn what_the_user_opened_stays_open() {
    for node in nodes() {
        let target = Target::script(&node, &["--inspect=0"], IDLE);
        block_on(async {
            let (inspector, cdp, _) = attach(target.pid()).await;
            assert!(!inspector.opened_by_us);
            assert_eq!(detach(cdp, &inspector, PATIENCE).await, Left::AsItWas);
            holds_for("it is open", Duration::from_millis(200), || listeners(target.pid()) == 1);
            inspector.connect(PATIENCE).await.expect("it is still open");
        });
    }
}

#[test]
fn an_address_finds_the_process_behind_it() {
    let target = Target::script(&newest!(), &["--inspect=0"], IDLE);
    let port = Process::new(target.pid()).listeners().expect("listeners")[0].address.port();
    block_on(async {
        let path = open_inspector(target.pid(), &OpenOptions::default()).await.expect("opens").path;
        for text in [
            format!("localhost:{port}"),
            format!(":{port}"),
            format!("ws://127.0.0.1:{port}{path}"),
            format!("ws://localhost:{port}{path}"),
        ] {
            let inspector = inspector_at(&text, &OpenOptions::default()).await.expect(&text);
            assert_eq!(inspector.inner_pid, Some(target.pid()), "{text}");
            let (cdp, _) = inspector.connect(PATIENCE).await.expect("connects");
            assert_eq!(detach(cdp, &inspector, PATIENCE).await, Left::AsItWas);
        }
    });
}

#[test]
fn a_busy_loop_is_attached_and_left() {
    for node in nodes() {
        let mut target = Target::script(&node, ANY_PORT, HANG);
        wait_until("the loop spins", || Process::new(target.pid()).status().is_ok_and(|s| s.state == 'R'));
        block_on(async {
            let (inspector, mut cdp, _) = attach(target.pid()).await;
            let nonce = &inspector.nonce;
            cdp.call(Method::ProfilerEnable, json!({}), PATIENCE).await.expect("enables");
            let _: Option<serde_json::Value> =
                cdp.evaluate(&snippets::profile_start(nonce, Slot::A), PATIENCE).await.expect("starts");
            wait_a_turn(Duration::from_millis(100));
            let _: Option<serde_json::Value> =
                cdp.evaluate(&snippets::profile_rotate(nonce, Slot::A), PATIENCE).await.expect("rotates");
            while cdp.next_event().await.expect("an event").method != "Profiler.consoleProfileFinished" {}
            let began = Instant::now();
            let left = detach(cdp, &inspector, Duration::from_secs(1)).await;
            assert_eq!(left, Left::AsItWas, "{} after {:?}", node.display(), began.elapsed());
        });
        assert_eq!(listeners(target.pid()), 0, "{}", node.display());
        assert!(target.is_alive());
    }
}

#[test]
fn a_process_attached_as_it_starts_never_dies() {
    for node in nodes() {
        for _ in 0..6 {
            let mut target = Target::start_at_once(Command::new(&node).args(ANY_PORT).args(["-e", IDLE]));
            match open(target.pid()) {
                Ok(inspector) => assert!(inspector.opened_by_us),
                Err(error) => assert!(matches!(error, AttachError::TooYoung { .. }), "{error}"),
            }
            holds_for("it lives", Duration::from_millis(20), || target.is_alive());
        }
    }
}
