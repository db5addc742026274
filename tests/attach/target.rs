//! Real Node processes to attach to.

use crate::prelude::*;

pub const PATIENCE: Duration = Duration::from_secs(10);

/// Every Node that is installed, oldest first; those that are missing are named.
pub fn nodes() -> Vec<PathBuf> {
    every_node().into_iter().map(|(_, node)| node).collect()
}

/// The newest Node, for what does not depend on the version; without any, the test is over (and named).
macro_rules! newest {
    () => {
        match nodes().pop() {
            Some(node) => node,
            None => return,
        }
    };
}

pub(crate) use newest;

/// Node's default port can belong to one target at a time, so the tests that use it take turns.
pub fn default_port() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A child that is killed when the test is over.
pub struct Target(pub Child);

impl Target {
    /// Starts a program and returns when it has printed a line.
    pub fn start(command: &mut Command) -> Self {
        let mut target = Self::start_at_once(command);
        let mut line = String::new();
        let out = target.0.stdout.as_mut().expect("its output is a pipe");
        BufReader::with_capacity(1, out).read_line(&mut line).expect("it speaks");
        assert!(!line.is_empty(), "the target ended before it was ready");
        target
    }

    pub fn start_at_once(command: &mut Command) -> Self {
        Self(
            command
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("it starts"),
        )
    }

    pub fn script(node: &PathBuf, options: &[&str], script: &str) -> Self {
        Self::start(Command::new(node).args(options).args(["-e", script]))
    }

    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    pub fn is_alive(&mut self) -> bool {
        self.0.try_wait().expect("it can be asked").is_none()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A target that does nothing but live.
pub const IDLE: &str = "console.log('ready');setInterval(()=>{},50)";

/// The same with any free port for the inspector, so that tests need not take turns.
pub const ANY_PORT: &[&str] = &["--inspect-port=0"];

pub const HANG: &str = "console.log('ready');setTimeout(()=>{for(;;){}},20)";

pub fn open(pid: u32) -> Result<Inspector, AttachError> {
    block_on(open_inspector(pid, &OpenOptions::default()))
}

pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

pub async fn attach(pid: u32) -> (Inspector, Cdp, Identity) {
    let inspector = open_inspector(pid, &OpenOptions::default()).await.expect("opens");
    let (cdp, identity) = inspector.connect(PATIENCE).await.expect("connects");
    (inspector, cdp, identity)
}

pub fn listeners(pid: u32) -> usize {
    Process::new(pid).listeners().expect("it can be read").len()
}

pub fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    wait_for(what, PATIENCE, condition);
}

/// Evaluates a snippet that must succeed.
pub async fn evaluate<T: serde::de::DeserializeOwned>(cdp: &mut Cdp, snippet: &str) -> T {
    cdp.evaluate(snippet, PATIENCE).await.expect(snippet)
}

/// Who a Node says it is.
pub fn identity_of(node: &PathBuf) -> Identity {
    let target = Target::script(node, ANY_PORT, IDLE);
    block_on(async { attach(target.pid()).await.2 })
}

/// Lets the target do its work for a while: what is measured then is the point of the test.
pub fn wait_a_turn(span: Duration) {
    holds_for("time passes", span, || true);
}
