//! What namespaces and users keep from us.

use crate::prelude::*;

/// Whether we may make namespaces and change users; else the test has nothing to show.
fn is_root() -> bool {
    let root = Process::new(std::process::id()).uid().is_ok_and(|uid| uid == 0);
    if !root {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED for want of root: {}",
            std::thread::current().name().unwrap_or("?")
        );
    }
    root
}

#[test]
fn a_process_of_another_network_is_told_with_the_way_in() {
    if !is_root() {
        return;
    }
    let mut target = Target::start(Command::new("unshare").arg("-n").arg(newest!()).args(["-e", IDLE]));
    let error = open(target.pid()).expect_err("out of reach");
    assert!(matches!(error, AttachError::OtherNetworkNamespace { .. }), "{error}");
    assert_eq!(error.hint(), Some(format!("enter it: nsenter -t {0} -n flametop {0}", target.pid())));
    assert!(target.is_alive());
}

#[test]
fn a_process_in_its_own_pid_namespace_is_known_by_its_inner_pid() {
    if !is_root() {
        return;
    }
    let mut unshare = Command::new("unshare");
    let outer = Target::start(
        unshare.args(["-p", "-f", "--kill-child"]).arg(newest!()).args(ANY_PORT).args(["-e", IDLE]),
    );
    let children = format!("/proc/{0}/task/{0}/children", outer.pid());
    let pid = std::fs::read_to_string(children).expect("its children").trim().parse().expect("one child");
    block_on(async {
        let (inspector, cdp, identity) = attach(pid).await;
        assert_eq!((identity.pid, inspector.inner_pid), (1, Some(1)));
        assert_eq!(detach(cdp, &inspector, PATIENCE).await, Left::AsItWas);
    });
}

/// Runs this test again as another user, who may not look into our process.
#[test]
fn a_process_of_another_user_is_refused() {
    const ROLE: &str = "FLAMETOP_TEST_FOREIGN_PID";
    if let Some(pid) = std::env::var(ROLE).ok().and_then(|pid| pid.parse().ok()) {
        let error = open(pid).expect_err("not ours");
        assert!(matches!(&error, AttachError::NotPermitted { uid, .. } if uid == "0"), "{error:?}");
        assert_eq!(error.exit_code(), 4);
        return;
    }
    if !is_root() {
        return;
    }
    let mut target = Target::script(&newest!(), ANY_PORT, IDLE);
    // The build directory may be closed to others.
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("opened");
    let program = directory.path().join("attach-test");
    std::fs::copy(std::env::current_exe().expect("this program"), &program).expect("copied");
    let run = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(program)
        .args(["--exact", "kernel::a_process_of_another_user_is_refused"])
        .env(ROLE, target.pid().to_string())
        .output()
        .expect("setpriv runs");
    let out = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && out.contains("1 passed"), "{out}");
    assert!(target.is_alive());
}
