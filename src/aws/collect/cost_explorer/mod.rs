//! Cost Explorer: charges, and costs by usage type, account, operation and tag; by day, month by month, newest first.
//!
//! Each page costs money: settled months are not read again, what was paid is kept, and a month counts as seen only when
//! all its pages came.

mod agenda;
mod ahead;
mod answer;
pub mod days;
mod question;
mod spend;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_costexplorer::Client;
use chrono::NaiveDate;

use super::ask::ask;
use super::{Failed, Read, Scope, Sink, Trouble, billing_views};
use crate::aws::rank::Spend;
use crate::model::{Coverage, CoverageState};
use crate::store::tables::bill::{CHARGES, COSTS, COSTS_BY_ACCOUNT, COSTS_BY_OPERATION, TAGS_COST};
use crate::store::{BillPages, Snapshot};
use agenda::Agenda;
use answer::{Answer, Unfit};
use days::Span;
use question::{Net, Question, is_usage};

const OPERATION: &str = "ce:GetCostAndUsage";

/// What this collector calls.
pub const READS: &[Read] = &[
    Read::rows(OPERATION, OPERATION, CHARGES.name),
    Read::rows(OPERATION, OPERATION, COSTS.name),
    Read::rows(OPERATION, OPERATION, COSTS_BY_ACCOUNT.name),
    Read::rows(OPERATION, OPERATION, COSTS_BY_OPERATION.name),
    Read::rows(OPERATION, OPERATION, TAGS_COST.name),
    billing_views::READ,
];

/// Returns how many months a scan would ask about, and how many questions it would ask about them.
pub fn questions_to_ask(scope: &Scope) -> (u64, u64) {
    let agenda = Agenda::of(scope);
    (agenda.months().len() as u64, agenda.len() as u64)
}

/// Returns from how many to how many pages these months had, going by how the bill was paged before.
pub fn pages_to_read(scope: &Scope, before: BillPages) -> Option<(u64, u64)> {
    let agenda = Agenda::of(scope);
    ahead::ahead(before, &agenda.loads(&agenda.months()))
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

/// Returns what the last snapshot says of the bill: the accounts on it, and what the last thirty days cost. Asks AWS
/// nothing.
pub async fn recalled(base: Option<&Snapshot>, today: NaiveDate) -> Bill {
    let mut bill = Bill::default();
    let Some(base) = base else { return bill };
    for (question, table) in [(Question::Costs, &COSTS), (Question::ByAccount, &COSTS_BY_ACCOUNT)] {
        // What cannot be read there is a gap of that snapshot.
        let rows = base.rows(table).await.unwrap_or_default();
        spend::add(&mut bill.spend, &question, &rows, today);
        bill.accounts
            .extend(rows.iter().filter_map(|row| Some((row.text("linked_account_id")?.raw().to_owned(), None))));
    }
    bill
}

/// Reads the bill of the scope's account, and of the accounts below it.
pub async fn collect(scope: &Scope, sink: &Sink) -> Bill {
    let mut reader = Reader::new(scope, sink);
    let (months, steps) = (reader.agenda.months(), reader.agenda.len() as u64);
    let (mut done, mut told) = (0, false);
    for (at, &month) in months.iter().enumerate() {
        for question in reader.agenda.of_month(month) {
            reader.read(question, month).await;
            if reader.stopped.is_some() {
                break;
            }
            done += 1;
            sink.progress(done, Some(steps));
        }
        reader.keep_tags(month).await;
        if reader.stopped.is_some() {
            break;
        }
        let left = months.get(at + 1..).filter(|left| !left.is_empty() && !told);
        let left = left.map(|left| reader.agenda.loads(left));
        if let Some(requests) = left.and_then(|left| ahead::ahead(reader.paged, &left)) {
            told = true;
            sink.ahead(OPERATION, requests).await;
        }
    }
    let bill = reader.finish().await;
    // After the bill: an answer about who we are must not make a snapshot of a scan that read nothing.
    billing_views::collect(scope, sink).await;
    bill
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
    agenda: Agenda,
    /// Answers by tag of the month that is being read.
    tagged: Vec<(Question, Answer)>,
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
            agenda: Agenda::of(scope),
            tagged: Vec::new(),
            done: BTreeSet::new(),
            failed: BTreeMap::new(),
            paid: BTreeSet::new(),
            given_up: BTreeMap::new(),
            stopped: None,
        }
    }

    async fn read(&mut self, question: Question, month: Span) {
        if let Some(failed) = self.given_up.get(&question) {
            self.failed.insert((question, month), failed.clone());
            return;
        }
        if question != Question::Charges && self.usage.get(&month).is_none_or(BTreeSet::is_empty) {
            return self.without_usage(question, month).await;
        }
        match self.ask(&question, month).await {
            Ok(answer) if question.tag().is_some() => self.tagged.push((question, answer)),
            Ok(answer) => self.take(question, month, answer).await,
            Err(Cut { failed, paid }) => {
                self.keep(&question, month, paid).await;
                self.fail(question, month, failed);
            }
        }
    }

    /// What a tag alone is refused for says nothing of the other questions: Cost Explorer does not know the tag.
    fn fail(&mut self, question: Question, month: Span, failed: Failed) {
        let of_tag = question.tag().is_some() && before_the_first_bill(&failed);
        if of_tag || failed.code.as_deref() == Some(NEVER_FITS) {
            self.given_up.insert(question.clone(), failed.clone());
        } else if ends_the_past(&failed) {
            self.stopped = Some(failed.clone());
        }
        self.failed.insert((question, month), failed);
    }

    /// Takes the answers by tag of a month. A month is replaced for all tags at once: where one was not asked or failed,
    /// its rows stay, and beside them the newer rows of the others count.
    async fn keep_tags(&mut self, month: Span) {
        let answers = std::mem::take(&mut self.tagged);
        let whole = answers.len() == self.scope.options.cost_tags.len();
        if whole && !answers.is_empty() {
            self.sink.replace(&TAGS_COST, &self.scope.account_id, month.from, month.to).await;
        }
        for (question, answer) in answers {
            self.add(question, month, answer).await;
        }
    }

    /// Without one usage record there is nothing to ask: no rows where the charges were seen, a gap where they were not.
    async fn without_usage(&mut self, question: Question, month: Span) {
        if self.done.contains(&(Question::Charges, month)) {
            if question.tag().is_some() {
                return self.tagged.push((question, Answer::default()));
            }
            return self.take(question, month, Answer::default()).await;
        }
        let reason = "its record types are not known: `charges` could not be read".to_owned();
        self.failed.insert((question, month), Failed { trouble: Trouble::Broken, code: None, reason });
    }

    /// Asks with net cost, and once more without it where the first request of a scan is refused; refusals are free.
    async fn ask(&mut self, question: &Question, month: Span) -> Result<Answer, Cut> {
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

    async fn pages(&self, question: &Question, month: Span) -> Result<Answer, Cut> {
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
    async fn keep(&mut self, question: &Question, month: Span, paid: Answer) {
        if paid.rows.is_empty() {
            return;
        }
        self.paid.insert((question.clone(), month));
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
        self.sink.replace(question.table(), &self.scope.account_id, month.from, month.to).await;
        self.add(question, month, answer).await;
    }

    async fn add(&mut self, question: Question, month: Span, answer: Answer) {
        spend::add(&mut self.spend, &question, &answer.rows, self.scope.as_of.date_naive());
        self.learn(&answer);
        if question == Question::Charges {
            let usage = answer.record_types.into_iter().filter(|record_type| is_usage(record_type)).collect();
            self.usage.insert(month, usage);
        }
        if answer.pages > 0 {
            self.paged.pages += answer.pages;
            self.paged.days += month.days().count() as u64;
        }
        self.sink.rows(question.table(), answer.rows).await;
        self.done.insert((question, month));
    }

    /// Forgets what is known of part of the last thirty days only: nothing is left out because its days did not come.
    fn forget_partial_spend(&mut self) {
        let first = spend::first_day(self.scope.as_of.date_naive());
        let lacks = |question: Question| {
            let months = self.agenda.months();
            let mut recent = months.into_iter().filter(|month| month.to >= first);
            recent.any(|month| !self.done.contains(&(question.clone(), month)))
        };
        let (regions, accounts) = (lacks(Question::Costs), lacks(Question::ByAccount));
        if regions {
            self.spend.regions.clear();
            self.spend.apart.clear();
        }
        if accounts {
            self.spend.accounts.clear();
        }
    }

    async fn finish(mut self) -> Bill {
        self.forget_partial_spend();
        for question in self.agenda.questions() {
            self.cover(question).await;
        }
        if self.scope.options.cost_tags.is_empty() {
            let none = Coverage::new(TAGS_COST.name, OPERATION, CoverageState::NotAsked);
            let none = none.at(&self.scope.account_id, None);
            self.sink.cover(none.because("no `cost_tags` are configured")).await;
        }
        if let Some(reason) = &self.hidden {
            let gap = Coverage::new(COSTS.name, OPERATION, CoverageState::Partial).at(&self.scope.account_id, None);
            self.sink.cover(gap.because(format!("net cost is hidden from this caller: {reason}"))).await;
        }
        Bill { regions: self.regions, pages: self.paged, accounts: self.accounts, spend: self.spend }
    }

    /// Says which days were read and, for each reason, which of those asked for were not. What an earlier scan covered
    /// comes over with its rows, unless it was read again.
    async fn cover(&self, question: &Question) {
        let told = |coverage: Coverage, span: Span| {
            let coverage = coverage.at(&self.scope.account_id, None).days(span.from, span.to);
            match question.tag() {
                Some(tag) => coverage.of(tag),
                None => coverage,
            }
        };
        let table = question.table().name;
        for ((_, kept), (failed, days)) in self.gaps(question) {
            for span in days::spans(&days) {
                let mut gap = told(failed.gap(&Read::rows(OPERATION, OPERATION, table)), span);
                if kept && gap.state == CoverageState::Missing {
                    gap.state = CoverageState::Partial;
                }
                self.sink.cover(gap).await;
            }
        }
        let read = self.done.iter().filter(|(of, _)| of == question).flat_map(|(_, month)| month.days()).collect();
        for span in days::spans(&read) {
            self.sink.cover(told(Coverage::new(table, OPERATION, CoverageState::Seen), span)).await;
        }
    }

    /// Returns the days asked for and not read, by reason and by whether some rows of them are kept. A month after the
    /// scan stopped has the reason that stopped it.
    fn gaps(&self, question: &Question) -> BTreeMap<(String, bool), (Failed, BTreeSet<NaiveDate>)> {
        let mut gaps = BTreeMap::new();
        for month in self.agenda.months_of(question) {
            let of = (question.clone(), month);
            let failed = if self.done.contains(&of) { None } else { self.failed.get(&of).or(self.stopped.as_ref()) };
            let Some(failed) = failed else { continue };
            let kept = self.agenda.knew_any(question, month.days()) || self.paid.contains(&of);
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

/// Returns true when no older month can be read either: denied, expired, over budget, or before the first bill.
fn ends_the_past(failed: &Failed) -> bool {
    failed.ends_the_scan() || failed.trouble == Trouble::Denied || before_the_first_bill(failed)
}

fn before_the_first_bill(failed: &Failed) -> bool {
    let codes = ["BillExpirationException", "ValidationException", "DataUnavailableException"];
    failed.code.as_deref().is_some_and(|code| codes.contains(&code))
}

/// Our own code for answers that no other month would better. Each of them is paid for.
const NEVER_FITS: &str = "leanlake:never-fits";

fn unusable(unfit: &Unfit) -> Failed {
    let systematic = matches!(unfit, Unfit::Grouping { .. } | Unfit::Currency(_) | Unfit::Tag { .. });
    let code = systematic.then(|| NEVER_FITS.to_owned());
    Failed { trouble: Trouble::Broken, code, reason: unfit.to_string() }
}

#[cfg(test)]
mod tests;
