//! Leaving without a runtime.

use crate::prelude::*;

#[test]
fn a_panic_hook_closes_what_is_pending() {
    for node in nodes() {
        let mut target = Target::script(&node, ANY_PORT, IDLE);
        let inspector = block_on(async {
            let (inspector, mut cdp, _) = attach(target.pid()).await;
            let _: Installed = evaluate(&mut cdp, &snippets::agent_install(&inspector.nonce)).await;
            inspector
        });
        assert!(undo::pending().contains(&undo::Pending::Attached(inspector.clone())));
        undo::close_inspector_blocking(
            inspector.address,
            &inspector.path,
            inspector.inner_pid,
            &undo::Ending::of(&inspector),
            PATIENCE,
        )
        .expect("closes");
        undo::disarm(&inspector);
        wait_until("the port is closed", || listeners(target.pid()) == 0);
        assert!(target.is_alive());
    }
}

#[test]
fn another_process_on_the_port_is_left_alone() {
    let target = Target::script(&newest!(), &["--inspect=0"], IDLE);
    block_on(async {
        let inspector = open_inspector(target.pid(), &OpenOptions::default()).await.expect("opens");
        let ending = undo::Ending { nonce: inspector.nonce.clone(), inspector: InspectorEnd::ClosesNow };
        undo::close_inspector_blocking(inspector.address, &inspector.path, Some(1), &ending, PATIENCE)
            .expect("nothing");
        holds_for("it is open", Duration::from_millis(200), || listeners(target.pid()) == 1);
        inspector.connect(PATIENCE).await.expect("it is still open");
        let stranger = Inspector { inner_pid: Some(1), ..inspector };
        assert!(matches!(stranger.connect(PATIENCE).await, Err(AttachError::WrongProcess { .. })));
    });
}
