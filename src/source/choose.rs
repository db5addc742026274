//! From a target to a source of it: names are looked up, kinds are asked, and where only trying can
//! tell, the kinds are tried in turn.

use super::{
    BoxFuture, Control, ErrorClass, Fit, KINDS, Outbox, Source, SourceError, SourceKind, SourceOptions,
    control, discover, kind_by_name,
};
use crate::feed::{EndReason, Order, TargetSpec};

/// A source of `target`; nothing is touched before it runs.
pub fn open(
    target: TargetSpec,
    options: SourceOptions,
    kind: Option<&str>,
) -> Result<Box<dyn Source>, SourceError> {
    if let Some(name) = kind {
        let kind = kind_by_name(name).ok_or_else(|| no_such_kind(name))?;
        return Ok(kind.open(resolved(target)?, options));
    }
    let target = resolved(target)?;
    let fitting = fitting(&target);
    match (fitting.first(), &target) {
        (Some((Fit::Certain, kind)), _) => Ok(kind.open(target, options)),
        (Some(_), _) => Ok(Box::new(InTurn {
            kinds: fitting.into_iter().map(|(_, kind)| kind).collect(),
            target,
            options,
        })),
        // The Node kind knows best why a process can't be attached to.
        (None, TargetSpec::Pid(_)) => Ok(super::node::NODE_KIND.open(target, options)),
        (None, _) => Err(no_kind(&target)),
    }
}

/// The kinds that may fit, the surest first, of equally sure ones the first in [`KINDS`].
fn fitting(target: &TargetSpec) -> Vec<(Fit, &'static dyn SourceKind)> {
    let mut fitting: Vec<_> = KINDS.iter().map(|kind| (kind.recognise(target), *kind)).collect();
    fitting.retain(|(fit, _)| *fit != Fit::No);
    fitting.sort_by_key(|(fit, _)| std::cmp::Reverse(*fit));
    fitting
}

/// The target with a name replaced by the process that has it.
fn resolved(target: TargetSpec) -> Result<TargetSpec, SourceError> {
    match target {
        TargetSpec::Name(name) => match discover::find_by_name(&name) {
            Ok(found) => Ok(TargetSpec::Pid(found.pid)),
            Err(error) => Err(SourceError {
                hint: Some(error.hint().into()),
                message: error.to_string(),
                class: ErrorClass::NoTarget,
            }),
        },
        TargetSpec::File(path) if !path.exists() => Err(SourceError {
            message: format!("{} does not exist", path.display()),
            hint: Some("a target is a PID, a process name, host:port, a URL or a file".into()),
            class: ErrorClass::NoTarget,
        }),
        known => Ok(known),
    }
}

fn no_such_kind(name: &str) -> SourceError {
    let known: Vec<&str> = KINDS.iter().map(|kind| kind.spec().name).collect();
    SourceError {
        message: format!("there is no kind of target named {name:?}"),
        hint: Some(format!("kinds: {}", known.join(", "))),
        class: ErrorClass::Failed,
    }
}

fn no_kind(target: &TargetSpec) -> SourceError {
    let examples: Vec<&str> = KINDS.iter().map(|kind| kind.spec().example).collect();
    SourceError {
        message: format!("flametop does not know how to watch {target}"),
        hint: Some(format!("targets look like: {}", examples.join(", "))),
        class: ErrorClass::BadInput,
    }
}

/// Tries kinds until one reaches the target.
struct InTurn {
    kinds: Vec<&'static dyn SourceKind>,
    target: TargetSpec,
    options: SourceOptions,
}

impl Source for InTurn {
    fn run(self: Box<Self>, out: Outbox, mut orders: Control) -> BoxFuture<Result<EndReason, SourceError>> {
        Box::pin(async move {
            let mut failures: Vec<(&str, SourceError)> = Vec::new();
            for kind in &self.kinds {
                let before = out.times_attached();
                let source = kind.open(self.target.clone(), self.options.clone());
                match forwarding(source, &out, &mut orders).await {
                    Err(error) if out.times_attached() == before => failures.push((kind.spec().name, error)),
                    ended => return ended,
                }
            }
            Err(all_failed(&self.target, failures))
        })
    }
}

/// Runs a source with a control of its own, so that the orders survive it.
async fn forwarding(
    source: Box<dyn Source>,
    out: &Outbox,
    orders: &mut Control,
) -> Result<EndReason, SourceError> {
    let (steering, inner) = control();
    let mut run = source.run(out.clone(), inner);
    loop {
        tokio::select! {
            ended = &mut run => return ended,
            order = orders.next() => {
                let stop = order == Order::Stop;
                // An order that finds the queue full is lost like any other; Stop always arrives.
                steering.give(order);
                if stop {
                    return run.await;
                }
            }
        }
    }
}

/// One failure as it is; several with the kind each was tried as.
fn all_failed(target: &TargetSpec, mut failures: Vec<(&str, SourceError)>) -> SourceError {
    if failures.len() == 1 {
        return failures.remove(0).1;
    }
    let tried: Vec<String> =
        failures.iter().map(|(kind, error)| format!("as {kind}: {}", error.message)).collect();
    let hint = failures.iter().find_map(|(_, error)| error.hint.clone());
    SourceError {
        message: format!("failed to watch {target} ({})", tried.join("; ")),
        hint,
        class: ErrorClass::Failed,
    }
}
