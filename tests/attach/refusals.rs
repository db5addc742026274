//! Every refusal, and that a refused target was not touched.

use crate::prelude::*;
use flametop::source::node::own_handler::{Handler, handler_of};

#[test]
fn what_is_not_node_is_never_signalled() {
    for mut command in [Command::new("sleep"), Command::new("python3")] {
        let program = command.get_program().to_os_string();
        if program == "sleep" {
            command.arg("60")
        } else {
            command.args(["-c", "import time;time.sleep(60)"])
        };
        let mut target = Target::start_at_once(&mut command);
        wait_until("it runs its own program", || {
            Process::new(target.pid()).exe().is_ok_and(|exe| !exe.to_string_lossy().contains("attach-"))
        });
        let error = open(target.pid()).expect_err("not Node");
        assert!(matches!(error, AttachError::NotNode { .. }), "{error}");
        assert!(target.is_alive());
    }
}

#[test]
fn a_program_that_is_only_called_node_is_not_node() {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, what) in [("node", "NotNode"), ("bun", "Bun"), ("deno", "Deno")] {
        let program = directory.path().join(name);
        std::fs::copy("/bin/sleep", &program).expect("copied");
        let mut target = Target::start_at_once(Command::new(&program).arg("60"));
        let error = open(target.pid()).expect_err("refused");
        assert!(format!("{error:?}").starts_with(what), "{name}: {error:?}");
        assert!(target.is_alive());
    }
}

#[test]
fn a_renamed_node_is_node() {
    let directory = tempfile::tempdir().expect("a directory");
    let program = directory.path().join("worker");
    std::fs::copy(newest!(), &program).expect("copied");
    let target = Target::script(&program, ANY_PORT, IDLE);
    std::fs::remove_file(&program).expect("a deleted program runs on");
    assert!(open(target.pid()).expect("opens").opened_by_us);
}

#[test]
fn a_port_of_somebody_else_is_refused_with_its_name() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("its address").port();
    let script = "process.on('SIGUSR1',()=>process.exit(7));console.log('ready');setInterval(()=>{},50)";
    let mut target = Target::script(&newest!(), &[&format!("--inspect-port={port}")], script);
    let error = open(target.pid()).expect_err("taken");
    let text = error.to_string();
    assert!(text.contains(&format!("port {port}")), "{text}");
    assert!(text.contains(&format!("process {} (attach", std::process::id())), "{text}");
    assert!(error.hint().is_some_and(|hint| hint.contains("--inspect-port=0")));
    // Its handler would have ended it.
    holds_for("it lives", Duration::from_millis(200), || target.is_alive());
}

#[test]
fn an_own_handler_is_told_and_not_run() {
    let script =
        "process.on('SIGTERM',()=>{});process.on('SIGUSR1',()=>process.exit(7));process.on('SIGHUP',()=>{});
        console.log('ready');setInterval(()=>{},50)";
    for node in nodes() {
        let mut target = Target::script(&node, ANY_PORT, script);
        let error = open(target.pid()).expect_err("no inspector");
        assert!(matches!(error, AttachError::OwnHandler { .. }), "{error}");
        holds_for("it lives", Duration::from_millis(200), || target.is_alive());
    }
}

#[test]
fn handlers_of_other_signals_do_not_count() {
    let script = "for(const s of ['SIGTERM','SIGINT','SIGHUP','SIGUSR2','SIGWINCH'])process.on(s,()=>{});
        console.log('ready');setInterval(()=>{},50)";
    for node in nodes() {
        let target = Target::script(&node, ANY_PORT, script);
        assert_eq!(handler_of(Process::new(target.pid()), 10), Handler::Node);
        assert_eq!(handler_of(Process::new(target.pid()), 15), Handler::Application);
        assert!(open(target.pid()).expect("opens").opened_by_us);
    }
}

#[test]
fn a_disabled_signal_is_told_and_not_sent() {
    for node in nodes() {
        if identity_of(&node).node_major() < 22 {
            continue;
        }
        let mut target = Target::script(&node, &["--disable-sigusr1"], IDLE);
        let error = open(target.pid()).expect_err("disabled");
        assert!(matches!(error, AttachError::SignalDisabled { .. }), "{error}");
        assert!(target.is_alive());
    }
}

#[test]
fn a_stopped_process_is_told_and_not_signalled() {
    let target = Target::script(&newest!(), ANY_PORT, IDLE);
    let signal = |name: &str| {
        Command::new("kill").args([name, &target.pid().to_string()]).status().expect("kill runs")
    };
    assert!(signal("-STOP").success());
    wait_until("it is stopped", || {
        Process::new(target.pid()).status().is_ok_and(|status| status.is_stopped())
    });
    let error = open(target.pid()).expect_err("stopped");
    assert!(matches!(error, AttachError::Stopped { .. }), "{error}");
    assert!(signal("-CONT").success());
    let closed = || listeners(target.pid()) == 0;
    holds_for("no signal was waiting for it", Duration::from_millis(200), closed);
}

#[test]
fn nobody_is_a_refusal() {
    for pid in [0, u32::MAX, 4_194_304] {
        let error = open(pid).expect_err("nobody");
        assert_eq!(error.exit_code(), 3, "{error}");
    }
}

#[test]
fn an_ended_process_that_was_not_collected_is_nobody() {
    let mut target = Target::start_at_once(Command::new("true").arg("x"));
    wait_until("it ended", || Process::new(target.pid()).status().is_ok_and(|status| status.is_dead()));
    assert!(matches!(open(target.pid()), Err(AttachError::NoSuchProcess { .. })));
    target.0.wait().expect("collected");
}

#[test]
fn the_primary_of_a_cluster_is_not_signalled_and_its_workers_are_named() {
    let _turn = default_port();
    let mut program = tempfile::NamedTempFile::with_suffix(".cjs").expect("a file");
    let text =
        "const c=require('cluster');if(c.isPrimary){c.fork();c.on('online',w=>console.log(w.process.pid))}
        setInterval(()=>{},50)";
    program.write_all(text.as_bytes()).expect("written");
    for node in nodes() {
        let mut primary = Target::start(Command::new(&node).arg(program.path()));
        let error = open(primary.pid()).expect_err("a primary");
        let AttachError::ClusterPrimary { workers, .. } = error else { panic!("{error}") };
        let [worker] = workers.as_slice() else { panic!("{workers:?}") };
        holds_for("no port opens", Duration::from_millis(200), || {
            listeners(primary.pid()) + listeners(*worker) == 0
        });
        assert!(primary.is_alive());
        let inspector = open(*worker).expect("a worker can be attached");
        undo::close_inspector_blocking(&inspector, PATIENCE).expect("closes");
        undo::disarm(&inspector);
    }
}
