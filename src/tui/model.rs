//! Everything that the screens show: an assessment, and where the reader is in it.

use std::collections::BTreeSet;
use std::sync::Arc;

use tui_input::{Input, InputRequest};

use super::filter;
use crate::model::{Finding, FindingId, Money};
use crate::portfolio::Assessment;

/// A screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// What was spent, and what is found, at a glance.
    Overview,
    /// The findings as a table.
    Findings,
    /// One finding with its evidence and arithmetic.
    Detail,
}

/// By what the findings are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// As the portfolio ranks them.
    Rank,
    /// Largest saving a month first; those without a number last.
    Saving,
    /// By resource.
    Resource,
    /// By policy.
    Policy,
}

impl Sort {
    /// Returns the word for the table's title.
    pub const fn as_str(self) -> &'static str {
        match self {
            Sort::Rank => "rank",
            Sort::Saving => "saving",
            Sort::Resource => "resource",
            Sort::Policy => "policy",
        }
    }

    /// Returns the next one in the round.
    #[must_use]
    pub const fn next(self) -> Sort {
        match self {
            Sort::Rank => Sort::Saving,
            Sort::Saving => Sort::Resource,
            Sort::Resource => Sort::Policy,
            Sort::Policy => Sort::Rank,
        }
    }
}

/// What a key, or an answer from outside, means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Show a screen.
    Show(Screen),
    /// Show the next screen.
    NextScreen,
    /// Move by so many lines.
    Move(isize),
    /// Move by so many screenfuls.
    Page(isize),
    /// Move to the first line.
    First,
    /// Move to the last line.
    Last,
    /// Open the finding under the cursor.
    Open,
    /// Go back: close what is open, clear the filter, return to the overview.
    Back,
    /// Begin to type a filter.
    Filter,
    /// Change the filter.
    Type(InputRequest),
    /// Keep the filter and return to the table.
    KeepFilter,
    /// Sort by the next column.
    NextSort,
    /// Put the finding into the basket, or take it out.
    ToggleBasket,
    /// Empty the basket.
    ClearBasket,
    /// Write the basket as a plan file.
    WritePlan,
    /// The plan file was written, or why not.
    PlanWritten(Result<String, String>),
    /// Show the keys, or hide them.
    Help,
    /// Leave.
    Quit,
}

/// The state of the dashboard.
pub struct Model {
    /// What is shown.
    pub assessment: Arc<Assessment>,
    /// Where.
    pub screen: Screen,
    /// The filter of the findings.
    pub filter: Input,
    /// True while the filter is being typed.
    pub filtering: bool,
    /// The order of the findings.
    pub sort: Sort,
    /// The findings that pass the filter, in order, as places in the assessment.
    pub shown: Vec<usize>,
    /// The line under the cursor, in `shown`.
    pub cursor: usize,
    /// Lines that the detail is scrolled by.
    pub scroll: u16,
    /// Findings chosen for a plan.
    pub basket: BTreeSet<FindingId>,
    /// The last answer from outside.
    pub notice: Option<String>,
    /// True while the keys are shown.
    pub help: bool,
    /// False where colour must not be used.
    pub color: bool,
}

impl Model {
    /// Returns the dashboard at its start.
    pub fn new(assessment: Arc<Assessment>, color: bool) -> Self {
        let mut model = Model {
            assessment,
            screen: Screen::Overview,
            filter: Input::default(),
            filtering: false,
            sort: Sort::Rank,
            shown: Vec::new(),
            cursor: 0,
            scroll: 0,
            basket: BTreeSet::new(),
            notice: None,
            help: false,
            color,
        };
        model.arrange();
        model
    }

    /// Returns the finding under the cursor.
    pub fn selected(&self) -> Option<&Finding> {
        self.shown.get(self.cursor).map(|at| &self.assessment.findings[*at])
    }

    /// Filters and sorts again, and keeps the cursor on the same finding where it is still shown.
    pub(super) fn arrange(&mut self) {
        let was = self.selected().map(|finding| finding.id.clone());
        let findings = &self.assessment.findings;
        let wanted = filter::Filter::parse(self.filter.value());
        self.shown = (0..findings.len()).filter(|at| wanted.keeps(&findings[*at])).collect();
        match self.sort {
            Sort::Rank => {}
            Sort::Saving => self.shown.sort_by_key(|at| std::cmp::Reverse(saving(&findings[*at]))),
            Sort::Resource => self.shown.sort_by(|a, b| findings[*a].resource.cmp(&findings[*b].resource)),
            Sort::Policy => self.shown.sort_by(|a, b| findings[*a].policy.cmp(&findings[*b].policy)),
        }
        let again = self.shown.iter().position(|at| Some(&findings[*at].id) == was.as_ref());
        self.cursor = again.unwrap_or(0);
    }
}

/// Known savings before unknown ones, by their low end, then by what is expected.
fn saving(finding: &Finding) -> Option<(Money, Money)> {
    finding.saving.known().map(|range| (range.low, range.expected))
}
