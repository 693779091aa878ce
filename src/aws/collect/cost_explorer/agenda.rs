//! Which questions are asked about which months: those that an earlier scan has not settled. Asks nothing itself.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::OPERATION;
use super::days::{self, Span};
use super::question::Question;
use crate::aws::collect::Scope;
use crate::model::{Coverage, Untrusted};

/// What one scan asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agenda {
    /// In the order in which they are asked.
    questions: Vec<Question>,
    /// Days that an earlier scan saw.
    earlier: BTreeMap<Question, BTreeSet<NaiveDate>>,
    months: BTreeMap<Question, BTreeSet<Span>>,
}

impl Agenda {
    /// Returns what a scan of `scope` asks. A month that is asked anything is asked for its charges, whose record types
    /// filter the rest.
    pub fn of(scope: &Scope) -> Self {
        let questions = Question::all(&scope.options.cost_tags);
        let all = days::months(scope.as_of.date_naive());
        let seen = |question: &Question| (question.clone(), seen(scope, question));
        let earlier: BTreeMap<Question, BTreeSet<NaiveDate>> = questions.iter().map(seen).collect();
        let open = |(question, days): (&Question, &BTreeSet<NaiveDate>)| {
            let mut open: BTreeSet<Span> = days::unsettled(&all, &days::spans(days)).into_iter().collect();
            let failed = failed_before(scope, question, days);
            open.extend(all.iter().filter(|month| failed.iter().any(|gap| gap.touches(**month))));
            (question.clone(), open)
        };
        let mut months: BTreeMap<Question, BTreeSet<Span>> = earlier.iter().map(open).collect();
        let any = months.values().flatten().copied().collect();
        months.insert(Question::Charges, any);
        Agenda { questions, earlier, months }
    }

    /// Returns the questions in the order in which they are asked.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// Returns the months that are asked about, newest first.
    pub fn months(&self) -> Vec<Span> {
        let all: BTreeSet<Span> = self.months.values().flatten().copied().collect();
        all.into_iter().rev().collect()
    }

    /// Returns the questions about a month, in order.
    pub fn of_month(&self, month: Span) -> Vec<Question> {
        self.questions.iter().filter(|question| self.months[*question].contains(&month)).cloned().collect()
    }

    /// Returns `months`, each with how many questions are asked about it.
    pub fn loads(&self, months: &[Span]) -> Vec<(Span, u64)> {
        months.iter().map(|&month| (month, self.of_month(month).len() as u64)).collect()
    }

    /// Returns the months that `question` is asked about.
    pub fn months_of(&self, question: &Question) -> impl Iterator<Item = Span> {
        self.months.get(question).into_iter().flatten().copied()
    }

    /// Returns true when an earlier scan saw one of `days`.
    pub fn knew_any(&self, question: &Question, mut days: impl Iterator<Item = NaiveDate>) -> bool {
        self.earlier.get(question).is_some_and(|known| days.any(|day| known.contains(&day)))
    }

    /// Returns how many questions are asked, each about one month.
    pub fn len(&self) -> usize {
        self.months.values().map(BTreeSet::len).sum()
    }
}

/// Returns the days of `question` that an earlier scan saw.
fn seen(scope: &Scope, question: &Question) -> BTreeSet<NaiveDate> {
    let seen = scope.seen_before(question.table().name, OPERATION).filter(|seen| is_about(seen, question));
    seen.filter_map(span_of).flat_map(Span::days).collect()
}

/// Returns the days of `question` that the last scan that asked for them could not read. What is held of them was
/// provisional: that a newer month was read does not settle it. The gap of a tag outlives a scan that read the tag alone,
/// since it replaced nothing: there the days that were `seen` count.
fn failed_before(scope: &Scope, question: &Question, seen: &BTreeSet<NaiveDate>) -> Vec<Span> {
    let gaps = scope.earlier.iter().filter(|c| c.is_gap() && c.table == question.table().name && c.read == OPERATION);
    let own = gaps.filter(|c| c.account_id.as_deref().is_none_or(|account| account == scope.account_id));
    let spans = own.filter(|gap| is_about(gap, question)).filter_map(span_of);
    spans.filter(|gap| question.tag().is_none() || gap.days().any(|day| !seen.contains(&day))).collect()
}

fn is_about(coverage: &Coverage, question: &Question) -> bool {
    coverage.resource.as_ref().map(Untrusted::raw) == question.tag()
}

fn span_of(coverage: &Coverage) -> Option<Span> {
    let (from, to) = coverage.from.zip(coverage.to)?;
    Some(Span { from, to })
}
