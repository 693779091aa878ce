//! A policy's own tests: rows in, findings out; and each finding again with each read denied in turn.
//!
//! Runs the same evaluation as a scan does, over tables that the test fills. No file, no network.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Duration, Months, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::evaluate;
use super::format::{Amount, Case, Expected, Paid};
use super::gaps::Reads;
use super::{Library, Policy, PolicyError};
use crate::engine::Engine;
use crate::model::{Cell, Estimate, Finding, Money, Range, Row};
use crate::prices::{BilledUsage, Payer, PriceBook, RateCard};
use crate::store::{Kind as ColumnKind, Table, tables};

/// The account of rows that do not name one.
const ACCOUNT: &str = "111122223333";
/// The clock of every test: noon of 2026-11-15, so that `-30d` is a day of the last full month.
const AS_OF: i64 = 1_794_744_000;

/// What a case shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A finding with dollars.
    Finding,
    /// Nothing to find.
    Clean,
    /// A finding without dollars.
    Unknown,
}

/// How one case went.
#[derive(Clone, Debug)]
pub struct CaseReport {
    /// The policy.
    pub policy: String,
    /// The case's name.
    pub name: String,
    /// What it shows.
    pub kind: Kind,
    /// Denied reads under which it ran again.
    pub denied: usize,
    /// What did not hold; empty when all did.
    pub failures: Vec<String>,
}

/// Runs the tests of one policy.
///
/// # Errors
/// The policy cannot be evaluated at all.
pub async fn test(library: &Library, policy: &Policy) -> Result<Vec<CaseReport>, PolicyError> {
    let alone = library.only(policy.id());
    let as_of = DateTime::from_timestamp(AS_OF, 0).unwrap_or(DateTime::UNIX_EPOCH);
    let mut reports = Vec::new();
    let mut tried = Tried::default();
    for case in &policy.file.tests {
        reports.push(run(&alone, policy, case, as_of, &mut tried).await?);
    }
    reports.extend(tried.failure(policy));
    Ok(reports)
}

/// What was denied in cases that find something, and would have filled something there.
#[derive(Debug, Default)]
struct Tried {
    /// Table and read.
    reads: BTreeSet<(&'static str, &'static str)>,
    /// Analyses that were computed over tables of which a read was denied.
    analyses: BTreeSet<String>,
}

impl Tried {
    fn add(&mut self, policy: &Policy, given: &Given, denied: &[(&'static str, &'static str)]) {
        self.reads.extend(denied);
        let reads = Reads::of(policy);
        let computed = reads.under_analyses().filter(|(name, _)| !given.contains_key(*name));
        let reached = computed.filter(|(_, below)| denied.iter().any(|read| below.contains(read)));
        self.analyses.extend(reached.map(|(name, _)| name.to_owned()));
    }

    /// Returns the failure of a policy that nobody has seen with one of its reads denied.
    fn failure(&self, policy: &Policy) -> Option<CaseReport> {
        let reads = Reads::of(policy);
        let missing = reads.direct().filter(|read| !self.reads.contains(read)).map(|(table, read)| {
            format!("no case that finds something fills what `{read}` gives of `{table}`: it was never tried denied")
        });
        let blind = reads.under_analyses().filter(|(name, _)| !self.analyses.contains(*name)).map(|(name, _)| {
            format!("no case that finds something computes `{name}`: the reads below it were never tried denied")
        });
        let failures: Vec<String> = missing.chain(blind).collect();
        (!failures.is_empty()).then(|| CaseReport {
            policy: policy.id().to_owned(),
            name: "every read is denied once".to_owned(),
            kind: Kind::Finding,
            denied: 0,
            failures,
        })
    }
}

async fn run(
    library: &Library,
    policy: &Policy,
    case: &Case,
    as_of: DateTime<Utc>,
    tried: &mut Tried,
) -> Result<CaseReport, PolicyError> {
    let kind = kind(case);
    let mut report =
        CaseReport { policy: policy.id().to_owned(), name: case.name.clone(), kind, denied: 0, failures: Vec::new() };
    let given = match given(case, as_of) {
        Ok(given) => given,
        Err(wrong) => {
            report.failures.push(wrong);
            return Ok(report);
        }
    };
    let paid = match case.paid.iter().map(|paid| billed(paid, as_of)).collect::<Result<Vec<_>, _>>() {
        Ok(paid) => paid,
        Err(wrong) => {
            report.failures.push(wrong);
            return Ok(report);
        }
    };
    let found = evaluated(library, &given, &paid, as_of).await?;
    report.failures.extend(compare(&found, &case.expect));
    if kind != Kind::Finding || !report.failures.is_empty() {
        return Ok(report);
    }
    let reads = reads(&given);
    tried.add(policy, &given, &reads);
    for (table, read) in reads {
        report.denied += 1;
        let left = evaluated(library, &denied(&given, table, read), &paid, as_of).await?;
        report.failures.extend(found.iter().filter_map(|before| survives(before, &left, read)));
    }
    Ok(report)
}

fn kind(case: &Case) -> Kind {
    let unknown = |expected: &Expected| matches!(&expected.saving, Amount::One(word) if word == "unknown");
    match case.expect.first() {
        None => Kind::Clean,
        Some(_) if case.expect.iter().all(unknown) => Kind::Unknown,
        Some(_) => Kind::Finding,
    }
}

type Given = BTreeMap<String, (&'static Table, Vec<Row>)>;

/// Tables that a scan fills, and analyses that a test may fill by hand.
fn find_table(name: &str) -> Option<&'static Table> {
    tables::find(name).or_else(|| crate::analysis::find(name))
}

fn given(case: &Case, as_of: DateTime<Utc>) -> Result<Given, String> {
    let mut given = Given::new();
    for (name, rows) in &case.given {
        let table = find_table(name).ok_or_else(|| format!("there is no table `{name}`"))?;
        let rows = rows.iter().map(|cells| rows_of(table, cells, as_of)).collect::<Result<Vec<_>, _>>()?;
        given.insert(name.clone(), (table, rows.concat()));
    }
    Ok(given)
}

async fn evaluated(
    library: &Library,
    given: &Given,
    paid: &[BilledUsage],
    as_of: DateTime<Utc>,
) -> Result<Vec<Finding>, PolicyError> {
    let engine = Engine::new().map_err(PolicyError::Engine)?;
    for (table, rows) in given.values() {
        engine.register(table, rows).map_err(PolicyError::Engine)?;
    }
    let card = match paid {
        [] => crate::analysis::rate_card(&engine, PriceBook::embedded()?, as_of).await?,
        paid => RateCard::new(PriceBook::embedded()?, paid.to_vec(), Payer::Unknown),
    };
    let named: BTreeSet<String> = library.policies().flat_map(|policy| policy.query().tables()).collect();
    let computed = named.into_iter().filter(|name| !given.contains_key(name)).collect();
    crate::analysis::provide(&engine, &card, as_of, &computed).await?;
    Ok(evaluate::run(library, &engine, &card, as_of, &[]).await?.findings)
}

fn billed(paid: &Paid, as_of: DateTime<Utc>) -> Result<BilledUsage, String> {
    let number = |text: &str| text.parse::<Decimal>().map_err(|_| format!("`{text}` is not a number"));
    let month = as_of.date_naive().with_day(1).and_then(|first| first.checked_sub_months(Months::new(1)));
    Ok(BilledUsage {
        usage_type: paid.usage_type.clone(),
        region: None,
        quantity: number(&paid.quantity)?,
        net: Money::new(number(&paid.usd)?),
        metric: crate::model::Metric::NetAmortized,
        month: month.unwrap_or_default(),
    })
}

/// Every read that fills something of the given tables: without it they would be others.
fn reads(given: &Given) -> Vec<(&'static str, &'static str)> {
    let fills = |table: &Table, rows: &[Row], read: &str| {
        let mut columns = table.columns.iter().filter(|column| column.read == Some(read));
        columns.any(|column| rows.iter().any(|row| *row.cell(column.name) != Cell::Null))
    };
    let filled = |(table, rows): &(&'static Table, Vec<Row>)| {
        let (table, rows) = (*table, rows.clone());
        table.sub_reads().into_iter().filter(move |read| fills(table, &rows, read)).map(|read| (table.name, read))
    };
    given.values().flat_map(filled).collect()
}

/// The same rows as a scan would have written them with the read denied.
fn denied(given: &Given, table: &str, read: &str) -> Given {
    let mut left = given.clone();
    if let Some((table, rows)) = left.get_mut(table) {
        let blind = table.columns.iter().filter(|column| column.read == Some(read));
        for column in blind {
            for row in rows.iter_mut() {
                row.set(column.name, Cell::Null);
            }
        }
    }
    left
}

/// Returns what is wrong when a read is denied: the finding must stay, and be no surer: with no saving, or with ends
/// that are no nearer than before.
fn survives(before: &Finding, left: &[Finding], read: &str) -> Option<String> {
    let resource = before.resource.terminal();
    let Some(after) = left.iter().find(|after| after.id == before.id) else {
        return Some(format!("with `{read}` denied the finding about `{resource}` vanishes"));
    };
    let known = after.saving.known()?;
    let wider = |was: Range| {
        known.low <= was.low
            && known.expected <= was.expected
            && known.high.is_none_or(|high| was.high.is_some_and(|was| was <= high))
    };
    (!before.saving.known().is_some_and(wider)).then(|| {
        format!("with `{read}` denied the saving of `{resource}` becomes {} and should be unknown", known.human())
    })
}

fn compare(found: &[Finding], expected: &[Expected]) -> Vec<String> {
    let mut wrong = Vec::new();
    for want in expected {
        match found.iter().find(|finding| finding.resource.raw() == want.resource) {
            Some(finding) => wrong.extend(differences(finding, want)),
            None => wrong.push(format!("`{}` is not found", want.resource)),
        }
    }
    let extra = found.iter().filter(|finding| !expected.iter().any(|want| want.resource == finding.resource.raw()));
    wrong.extend(extra.map(|finding| format!("`{}` is found and was not expected", finding.resource.terminal())));
    wrong
}

fn differences(finding: &Finding, want: &Expected) -> Vec<String> {
    let amounts = [
        ("saving", Some(&want.saving), &finding.saving),
        ("one_off", want.one_off.as_ref(), &finding.one_off),
        ("running", want.running.as_ref(), &finding.running),
        ("net_saving_12m", want.net_saving_12m.as_ref(), &finding.net_saving_12m),
    ];
    let named = |what: String| format!("`{}`: {what}", finding.resource.terminal());
    let mut wrong: Vec<String> =
        amounts.into_iter().filter_map(|(name, want, got)| differs(name, want?, got)).map(named).collect();
    if let Some(confidence) = want.confidence.filter(|wanted| *wanted != finding.confidence) {
        wrong.push(named(format!("confidence is {}, not {}", finding.confidence.as_str(), confidence.as_str())));
    }
    wrong
}

fn differs(name: &str, want: &Amount, got: &Estimate) -> Option<String> {
    let (low, expected, high) = match want {
        Amount::One(one) => (one, one, Some(one)),
        Amount::Ends(ends) => (&ends.low, &ends.expected, ends.high.as_ref()),
    };
    match got {
        Estimate::Unknown(_) if low == "unknown" => None,
        Estimate::Unknown(why) => Some(format!("{name} is unknown ({why}), not {low}")),
        Estimate::Known(range) => {
            let high_fits = match (range.high, high.filter(|word| *word != "unknown")) {
                (None, None) => true,
                (Some(got), Some(want)) => fits(got, want),
                _ => false,
            };
            let all = fits(range.low, low) && fits(range.expected, expected) && high_fits;
            let shown = |usd: Money| usd.usd().round_sf(8).unwrap_or_default().normalize().to_string();
            let ends = format!(
                "low {}, expected {}, high {}",
                shown(range.low),
                shown(range.expected),
                range.high.map_or_else(|| "unknown".to_owned(), shown)
            );
            (!all).then(|| format!("{name} is {ends}, not {}", wanted(want)))
        }
    }
}

fn wanted(amount: &Amount) -> String {
    match amount {
        Amount::One(one) => one.clone(),
        Amount::Ends(ends) => {
            format!("low {}, expected {}, high {}", ends.low, ends.expected, ends.high.as_deref().unwrap_or("unknown"))
        }
    }
}

/// Compared to as many decimals as the test writes.
fn fits(got: Money, want: &str) -> bool {
    let Ok(want) = want.parse::<Decimal>() else { return false };
    let rounding = rust_decimal::RoundingStrategy::MidpointAwayFromZero;
    got.usd().round_dp_with_strategy(want.scale(), rounding) == want
}

/// One row, or one for each day of a span: `day: -89d..-1d`.
fn rows_of(table: &Table, cells: &BTreeMap<String, Json>, as_of: DateTime<Utc>) -> Result<Vec<Row>, String> {
    let span = |value: &Json| {
        let (from, to) = value.as_str()?.split_once("..")?;
        Some((relative(from, as_of)?.date_naive(), relative(to, as_of)?.date_naive()))
    };
    let days = cells.iter().find_map(|(name, value)| {
        let is_day = table.column(name).is_some_and(|column| column.kind == ColumnKind::Day);
        Some((name, span(value).filter(|_| is_day)?))
    });
    let Some((name, (from, to))) = days else { return Ok(vec![row(table, cells, as_of)?]) };
    let on = |day: NaiveDate| {
        let day = BTreeMap::from([(name.clone(), Json::from(day.to_string()))]);
        let cells = cells.iter().chain(&day).map(|(name, value)| (name.clone(), value.clone())).collect();
        row(table, &cells, as_of)
    };
    from.iter_days().take_while(|day| *day <= to).map(on).collect()
}

fn row(table: &Table, cells: &BTreeMap<String, Json>, as_of: DateTime<Utc>) -> Result<Row, String> {
    let mut row = Row::new();
    if table.column("account_id").is_some() {
        row.set("account_id", ACCOUNT);
    }
    for (name, value) in cells {
        let column = table.column(name).ok_or_else(|| format!("table `{}` has no column `{name}`", table.name))?;
        let cell = cell(column.kind, value, as_of);
        row.set(
            name.clone(),
            cell.ok_or_else(|| format!("`{}.{name}` holds {}, not {value}", table.name, column.kind.unit()))?,
        );
    }
    Ok(row)
}

fn cell(kind: ColumnKind, value: &Json, as_of: DateTime<Utc>) -> Option<Cell> {
    Some(match (kind, value) {
        (_, Json::Null) => Cell::Null,
        (ColumnKind::Text, Json::String(text)) => Cell::from(text.as_str()),
        // Tags and other JSON may be written as YAML.
        (ColumnKind::Text, Json::Object(_) | Json::Array(_)) => Cell::from(value.to_string()),
        (ColumnKind::Flag, Json::Bool(flag)) => Cell::from(*flag),
        (ColumnKind::Count | ColumnKind::Bytes, Json::Number(number)) => Cell::from(number.as_i64()?),
        (ColumnKind::Bytes, Json::String(text)) => Cell::from(bytes(text)?),
        (ColumnKind::Money | ColumnKind::Quantity, Json::String(text)) => Cell::Decimal(text.parse().ok()?),
        (ColumnKind::Money | ColumnKind::Quantity, Json::Number(number)) => Cell::Decimal(number.as_i64()?.into()),
        (ColumnKind::Day, Json::String(text)) => Cell::Date(match relative(text, as_of) {
            Some(instant) => instant.date_naive(),
            None => text.parse::<NaiveDate>().ok()?,
        }),
        (ColumnKind::Instant, Json::String(text)) => Cell::Time(relative(text, as_of).or_else(|| text.parse().ok())?),
        _ => return None,
    })
}

/// `-30d`, `-1h`, `-5m`: before as-of.
fn relative(text: &str, as_of: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let number: i64 = text.strip_prefix('-')?.get(..text.len().checked_sub(2)?)?.parse().ok()?;
    let ago = match text.chars().next_back()? {
        'd' => Duration::try_days(number)?,
        'h' => Duration::try_hours(number)?,
        'm' => Duration::try_minutes(number)?,
        _ => return None,
    };
    as_of.checked_sub_signed(ago)
}

/// `40 GiB`.
fn bytes(text: &str) -> Option<i64> {
    let (number, unit) = text.split_once(' ')?;
    let shift = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"].iter().position(|known| *known == unit)?;
    number.parse::<i64>().ok()?.checked_mul(1024_i64.checked_pow(u32::try_from(shift).ok()?)?)
}
