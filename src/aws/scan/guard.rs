//! The guard of a collector: a task of its own, a time, and news of its beginning and end.
//!
//! A collector that panics, or does not end when it is told to, is a gap here and touches no other.

use std::future::Future;
use std::time::{Duration, Instant};

use crate::aws::collect::{Collector, Reach, Scope, Sink};
use crate::model::{Coverage, CoverageState};

/// How long a collector may take to hand over its gaps once its time is up, or Ctrl-C was pressed.
pub const TO_END: Duration = Duration::from_secs(30);

/// Runs a collector, and says when it begins and when it has ended.
pub async fn guarded<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    collector: Collector,
    scope: &Scope,
    sink: &Sink,
    collect: impl FnOnce(Scope, Sink) -> F,
) -> Option<T> {
    let named = named(collector, scope, sink);
    named.started();
    let began = Instant::now();
    let ended = bounded(collector, scope, &named, collect).await;
    named.finished(began.elapsed());
    ended
}

/// Returns the sink of a collector: its name and, where it is one of several, its Region.
pub fn named(collector: Collector, scope: &Scope, sink: &Sink) -> Sink {
    let region = region(collector, scope);
    sink.named(region.map_or_else(|| collector.name().to_owned(), |r| format!("{} {r}", collector.name())))
}

fn region(collector: Collector, scope: &Scope) -> Option<&str> {
    (collector.reach() == Reach::Regional).then_some(scope.region.as_str())
}

/// Runs a collector, or a part of it, in a task of its own: a panic there, or one that does not end, is a gap here.
pub async fn bounded<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    collector: Collector,
    scope: &Scope,
    named: &Sink,
    collect: impl FnOnce(Scope, Sink) -> F,
) -> Option<T> {
    let timed = Scope { left: scope.left.for_one(scope.options.time), ..scope.clone() };
    let mut task = tokio::spawn(collect(timed, named.clone()));
    let ended = tokio::select! {
        done = &mut task => done.map_err(|_| "leanlake failed while reading it; this is a mistake in leanlake"),
        () = overdue(scope) => Err("it did not end when it was told to; this is a mistake in leanlake"),
    };
    if let Err(why) = ended {
        task.abort();
        for read in collector.reads() {
            let gap = Coverage::new(read.table, read.operation, CoverageState::Missing);
            named.cover(gap.at(&scope.account_id, region(collector, scope)).because(why)).await;
        }
    }
    ended.ok()
}

/// Ends some time after every collector has: they look at the clock, and at Ctrl-C, before and during each call.
async fn overdue(scope: &Scope) {
    tokio::select! {
        () = scope.cancel.cancelled() => {}
        () = tokio::time::sleep(scope.options.time) => {}
    }
    tokio::time::sleep(TO_END).await;
}
