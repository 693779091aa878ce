//! A look at an account without a snapshot: collectors run, what they covered is kept, rows only where somebody wants them.
//!
//! A collector that takes too long, or fails by a panic, leaves gaps and holds up nobody. Writes nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::mpsc;

use crate::aws::collect::{Collector, Piece, Reach, Scope, Sink};
use crate::model::{Coverage, CoverageState, Row};

/// How long a collector may ask: a look is for somebody who waits.
const ASKS_FOR: Duration = Duration::from_secs(40);
/// How long it may then take to end.
const ENDS_WITHIN: Duration = Duration::from_secs(20);

/// What a look saw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Rows of the tables that were asked for.
    pub rows: BTreeMap<&'static str, Vec<Row>>,
    /// What was seen of each read, and what was not.
    pub coverage: Vec<Coverage>,
}

impl Seen {
    fn take(&mut self, piece: Piece, tables: &[&str]) {
        match piece {
            Piece::Rows(table, rows) if tables.contains(&table.name) => {
                self.rows.entry(table.name).or_default().extend(rows);
            }
            Piece::Cover(coverage) => self.coverage.push(coverage),
            _ => {}
        }
    }
}

/// Runs `collectors` in the scope, all at once, and keeps the rows of `tables`.
pub async fn look(scope: &Scope, collectors: &[Collector], tables: &[&str]) -> Seen {
    let (events, _) = mpsc::channel(1);
    let (sink, mut pieces) = Sink::reporting(events, scope.cancel.clone());
    let asking = async move {
        join_all(collectors.iter().map(|collector| one(*collector, scope, &sink))).await;
    };
    let keeping = async {
        let mut seen = Seen::default();
        while let Some(piece) = pieces.recv().await {
            seen.take(piece, tables);
        }
        seen
    };
    tokio::join!(asking, keeping).1
}

/// Runs one collector in a task of its own. Once its time is up it asks nothing more and hands over what it has.
async fn one(collector: Collector, scope: &Scope, sink: &Sink) {
    let within = Scope { left: scope.left.for_one(ASKS_FOR), ..scope.clone() };
    let mut task = tokio::spawn(collector.collect(within, sink.named(collector.name())));
    let why = match tokio::time::timeout(ASKS_FOR + ENDS_WITHIN, &mut task).await {
        Ok(Ok(())) => return,
        Ok(Err(_)) => "leanlake failed while reading it; this is a mistake in leanlake",
        Err(_) => "it took longer than a minute",
    };
    task.abort();
    let region = (collector.reach() == Reach::Regional).then_some(scope.region.as_str());
    for read in collector.reads() {
        let gap = Coverage::new(read.table, read.operation, CoverageState::Missing).at(&scope.account_id, region);
        sink.cover(gap.because(why)).await;
    }
}
