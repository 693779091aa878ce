//! The demo's Athena history: every run of every panel, and what people ask by hand.
//! The simulation also knows what no history tells: whether the tables changed between two runs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::calendar::{Calendar, Day};
use super::panel::{ADHOC, NOTEBOOKS, PANELS, Panel, Statement, WORKGROUPS, Workgroup};
use super::random::{Random, share};
use crate::model::Row;
use crate::store::HashKey;

/// The key of the demo's text hashes. It guards nothing: the texts are in the source.
const KEY: HashKey = HashKey::fixed(*b"leanlake demo: the same each day");

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It answered.
    Succeeded,
    /// It answered with an earlier result, and scanned nothing.
    Reused,
    /// It failed: free.
    Failed,
    /// It was cancelled: what it had scanned is billed.
    Cancelled,
}

/// One run of a query.
#[derive(Clone, Debug)]
pub struct Query {
    /// Where it ran.
    pub workgroup: Workgroup,
    /// Query execution id.
    pub id: String,
    /// When it was submitted.
    pub submitted: DateTime<Utc>,
    /// How long it ran, in milliseconds.
    pub ms: i64,
    /// How it ended.
    pub outcome: Outcome,
    /// What it did.
    pub statement: Statement,
    /// The exact text, which no table holds.
    pub text: String,
    /// Database of its context.
    pub database: &'static str,
    /// Bytes that it scanned.
    pub bytes: i64,
    /// Age that the caller allowed an earlier answer, in minutes.
    pub reuse: Option<i64>,
    /// How often its tables had been written when it began: two runs with the same number see the same data.
    pub version: i64,
}

/// Returns every run of one day, in the order of submission.
pub fn of_day(seed: u64, calendar: Calendar, day: Day) -> Vec<Query> {
    let mut queries: Vec<Query> =
        PANELS.iter().enumerate().flat_map(|(at, panel)| panel_runs(seed, calendar, day, at, panel)).collect();
    queries.extend(by_hand(seed, calendar, day, ADHOC, 40, (4, 420)));
    queries.extend(by_hand(seed, calendar, day, NOTEBOOKS, 18, (10, 700)));
    queries.sort_by(|a, b| (a.submitted, &a.id).cmp(&(b.submitted, &b.id)));
    queries
}

fn panel_runs(seed: u64, calendar: Calendar, day: Day, at: usize, panel: &Panel) -> Vec<Query> {
    let on = panel.since.is_none_or(|before| day >= calendar.today - before);
    if !on || (calendar.weekend(day) && !panel.weekends) {
        return Vec::new();
    }
    let mut random = Random::new(seed, &format!("panel {at} {}", calendar.date(day)));
    let text = panel.text.replace("{day}", &calendar.date(day).to_string());
    let grown = (panel.scan_gib << 30) + share(panel.scan_gib << 30, i64::from(day - calendar.today) / 2);
    let bytes = random.around(grown, 30);
    let first = panel.hours.0 * 60;
    let runs = (panel.hours.1 * 60 - first + panel.every - 1) / panel.every;
    let mut original: Option<i64> = None;
    (0..runs)
        .map(|run| {
            let minute = first + run * panel.every;
            let reused = panel.reuse.is_some_and(|age| original.is_some_and(|begun| minute - begun < age));
            let outcome = match random.between(0, 999) {
                _ if reused => Outcome::Reused,
                ..8 => Outcome::Failed,
                8..12 => Outcome::Cancelled,
                _ => Outcome::Succeeded,
            };
            if outcome == Outcome::Succeeded {
                original = Some(minute);
            }
            let scanned = match outcome {
                Outcome::Succeeded => bytes,
                Outcome::Cancelled => bytes / 3,
                Outcome::Reused | Outcome::Failed => 0,
            };
            Query {
                workgroup: panel.workgroup,
                id: id(&mut random),
                submitted: calendar.at(day, minute * 60 + random.between(0, 20)),
                ms: if reused { 300 } else { 2_000 + bytes / (100 << 20) + random.between(0, 4_000) },
                outcome,
                statement: panel.statement,
                text: text.clone(),
                database: panel.database,
                bytes: scanned,
                reuse: panel.reuse,
                version: (i64::from(day) * 1440 + minute).div_euclid(panel.written_every),
            }
        })
        .collect()
}

/// Returns what people ask by hand on one day: mostly new texts, sometimes the last one again.
fn by_hand(seed: u64, calendar: Calendar, day: Day, at: Workgroup, count: i64, gib: (i64, i64)) -> Vec<Query> {
    let mut random = Random::new(seed, &format!("{} {}", at.name, calendar.date(day)));
    let count = if calendar.weekend(day) { count / 8 } else { random.around(count, 200) };
    let mut text = String::new();
    (0..count)
        .map(|nth| {
            if nth == 0 || random.chance(850) {
                text = ask(&mut random);
            }
            let outcome = match random.between(0, 999) {
                // A template that nobody filled in is no SQL to Athena either.
                _ if !readable(&text) => Outcome::Failed,
                ..70 => Outcome::Failed,
                70..110 => Outcome::Cancelled,
                _ => Outcome::Succeeded,
            };
            let size = random.between(gib.0, gib.1) * random.between(1, 1000) * 2 / 1000;
            Query {
                workgroup: at,
                id: id(&mut random),
                submitted: calendar.at(day, 7 * 3600 + random.between(0, 11 * 3600)),
                ms: random.between(900, 90_000),
                outcome,
                statement: if text.contains("LIMIT") { Statement::Sample } else { Statement::Select },
                text: text.clone(),
                database: "curated",
                bytes: if outcome == Outcome::Failed { 0 } else { size << 30 },
                reuse: None,
                version: i64::from(day),
            }
        })
        .collect()
}

fn ask(random: &mut Random) -> String {
    let table = random.pick(&["orders", "payments", "events", "sessions", "parcels", "devices", "experiments"]);
    let number = random.between(1, 99_999_999);
    match random.between(0, 40) {
        40 => format!("SELECT {{{{ columns }}}} FROM {table} WHERE id = {number} -- a template that nobody filled in"),
        0..10 => format!("SELECT * FROM {table} WHERE id = {number} LIMIT 100"),
        10..20 => format!("SELECT dt, count(*) FROM {table} WHERE user_id = 'u-{number}' GROUP BY dt ORDER BY dt"),
        20..30 => format!("SELECT kind, sum(amount) FROM {table} WHERE amount > {number} GROUP BY kind"),
        _ => format!("SELECT a.id FROM {table} a JOIN customers c ON a.id = c.id WHERE c.score > {number}"),
    }
}

fn id(random: &mut Random) -> String {
    let hex = random.hex(16) + &random.hex(16);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

impl Query {
    /// Returns the bytes that the bill counts: at least 10 MB, nothing for what failed or was answered from an earlier run.
    pub fn billed_bytes(&self) -> i64 {
        match self.outcome {
            Outcome::Succeeded | Outcome::Cancelled => self.bytes.max(10_000_000),
            Outcome::Reused | Outcome::Failed => 0,
        }
    }

    /// Returns when it ended.
    pub fn completed(&self) -> DateTime<Utc> {
        self.submitted + chrono::TimeDelta::milliseconds(self.ms + 400)
    }

    /// Returns the run's row of `athena_queries`; `hashes` remembers the hash of each text.
    pub fn row<'a>(&'a self, hashes: &mut BTreeMap<&'a str, String>) -> Row {
        let hash = hashes.entry(&self.text).or_insert_with(|| hash(&self.text)).clone();
        let (kind, obstacle) = self.statement.reusable();
        let unread = (!readable(&self.text)).then_some("the text could not be read as SQL");
        let state = match self.outcome {
            Outcome::Succeeded | Outcome::Reused => "SUCCEEDED",
            Outcome::Failed => "FAILED",
            Outcome::Cancelled => "CANCELLED",
        };
        self.workgroup
            .row()
            .with("query_id", self.id.as_str())
            .with("submitted", self.submitted)
            .with("completed", self.completed())
            .with("state", state)
            .with("statement_type", "DML")
            .with("substatement_type", kind)
            .with("engine_version", "Athena engine version 3")
            .with("catalog", "AwsDataCatalog")
            .with("database", self.database)
            .with("output_location", self.workgroup.output())
            .with("bytes_scanned", self.bytes)
            .with("engine_ms", self.ms)
            .with("queue_ms", 120_i64)
            .with("planning_ms", 280_i64)
            .with("reused", self.outcome == Outcome::Reused)
            .with("reuse_enabled", self.reuse.is_some())
            .with("reuse_max_age_minutes", self.reuse)
            .with("text_redacted", redacted(&self.text))
            .with("text_hash", hash)
            .with("key_id", KEY.id())
            .with("reuse_eligible", unread.is_none().then_some(obstacle.is_none()))
            .with("reuse_obstacle", unread.or(obstacle))
            .with("error_category", (self.outcome == Outcome::Failed).then_some(2_i64))
    }
}

impl Statement {
    /// Returns Athena's name of the statement, and why an earlier answer cannot stand in for it.
    fn reusable(self) -> (&'static str, Option<&'static str>) {
        match self {
            Statement::Select => ("SELECT", None),
            Statement::Sample => ("SELECT", Some("LIMIT without ORDER BY may give other rows each time")),
            Statement::Clock => ("SELECT", Some("`now` gives another answer each time")),
            Statement::Insert => ("INSERT", Some("only SELECT can be reused, not INSERT")),
            Statement::Ctas => {
                ("CREATE_TABLE_AS_SELECT", Some("only SELECT can be reused, not CREATE_TABLE_AS_SELECT"))
            }
            Statement::Unload => ("UNLOAD", Some("only SELECT can be reused, not UNLOAD")),
        }
    }
}

impl Workgroup {
    fn row(&self) -> Row {
        Row::new().with("account_id", self.account).with("region", self.region).with("workgroup", self.name)
    }

    fn output(&self) -> String {
        format!("s3://nw-athena-results-{}-{}/{}/", &self.account[..4], self.region, self.name)
    }

    /// Returns the workgroup's row of `athena_workgroups`.
    pub fn settings(&self) -> Row {
        let row = self.row().with("state", "ENABLED");
        if !self.readable {
            return row;
        }
        row.with("engine_version", "Athena engine version 3")
            .with("output_location", self.output())
            .with("enforced", self.name.starts_with("bi"))
            .with("bytes_scanned_cutoff", self.cutoff)
            .with("metrics_published", self.name != "primary")
            .with("managed_results", false)
    }
}

/// Returns the rows of `athena_workgroups`.
pub fn workgroups() -> Vec<Row> {
    WORKGROUPS.iter().map(Workgroup::settings).collect()
}

/// Returns the hash of a text as a scan makes it: keyed, and with the length before the text.
fn hash(text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.bytes()).expect("HMAC takes a key of any length");
    mac.update(&(text.len() as u64).to_be_bytes());
    mac.update(text.as_bytes());
    HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// Returns true when a scan could tell literals from the rest of the text.
fn readable(text: &str) -> bool {
    !text.contains("{{")
}

/// Returns one of the demo's own texts with `'?'` for strings and `0` for numbers that stand alone, as a scan stores it.
fn redacted(text: &str) -> Option<String> {
    readable(text).then(|| {
        let pieces = text.split('\'').enumerate();
        let kept = pieces.map(|(at, piece)| if at % 2 == 1 { "'?'".to_owned() } else { without_numbers(piece) });
        kept.collect()
    })
}

fn without_numbers(code: &str) -> String {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let mut out = String::with_capacity(code.len());
    for piece in code.split_inclusive(|c| !word(c)) {
        let (kept, end) = piece.split_at(piece.trim_end_matches(|c| !word(c)).len());
        out.push_str(if kept.starts_with(|first: char| first.is_ascii_digit()) { "0" } else { kept });
        out.push_str(end);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_literal_of_a_text_reaches_a_table() {
        let text = "SELECT p1, 0.99 FROM t_2026 WHERE day = DATE '2026-01-01' AND n > 47 LIMIT 5";
        let kept = "SELECT p1, 0 FROM t_2026 WHERE day = DATE '?' AND n > 0 LIMIT 0";
        assert_eq!(redacted(text).as_deref(), Some(kept));
        assert_eq!(redacted("SELECT {{ a }} FROM t"), None);
    }

    #[test]
    fn a_result_that_was_used_again_scans_nothing_and_failures_are_free() {
        let calendar = Calendar::new(418);
        let day = of_day(42, calendar, calendar.today - 3);
        assert!(day.iter().any(|query| query.outcome == Outcome::Reused && query.billed_bytes() == 0));
        assert!(day.iter().filter(|query| query.outcome == Outcome::Failed).all(|query| query.billed_bytes() == 0));
        assert!(day.iter().any(|query| query.outcome == Outcome::Cancelled && query.billed_bytes() > 0));
    }
}
