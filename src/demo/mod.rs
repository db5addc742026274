//! The built-in workload of `flametop demo`: a child process of the same binary that does honest work
//! on a tokio runtime and serves its own profiles and figures over HTTP on loopback, as Go and Rust
//! servers do. flametop reads it with the source that reads those.
//!
//! [`start()`] is the parent's side, [`serve`] the child's.

mod endpoint;
mod figures;
mod node;
mod shop;
mod start;

pub use node::NodeDemo;
pub use shop::Pace;
pub use start::{Running, StartError, start};

use crate::source::this_process;
use std::io::Write;
use std::sync::Arc;

/// The hidden subcommand of the child.
pub const SUBCOMMAND: &str = "demo-workload";
/// What the child prints before its address, once it listens.
const LISTENING: &str = "listening ";

/// How the workload runs.
#[derive(Clone, Copy, Debug)]
pub struct DemoOptions {
    /// Worker threads of its runtime.
    pub workers: usize,
    /// How busy it is.
    pub pace: Pace,
    /// Samples per second of CPU time.
    pub frequency: u32,
    /// Mean bytes between sampled allocations.
    pub heap_interval: u64,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self { workers: 2, pace: Pace::default(), frequency: 250, heap_interval: 128 * 1024 }
    }
}

/// Runs the workload until standard input ends, which is when the parent does, or SIGTERM or SIGINT
/// comes. The heap is sampled if the process allocates by [`this_process::SamplingAllocator`].
pub fn serve(options: DemoOptions) -> std::io::Result<()> {
    this_process::sample_heap(options.heap_interval);
    let shop = shop_runtime(options)?;
    let figures = Arc::new(figures::Figures::new(shop.handle().clone()));
    shop.spawn(figures::probe(figures.clone()));
    shop.block_on(async {
        tokio::spawn(async move { shop::open_doors(options.pace, options.workers) }).await
    })?;
    // The endpoint has a thread of its own: a shop that is held up is when figures matter most.
    let outside = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_name("profiler")
        // One: pprof-rs makes tables of 64 MB for each window, and each thread would keep its own.
        .max_blocking_threads(1)
        .build()?;
    let result = outside.block_on(async {
        tokio::task::spawn_blocking(this_process::warm_up);
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        writeln!(std::io::stdout(), "{LISTENING}{}", listener.local_addr()?)?;
        tokio::select! {
            result = endpoint::serve(listener, figures, options.frequency) => result,
            result = end_of_life() => result,
        }
    });
    outside.shutdown_background();
    shop.shutdown_background();
    result
}

fn shop_runtime(options: DemoOptions) -> std::io::Result<tokio::runtime::Runtime> {
    let count = std::sync::atomic::AtomicUsize::new(1);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(options.workers)
        .thread_name_fn(move || {
            format!("worker {}", count.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
        })
        .enable_time()
        .build()
}

/// Waits for the parent's end or a signal.
async fn end_of_life() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (parent, parent_gone) = tokio::sync::oneshot::channel();
    // A thread, because reading standard input can't be cancelled; it ends with the process.
    std::thread::Builder::new().name("parent".into()).spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = parent.send(());
    })?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = parent_gone => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
