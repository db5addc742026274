//! The running sources: started as tasks, steered, stopped, and waited for.

use crate::feed::{EndReason, Feed, SourceId};
use crate::profile::clean_path;
use crate::source::{Inbox, Order, Source, SourceError, Steering, control, outbox};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long sources get to undo what they did in their targets.
pub const DETACH_PATIENCE: Duration = Duration::from_secs(3);

/// One source that runs, or has run; its place in the list is its id.
struct Running {
    steering: Steering,
    task: Option<JoinHandle<Option<SourceError>>>,
    error: Option<SourceError>,
}

/// All sources of a run and the queue they speak into.
pub struct Sources {
    inbox: Inbox,
    running: Vec<Running>,
}

impl Default for Sources {
    fn default() -> Self {
        Self { inbox: outbox(), running: Vec::new() }
    }
}

impl Sources {
    /// Starts a source. What it says comes out of [`Sources::inbox`], its end included.
    pub fn start(&mut self, source: Box<dyn Source>) -> SourceId {
        let id = SourceId(self.running.len() as u16);
        let out = self.inbox.outbox(id);
        let (steering, control) = control();
        let task = tokio::spawn(async move {
            match source.run(out.clone(), control).await {
                Ok(reason) => {
                    out.send(Feed::Ended(reason));
                    None
                }
                Err(error) => {
                    let hint = error.hint.as_ref().map_or_else(String::new, |hint| format!(" ({hint})"));
                    let text = clean_path(&format!("{}{hint}", error.message));
                    out.send(Feed::Ended(EndReason::Failed(text)));
                    Some(error)
                }
            }
        });
        self.running.push(Running { steering, task: Some(task), error: None });
        id
    }

    /// How many sources were started, the ended ones included.
    pub fn started(&self) -> usize {
        self.running.len()
    }

    /// Where the sources' events come out.
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// Gives an order to one source; false when it can't take it now.
    pub fn order(&self, id: SourceId, order: Order) -> bool {
        self.running.get(usize::from(id.0)).is_some_and(|running| running.steering.give(order))
    }

    /// Gives an order to every source.
    pub fn order_all(&self, order: &Order) {
        self.running.iter().for_each(|running| {
            running.steering.give(order.clone());
        });
    }

    /// Tells every source to stop.
    pub fn stop(&self) {
        self.order_all(&Order::Stop);
    }

    /// Whether every source has ended.
    pub fn all_ended(&self) -> bool {
        self.running.iter().all(|running| running.task.as_ref().is_none_or(JoinHandle::is_finished))
    }

    /// Waits for the sources to end after [`Sources::stop`], at most three seconds; one that
    /// takes longer is dropped, which frees its target too.
    pub async fn wait(&mut self) {
        let deadline = tokio::time::Instant::now() + DETACH_PATIENCE;
        for running in &mut self.running {
            let Some(mut task) = running.task.take() else { continue };
            match tokio::time::timeout_at(deadline, &mut task).await {
                Ok(Ok(error)) => running.error = error,
                Ok(Err(_)) => {}
                Err(_) => task.abort(),
            }
        }
    }

    /// The first failure among the sources, once they have been waited for.
    pub fn take_error(&mut self) -> Option<SourceError> {
        self.running.iter_mut().find_map(|running| running.error.take())
    }
}
