//! What AWS's own advisers say: Cost Optimization Hub, Cost Anomaly Detection, Budgets, Cost Explorer's forecast.
//!
//! Each is optional: one that is denied, not switched on or not wanted is a gap of its own table and blinds nothing else.

mod anomalies;
mod budgets;
mod forecast;
mod hub;
mod number;

use std::collections::BTreeSet;

use super::{Read, Scope, Sink};
use crate::model::{Coverage, CoverageState};

/// The calls of this collector.
pub const READS: &[Read] = &[hub::ENROLMENT, hub::ADVICE, anomalies::ANOMALIES, budgets::BUDGETS, forecast::FORECAST];

/// One adviser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Adviser {
    /// Cost Optimization Hub; free.
    Hub,
    /// Cost Anomaly Detection; a cent a page.
    Anomalies,
    /// Budgets; free.
    Budgets,
    /// Cost Explorer's forecast; a cent.
    Forecast,
}

impl Adviser {
    /// All of them.
    pub const ALL: [Adviser; 4] = [Adviser::Hub, Adviser::Anomalies, Adviser::Budgets, Adviser::Forecast];

    /// Returns the name that the command line takes.
    pub const fn name(self) -> &'static str {
        match self {
            Adviser::Hub => "hub",
            Adviser::Anomalies => "anomalies",
            Adviser::Budgets => "budgets",
            Adviser::Forecast => "forecast",
        }
    }

    /// Returns the adviser that `name` means.
    pub fn parse(name: &str) -> Option<Self> {
        Adviser::ALL.into_iter().find(|adviser| adviser.name() == name)
    }

    /// Returns true for those whose answer costs.
    pub const fn is_paid(self) -> bool {
        matches!(self, Adviser::Anomalies | Adviser::Forecast)
    }

    /// Returns the read that it answers.
    pub const fn read(self) -> &'static Read {
        match self {
            Adviser::Hub => &hub::ADVICE,
            Adviser::Anomalies => &anomalies::ANOMALIES,
            Adviser::Budgets => &budgets::BUDGETS,
            Adviser::Forecast => &forecast::FORECAST,
        }
    }
}

/// Asks the advisers that the options name.
pub async fn collect(scope: &Scope, sink: &Sink) {
    let asked: &BTreeSet<Adviser> = &scope.options.advisers;
    for adviser in Adviser::ALL {
        if !asked.contains(&adviser) {
            let read = adviser.read();
            let row = Coverage::new(read.table, read.operation, CoverageState::NotAsked).at(&scope.account_id, None);
            sink.cover(row).await;
            continue;
        }
        match adviser {
            Adviser::Hub => hub::collect(scope, sink).await,
            Adviser::Anomalies => anomalies::collect(scope, sink).await,
            Adviser::Budgets => budgets::collect(scope, sink).await,
            Adviser::Forecast => forecast::collect(scope, sink).await,
        }
    }
}
