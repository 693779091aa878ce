//! Cost Explorer: charges, costs by usage type, costs by account; by day, month by month, newest first.
//!
//! Each page costs money: settled months are not read again, and a month counts only when all its pages came.

mod answer;
pub mod days;
mod question;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_costexplorer::Client;
use chrono::NaiveDate;

use super::ask::ask;
use super::{Failed, Read, Scope, Sink, Trouble};
use crate::model::{Coverage, CoverageState, Row};
use crate::store::tables::bill::{CHARGES, COSTS, COSTS_BY_ACCOUNT};
use crate::store::tables::scan::ACCOUNTS;
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
    unsettled(scope, QUESTIONS.map(|question| seen(scope, question)).iter()).len()
}

/// What the bill says about where to look further.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// Regions with cost.
    pub regions: BTreeSet<String>,
}

/// Reads the bill of the scope's account, and of the accounts below it.
pub async fn collect(scope: &Scope, sink: &Sink) -> Bill {
    let mut reader = Reader::new(scope, sink);
    let months = reader.months();
    let steps = (months.len() * QUESTIONS.len()) as u64;
    let mut done = 0;
    'months: for month in months {
        for question in QUESTIONS {
            reader.read(question, month).await;
            if reader.stopped.is_some() {
                break 'months;
            }
            done += 1;
            sink.progress(done, Some(steps));
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
    usage: BTreeSet<String>,
    regions: BTreeSet<String>,
    accounts: BTreeMap<String, Option<String>>,
    asked: Vec<Span>,
    /// Days that an earlier scan saw.
    earlier: BTreeMap<Question, BTreeSet<NaiveDate>>,
    done: BTreeSet<(Question, Span)>,
    failed: BTreeMap<(Question, Span), Failed>,
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
            usage: BTreeSet::new(),
            regions: BTreeSet::new(),
            accounts: BTreeMap::from([(scope.account_id.clone(), None)]),
            asked: Vec::new(),
            earlier: QUESTIONS.into_iter().map(|question| (question, seen(scope, question))).collect(),
            done: BTreeSet::new(),
            failed: BTreeMap::new(),
            given_up: BTreeMap::new(),
            stopped: None,
        }
    }

    /// Returns the months to read: those that some question has not settled.
    fn months(&mut self) -> Vec<Span> {
        self.asked = unsettled(self.scope, self.earlier.values());
        self.asked.clone()
    }

    async fn read(&mut self, question: Question, month: Span) {
        if let Some(failed) = self.given_up.get(&question) {
            self.failed.insert((question, month), failed.clone());
            return;
        }
        if question != Question::Charges && self.usage.is_empty() {
            return self.without_usage(question, month).await;
        }
        match self.ask(question, month).await {
            Ok(answer) => self.take(question, month, answer).await,
            Err(failed) => {
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
    async fn ask(&mut self, question: Question, month: Span) -> Result<Answer, Failed> {
        let first = self.pages(question, month).await;
        match (&first, self.net) {
            (Ok(_), Net::Untried) => self.net = Net::Visible,
            (Err(refused), Net::Untried) if matches!(refused.trouble, Trouble::Denied | Trouble::Refused) => {
                self.net = Net::Hidden;
                let second = self.pages(question, month).await;
                match &second {
                    Ok(_) => self.hidden = Some(refused.reason.clone()),
                    Err(_) => self.net = Net::Untried,
                }
                return second;
            }
            _ => {}
        }
        first
    }

    async fn pages(&self, question: Question, month: Span) -> Result<Answer, Failed> {
        let mut answer = Answer::default();
        let mut token = None;
        loop {
            let request = question.request(self.client.get_cost_and_usage(), month, self.net, &self.usage);
            let page = request.set_next_page_token(token).send();
            let page = ask(self.scope, page).await?;
            token = answer.add(question, month, &self.scope.account_id, &page).map_err(|unfit| unusable(&unfit))?;
            if token.is_none() {
                return Ok(answer);
            }
        }
    }

    async fn take(&mut self, question: Question, month: Span, answer: Answer) {
        self.usage.extend(answer.record_types.into_iter().filter(|record_type| is_usage(record_type)));
        self.regions.extend(answer.regions);
        for (account, name) in answer.accounts {
            let known = self.accounts.entry(account).or_default();
            *known = known.take().or(name);
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
        let accounts = self.accounts.into_iter().map(|(account, name)| {
            let scanned = account == self.scope.account_id;
            Row::new().with("account_id", account).with("name", name).with("scanned", scanned)
        });
        self.sink.rows(&ACCOUNTS, accounts.collect()).await;
        Bill { regions: self.regions }
    }

    /// Says which days were read and, for each reason, which of those asked for were not. What an earlier scan covered
    /// comes over with its rows, unless it was read again.
    async fn cover(&self, question: Question) {
        let table = question.table().name;
        let known = self.earlier.get(&question);
        for (failed, days) in self.gaps(question) {
            let older = known.is_some_and(|known| days.iter().any(|day| known.contains(day)));
            for span in days::spans(&days) {
                let gap = failed.gap(&Read::rows(OPERATION, OPERATION, table));
                let mut gap = gap.at(&self.scope.account_id, None).days(span.from, span.to);
                if older && gap.state == CoverageState::Missing {
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

    /// Returns the days asked for and not read, by reason. A month after the scan stopped has the reason that stopped it.
    fn gaps(&self, question: Question) -> Vec<(Failed, BTreeSet<NaiveDate>)> {
        let mut gaps: BTreeMap<String, (Failed, BTreeSet<NaiveDate>)> = BTreeMap::new();
        for &month in self.asked.iter().filter(|&&month| !self.done.contains(&(question, month))) {
            let Some(failed) = self.failed.get(&(question, month)).or(self.stopped.as_ref()) else { continue };
            let gap = gaps.entry(failed.reason.clone()).or_insert_with(|| (failed.clone(), BTreeSet::new()));
            gap.1.extend(month.days());
        }
        gaps.into_values().collect()
    }
}

/// Returns the months that some question has not settled, newest first.
fn unsettled<'d>(scope: &Scope, earlier: impl Iterator<Item = &'d BTreeSet<NaiveDate>>) -> Vec<Span> {
    let all = days::months(scope.as_of.date_naive());
    let wanted: BTreeSet<Span> = earlier.flat_map(|days| days::unsettled(&all, &days::spans(days))).collect();
    wanted.into_iter().rev().collect()
}

/// Returns the days of `question` that an earlier scan saw.
fn seen(scope: &Scope, question: Question) -> BTreeSet<NaiveDate> {
    let spans = scope.seen_before(question.table().name, OPERATION).filter_map(|coverage| {
        let (from, to) = coverage.from.zip(coverage.to)?;
        Some(Span { from, to })
    });
    spans.flat_map(Span::days).collect()
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
