//! Cost Explorer: charges, costs by usage type, costs by account; by day, month by month, newest first.
//!
//! Each page costs money: settled months are not read again, what was paid is kept, and a month counts as seen only when
//! all its pages came.

mod ahead;
mod answer;
pub mod days;
mod question;
mod spend;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_costexplorer::Client;
use chrono::NaiveDate;

use super::ask::ask;
use super::{Failed, Read, Scope, Sink, Trouble};
use crate::aws::rank::Spend;
use crate::model::{Coverage, CoverageState};
use crate::store::BillPages;
use crate::store::tables::bill::{CHARGES, COSTS, COSTS_BY_ACCOUNT};
use answer::{Answer, Unfit};
use days::Span;
use question::{Net, QUESTIONS, Question, is_usage};

const OPERATION: &str = "ce:GetCostAndUsage";

/// What this collector calls.
pub const READS: &[Read] = &[
    Read::rows(OPERATION, OPERATION, CHARGES.name),
    Read::rows(OPERATION, OPERATION, COSTS.name),
    Read::rows(OPERATION, OPERATION, COSTS_BY_ACCOUNT.name),
];

/// Requests for a month whose answers have one page each.
pub const QUESTIONS_A_MONTH: u64 = QUESTIONS.len() as u64;

/// Returns how many months a scan would ask about.
pub fn months_to_read(scope: &Scope) -> usize {
    unsettled(scope).len()
}

/// Returns from how many to how many pages these months had, going by how the bill was paged before.
pub fn pages_to_read(scope: &Scope, before: BillPages) -> Option<(u64, u64)> {
    ahead::ahead(before, &unsettled(scope))
}

/// What the bill says about where to look further.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// Regions with cost.
    pub regions: BTreeSet<String>,
    /// How it was paged.
    pub pages: BillPages,
    /// Accounts with cost, with their names where the bill tells them.
    pub accounts: BTreeMap<String, Option<String>>,
    /// What the last thirty days that were read cost.
    pub spend: Spend,
}

/// Reads the bill of the scope's account, and of the accounts below it.
pub async fn collect(scope: &Scope, sink: &Sink) -> Bill {
    let mut reader = Reader::new(scope, sink);
    let months = reader.months();
    let steps = (months.len() * QUESTIONS.len()) as u64;
    let (mut done, mut told) = (0, false);
    'months: for (at, &month) in months.iter().enumerate() {
        for question in QUESTIONS {
            reader.read(question, month).await;
            if reader.stopped.is_some() {
                break 'months;
            }
            done += 1;
            sink.progress(done, Some(steps));
        }
        let left = months.get(at + 1..).filter(|left| !left.is_empty() && !told);
        if let Some(requests) = left.and_then(|left| ahead::ahead(reader.paged, left)) {
            told = true;
            sink.ahead(OPERATION, requests).await;
        }
    }
    reader.finish().await
}

struct Reader<'a> {
    scope: &'a Scope,
    sink: &'a Sink,
    client: Client,
    net: Net,
    hidden: Option<String>,
    /// Record types that are usage, by month: a month's own charges say which there are.
    usage: BTreeMap<Span, BTreeSet<String>>,
    regions: BTreeSet<String>,
    accounts: BTreeMap<String, Option<String>>,
    paged: BillPages,
    spend: Spend,
    asked: Vec<Span>,
    /// Days that an earlier scan saw.
    earlier: BTreeMap<Question, BTreeSet<NaiveDate>>,
    done: BTreeSet<(Question, Span)>,
    failed: BTreeMap<(Question, Span), Failed>,
    /// Of which some pages came.
    paid: BTreeSet<(Question, Span)>,
    /// Questions that no month would answer better, and why.
    given_up: BTreeMap<Question, Failed>,
    /// Why older months are not worth a request.
    stopped: Option<Failed>,
}

impl<'a> Reader<'a> {
    fn new(scope: &'a Scope, sink: &'a Sink) -> Self {
        Reader {
            scope,
            sink,
            client: scope.cost_explorer(),
            net: Net::Untried,
            hidden: None,
            usage: BTreeMap::new(),
            regions: BTreeSet::new(),
            accounts: BTreeMap::from([(scope.account_id.clone(), None)]),
            paged: BillPages::default(),
            spend: Spend::default(),
            asked: Vec::new(),
            earlier: QUESTIONS.into_iter().map(|question| (question, seen(scope, question))).collect(),
            done: BTreeSet::new(),
            failed: BTreeMap::new(),
            paid: BTreeSet::new(),
            given_up: BTreeMap::new(),
            stopped: None,
        }
    }

    /// Returns the months to read: those that some question has not settled.
    fn months(&mut self) -> Vec<Span> {
        self.asked = unsettled(self.scope);
        self.asked.clone()
    }

    async fn read(&mut self, question: Question, month: Span) {
        if let Some(failed) = self.given_up.get(&question) {
            self.failed.insert((question, month), failed.clone());
            return;
        }
        if question != Question::Charges && self.usage.get(&month).is_none_or(BTreeSet::is_empty) {
            return self.without_usage(question, month).await;
        }
        match self.ask(question, month).await {
            Ok(answer) => self.take(question, month, answer).await,
            Err(Cut { failed, paid }) => {
                self.keep(question, month, paid).await;
                self.stopped = ends_the_past(&failed).then(|| failed.clone());
                if failed.code.as_deref() == Some(NEVER_FITS) {
                    self.given_up.insert(question, failed.clone());
                }
                self.failed.insert((question, month), failed);
            }
        }
    }

    /// Without one usage record there is nothing to ask: no rows where the charges were seen, a gap where they were not.
    async fn without_usage(&mut self, question: Question, month: Span) {
        if self.done.contains(&(Question::Charges, month)) {
            return self.take(question, month, Answer::default()).await;
        }
        let reason = "its record types are not known: `charges` could not be read".to_owned();
        self.failed.insert((question, month), Failed { trouble: Trouble::Broken, code: None, reason });
    }

    /// Asks with net cost, and once more without it where the first request of a scan is refused; refusals are free.
    async fn ask(&mut self, question: Question, month: Span) -> Result<Answer, Cut> {
        let first = self.pages(question, month).await;
        match (&first, self.net) {
            (Ok(_), Net::Untried) => self.net = Net::Visible,
            (Err(Cut { failed, .. }), Net::Untried) if matches!(failed.trouble, Trouble::Denied | Trouble::Refused) => {
                self.net = Net::Hidden;
                let second = self.pages(question, month).await;
                match &second {
                    Ok(_) => self.hidden = Some(failed.reason.clone()),
                    Err(_) => self.net = Net::Untried,
                }
                return second;
            }
            _ => {}
        }
        first
    }

    async fn pages(&self, question: Question, month: Span) -> Result<Answer, Cut> {
        let mut answer = Answer::default();
        let mut token = None;
        let none = BTreeSet::new();
        let usage = self.usage.get(&month).unwrap_or(&none);
        loop {
            let request = question.request(self.client.get_cost_and_usage(), month, self.net, usage);
            let page = match ask(self.scope, request.set_next_page_token(token).send()).await {
                Ok(page) => page,
                Err(failed) => return Err(Cut { failed, paid: answer }),
            };
            // Pages that contradict each other are not worth keeping.
            let unfit = |unfit| Cut { failed: unusable(&unfit), paid: Answer::default() };
            token = answer.add(question, month, &self.scope.account_id, &page).map_err(unfit)?;
            if token.is_none() {
                return Ok(answer);
            }
        }
    }

    /// Keeps the pages that were paid for before the rest failed. What an earlier scan holds of the month stays beside
    /// them; where both name the same thing, the newer row counts.
    async fn keep(&mut self, question: Question, month: Span, paid: Answer) {
        if paid.rows.is_empty() {
            return;
        }
        self.paid.insert((question, month));
        self.learn(&paid);
        self.sink.rows(question.table(), paid.rows).await;
    }

    fn learn(&mut self, answer: &Answer) {
        self.regions.extend(answer.regions.iter().cloned());
        for (account, name) in &answer.accounts {
            let known = self.accounts.entry(account.clone()).or_default();
            *known = known.take().or_else(|| name.clone());
        }
    }

    async fn take(&mut self, question: Question, month: Span, answer: Answer) {
        spend::add(&mut self.spend, question, &answer.rows, self.scope.as_of.date_naive());
        self.learn(&answer);
        if question == Question::Charges {
            let usage = answer.record_types.into_iter().filter(|record_type| is_usage(record_type)).collect();
            self.usage.insert(month, usage);
        }
        if answer.pages > 0 {
            self.paged.pages += answer.pages;
            self.paged.days += month.days().count() as u64;
        }
        self.done.insert((question, month));
        self.sink.replace(question.table(), &self.scope.account_id, month.from, month.to).await;
        self.sink.rows(question.table(), answer.rows).await;
    }

    async fn finish(self) -> Bill {
        for question in QUESTIONS {
            self.cover(question).await;
        }
        if let Some(reason) = &self.hidden {
            let gap = Coverage::new(COSTS.name, OPERATION, CoverageState::Partial).at(&self.scope.account_id, None);
            self.sink.cover(gap.because(format!("net cost is hidden from this caller: {reason}"))).await;
        }
        Bill { regions: self.regions, pages: self.paged, accounts: self.accounts, spend: self.spend }
    }

    /// Says which days were read and, for each reason, which of those asked for were not. What an earlier scan covered
    /// comes over with its rows, unless it was read again.
    async fn cover(&self, question: Question) {
        let table = question.table().name;
        for ((_, kept), (failed, days)) in self.gaps(question) {
            for span in days::spans(&days) {
                let gap = failed.gap(&Read::rows(OPERATION, OPERATION, table));
                let mut gap = gap.at(&self.scope.account_id, None).days(span.from, span.to);
                if kept && gap.state == CoverageState::Missing {
                    gap.state = CoverageState::Partial;
                }
                self.sink.cover(gap).await;
            }
        }
        let read = self.done.iter().filter(|(of, _)| *of == question).flat_map(|(_, month)| month.days()).collect();
        for span in days::spans(&read) {
            let seen = Coverage::new(table, OPERATION, CoverageState::Seen).at(&self.scope.account_id, None);
            self.sink.cover(seen.days(span.from, span.to)).await;
        }
    }

    /// Returns the days asked for and not read, by reason and by whether some rows of them are kept. A month after the
    /// scan stopped has the reason that stopped it.
    fn gaps(&self, question: Question) -> BTreeMap<(String, bool), (Failed, BTreeSet<NaiveDate>)> {
        let known = self.earlier.get(&question);
        let mut gaps = BTreeMap::new();
        for &month in self.asked.iter().filter(|&&month| !self.done.contains(&(question, month))) {
            let Some(failed) = self.failed.get(&(question, month)).or(self.stopped.as_ref()) else { continue };
            let older = known.is_some_and(|known| month.days().any(|day| known.contains(&day)));
            let kept = older || self.paid.contains(&(question, month));
            let gap = gaps.entry((failed.reason.clone(), kept)).or_insert_with(|| (failed.clone(), BTreeSet::new()));
            gap.1.extend(month.days());
        }
        gaps
    }
}

/// Why a month was not read to its end, and the pages that came before.
struct Cut {
    failed: Failed,
    paid: Answer,
}

/// Returns the months that some question has not settled, newest first.
fn unsettled(scope: &Scope) -> Vec<Span> {
    let all = days::months(scope.as_of.date_naive());
    let mut wanted = BTreeSet::new();
    for question in QUESTIONS {
        wanted.extend(days::unsettled(&all, &days::spans(&seen(scope, question))));
        let failed = failed_before(scope, question);
        wanted.extend(all.iter().filter(|month| failed.iter().any(|gap| gap.touches(**month))));
    }
    wanted.into_iter().rev().collect()
}

/// Returns the days of `question` that the last scan that asked for them could not read. What is held of them was
/// provisional: that a newer month was read does not settle it.
fn failed_before(scope: &Scope, question: Question) -> Vec<Span> {
    let gaps = scope.earlier.iter().filter(|c| c.is_gap() && c.table == question.table().name && c.read == OPERATION);
    let own = gaps.filter(|c| c.account_id.as_deref().is_none_or(|account| account == scope.account_id));
    own.filter_map(span_of).collect()
}

/// Returns the days of `question` that an earlier scan saw.
fn seen(scope: &Scope, question: Question) -> BTreeSet<NaiveDate> {
    scope.seen_before(question.table().name, OPERATION).filter_map(span_of).flat_map(Span::days).collect()
}

fn span_of(coverage: &Coverage) -> Option<Span> {
    let (from, to) = coverage.from.zip(coverage.to)?;
    Some(Span { from, to })
}

/// Returns true when no older month can be read either: denied, expired, over budget, or before the first bill.
fn ends_the_past(failed: &Failed) -> bool {
    let before_the_first_bill = ["BillExpirationException", "ValidationException", "DataUnavailableException"];
    failed.ends_the_scan()
        || failed.trouble == Trouble::Denied
        || failed.code.as_deref().is_some_and(|code| before_the_first_bill.contains(&code))
}

/// Our own code for answers that no other month would better. Each of them is paid for.
const NEVER_FITS: &str = "leanlake:never-fits";

fn unusable(unfit: &Unfit) -> Failed {
    let systematic = matches!(unfit, Unfit::Grouping { .. } | Unfit::Currency(_));
    let code = systematic.then(|| NEVER_FITS.to_owned());
    Failed { trouble: Trouble::Broken, code, reason: unfit.to_string() }
}

#[cfg(test)]
mod tests;
