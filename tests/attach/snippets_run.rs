//! Each snippet in each Node there is.

use crate::prelude::*;

/// What of a target may not change: names on the global object and on the modules we touch, listeners, handles.
const FOOTPRINT: &str = r#"(()=>{const n=o=>Object.getOwnPropertyNames(o).length+"/"+Object.getOwnPropertySymbols(o).length;
return[n(globalThis),n(require("inspector")),n(process),n(require("perf_hooks")),n(require("v8")),
process.listenerCount("exit"),process._getActiveHandles().length,process.getActiveResourcesInfo().length].join()})()"#;

/// Runs the agent through its life and checks that the target is as before; gives the last poll.
async fn agent_life(cdp: &mut Cdp, nonce: &Nonce) -> Poll {
    // Loads the modules we touch: a module once loaded stays.
    let _: Poll = evaluate(cdp, &snippets::bare_poll()).await;
    let _: Option<Poll> = evaluate(cdp, &snippets::agent_poll(nonce)).await;
    let before: String = evaluate(cdp, FOOTPRINT).await;
    for install in [snippets::agent_install(nonce, true), snippets::tail_install(nonce)] {
        let installed: Installed = evaluate(cdp, &install).await;
        assert!(installed.ok, "{installed:?}");
    }
    wait_a_turn(Duration::from_millis(300));
    let poll: Option<Poll> = evaluate(cdp, &snippets::agent_poll(nonce)).await;
    assert!(evaluate::<bool>(cdp, &snippets::leave(nonce, InspectorEnd::StaysOpen)).await);
    let gone: Option<Poll> = evaluate(cdp, &snippets::agent_poll(nonce)).await;
    assert_eq!(gone, None);
    assert_eq!(evaluate::<String>(cdp, FOOTPRINT).await, before);
    poll.expect("the agent was there")
}

#[test]
fn the_agent_measures_and_leaves_nothing() {
    let script = "console.log('ready');let a=[];setInterval(()=>{a=[];for(let i=0;i<2e5;i++)a.push({i});const t=Date.now();while(Date.now()-t<60);},80)";
    for node in nodes() {
        let target = Target::script(&node, ANY_PORT, script);
        block_on(async {
            let (inspector, mut cdp, identity) = attach(target.pid()).await;
            let poll = agent_life(&mut cdp, &inspector.nonce).await;
            let name = node.display();
            assert_eq!(poll.failed, None, "{name}");
            assert!(poll.heap_used > 1e6 && poll.active_ms > 50.0, "{name}: {poll:?}");
            let delay = poll.delay.expect("a delay");
            // The loop turns a few times only, each after 60 ms or, on a busy machine, twice that.
            assert!(delay.n > 0.0 && delay.max_ns > 20e6 && delay.p50_ns < 400e6, "{name}: {delay:?}");
            let collections = poll.gc.as_ref().expect("collections");
            assert!(collections.values().map(|kind| kind.n).sum::<u32>() > 0, "{name}: {poll:?}");
            assert!(
                poll.resources.as_ref().is_some_and(|all| all.contains_key("Timeout")),
                "{name}: {poll:?}"
            );
            assert_eq!(poll.loops.is_some(), identity.node_major() >= 20, "{name}");
            assert!(poll.cost_us.is_some_and(|cost| cost < 20_000.0), "{name}: {poll:?}");
            assert_eq!(detach(cdp, &inspector, PATIENCE).await, Left::AsItWas);
        });
    }
}

#[test]
fn a_poll_costs_the_target_less_than_a_millisecond() {
    for node in nodes() {
        let target = Target::script(&node, ANY_PORT, IDLE);
        block_on(async {
            let (inspector, mut cdp, _) = attach(target.pid()).await;
            let _: Installed = evaluate(&mut cdp, &snippets::agent_install(&inspector.nonce, true)).await;
            let mut costs = Vec::new();
            for _ in 0..15 {
                let poll: Option<Poll> = evaluate(&mut cdp, &snippets::agent_poll(&inspector.nonce)).await;
                costs.extend(poll.and_then(|poll| poll.cost_us));
            }
            costs.sort_by(f64::total_cmp);
            // The median: the machine that runs the tests is busy.
            assert!(costs[costs.len() / 2] < 1000.0, "{}: {costs:?}", node.display());
        });
    }
}

#[test]
fn hostile_applications_do_not_break_the_snippets() {
    let freeze = "for(const o of [Object,Array,Function,Symbol,Promise,Math,JSON,Date])Object.freeze(o),o.prototype&&Object.freeze(o.prototype);";
    let poison = "globalThis.setTimeout=globalThis.setInterval=()=>{throw 1};globalThis.console=null;globalThis.process=null;\
        Object.prototype.toJSON=String.prototype.toJSON=()=>{throw 2};JSON.stringify=()=>{throw 4};globalThis.profile=globalThis.profileEnd=()=>{throw 5};";
    let require = "if(process.getBuiltinModule)globalThis.require=5;";
    for node in nodes() {
        for (options, hostility) in [
            (&["--inspect-port=0"][..], require),
            (&["--inspect-port=0"][..], freeze),
            (&["--inspect-port=0"][..], poison),
            (&["--inspect-port=0", "--frozen-intrinsics", "--no-warnings"][..], ""),
            (&["--inspect-port=0", "--disallow-code-generation-from-strings"][..], ""),
            (&["--inspect-port=0", "--input-type=module"][..], ""),
        ] {
            let script = format!("console.log('ready');setInterval(()=>{{}},50);{hostility}");
            let mut target = Target::script(&node, options, &script);
            block_on(async {
                let (inspector, mut cdp, _) = attach(target.pid()).await;
                let nonce = &inspector.nonce;
                let bare: Poll = evaluate(&mut cdp, &snippets::bare_poll()).await;
                assert!(bare.heap_used > 0.0, "{} {options:?} {hostility}: {bare:?}", node.display());
                let installed: Installed = evaluate(&mut cdp, &snippets::agent_install(nonce, true)).await;
                let poll: Option<Poll> = evaluate(&mut cdp, &snippets::agent_poll(nonce)).await;
                let why = format!("{} {options:?} {hostility}: {installed:?} {poll:?}", node.display());
                assert!(installed.ok && poll.is_some_and(|poll| poll.failed.is_none()), "{why}");
                let _: Installed = evaluate(&mut cdp, &snippets::tail_install(nonce)).await;
                cdp.call(Method::ProfilerEnable, json!({}), PATIENCE).await.expect("enables");
                let _: Option<bool> = evaluate(&mut cdp, &snippets::profile_start(nonce, Slot::A)).await;
                let _: Option<bool> = evaluate(&mut cdp, &snippets::profile_end(nonce, Slot::A)).await;
                while cdp.next_event().await.expect("an event").method != "Profiler.consoleProfileFinished" {}
                assert_eq!(detach(cdp, &inspector, PATIENCE).await, Left::AsItWas, "{why}");
            });
            assert!(target.is_alive());
        }
    }
}

/// Iterators that throw break parts of Node itself; what is left must do, and the way out must work.
#[test]
fn poisoned_iterators_are_survived_from_node_20_on() {
    let script = "console.log('ready');setInterval(()=>{},50);globalThis.process=null;\
        Array.prototype[Symbol.iterator]=()=>{throw 3}";
    for node in nodes() {
        if identity_of(&node).node_major() < 20 {
            continue;
        }
        let mut target = Target::script(&node, ANY_PORT, script);
        block_on(async {
            let (inspector, mut cdp, _) = attach(target.pid()).await;
            let _: Installed = evaluate(&mut cdp, &snippets::agent_install(&inspector.nonce, true)).await;
            let bare: Poll = evaluate(&mut cdp, &snippets::bare_poll()).await;
            assert!(bare.heap_used > 0.0, "{}: {bare:?}", node.display());
            assert_eq!(detach(cdp, &inspector, PATIENCE).await, Left::AsItWas, "{}", node.display());
        });
        assert!(target.is_alive());
    }
}

#[test]
fn an_agent_without_a_timer_says_so_and_is_gone() {
    let script = "require('timers').setInterval=()=>{throw new Error('mine')};console.log('ready');require('timers').setTimeout(()=>{},1e8)";
    let target = Target::script(&newest!(), ANY_PORT, script);
    block_on(async {
        let (inspector, mut cdp, _) = attach(target.pid()).await;
        let installed: Installed = evaluate(&mut cdp, &snippets::agent_install(&inspector.nonce, true)).await;
        assert_eq!(installed, Installed { ok: false, failed: Some("Error: mine".into()) });
        let poll: Option<Poll> = evaluate(&mut cdp, &snippets::agent_poll(&inspector.nonce)).await;
        assert_eq!(poll, None);
    });
}

#[test]
fn nodes_own_heap_profile_is_read_again_and_again_where_it_exists() {
    let script = "console.log('ready');let a=[];setInterval(()=>{for(let i=0;i<1e5;i++)a.push({i});if(a.length>1e6)a=[]},10)";
    for node in nodes() {
        let target = Target::script(&node, ANY_PORT, script);
        block_on(async {
            let (inspector, mut cdp, identity) = attach(target.pid()).await;
            let nonce = &inspector.nonce;
            let installed: Installed = evaluate(&mut cdp, &snippets::heap_start(nonce, 32768)).await;
            assert_eq!(installed.ok, identity.node_major() >= 26, "{installed:?}");
            for _ in 0..2 {
                wait_a_turn(Duration::from_millis(100));
                let text: Option<String> = evaluate(&mut cdp, &snippets::heap_read(nonce)).await;
                assert_eq!(text.is_some_and(|text| text.contains("\"samples\"")), installed.ok);
            }
            assert_eq!(detach(cdp, &inspector, PATIENCE).await, Left::AsItWas);
        });
    }
}

#[test]
fn the_last_window_arrives_although_the_target_exits() {
    for node in nodes() {
        let mut target =
            Target::script(&node, ANY_PORT, "console.log('ready');setTimeout(()=>process.exit(3),600)");
        block_on(async {
            let (inspector, mut cdp, _) = attach(target.pid()).await;
            let nonce = &inspector.nonce;
            cdp.call(Method::ProfilerEnable, json!({}), PATIENCE).await.expect("enables");
            let _: Option<bool> = evaluate(&mut cdp, &snippets::profile_start(nonce, Slot::B)).await;
            let _: Installed = evaluate(&mut cdp, &snippets::tail_install(nonce)).await;
            let mut tail = false;
            loop {
                match cdp.next_event().await.expect("an event").method.as_str() {
                    "Profiler.consoleProfileFinished" => tail = true,
                    "NodeRuntime.waitingForDisconnect" => break,
                    _ => {}
                }
            }
            cdp.disconnect();
            undo::disarm(&inspector);
            assert!(tail, "{}", node.display());
        });
        let began = Instant::now();
        let status = target.0.wait().expect("it ends");
        assert_eq!(status.code(), Some(3));
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
}

/// What it measures would else be paid for ever after a flametop that was killed.
#[test]
fn an_agent_that_nobody_polls_removes_itself() {
    for node in nodes() {
        let target = Target::script(&node, ANY_PORT, IDLE);
        block_on(async {
            let (inspector, mut cdp, _) = attach(target.pid()).await;
            let poll = snippets::agent_poll(&inspector.nonce);
            let hasty =
                snippets::agent_install(&inspector.nonce, false).replace("++unpolled>4", "++unpolled>0");
            assert_ne!(hasty, snippets::agent_install(&inspector.nonce, false));
            let _: Option<Poll> = evaluate(&mut cdp, &poll).await;
            let before: String = evaluate(&mut cdp, FOOTPRINT).await;
            let _: Installed = evaluate(&mut cdp, &hasty).await;
            assert_ne!(evaluate::<String>(&mut cdp, FOOTPRINT).await, before);
            let began = Instant::now();
            while evaluate::<String>(&mut cdp, FOOTPRINT).await != before {
                assert!(began.elapsed() < PATIENCE, "{}", node.display());
            }
            assert_eq!(evaluate::<Option<Poll>>(&mut cdp, &poll).await, None);
        });
    }
}

/// The second net: a flametop that was killed together with its guard.
#[test]
fn an_agent_that_nobody_polls_closes_the_inspector_that_we_opened() {
    for node in nodes() {
        let mut target = Target::script(&node, ANY_PORT, IDLE);
        block_on(async {
            let (inspector, mut cdp, _) = attach(target.pid()).await;
            let _: Installed = evaluate(&mut cdp, &snippets::agent_install(&inspector.nonce, true)).await;
            cdp.disconnect();
            wait_until("the port is closed", || listeners(target.pid()) == 0);
            undo::disarm(&inspector);
        });
        assert!(target.is_alive());
    }
}
