//! The demo's bill as Cost Explorer shows it after a scan: rows of `charges`, `costs` and `costs_by_account`.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

use super::bill::{Amount, Ledger, Line};
use super::calendar::{Calendar, Day};
use super::catalog::PAYER;
use crate::model::Row;
use crate::model::service::{EC2_OTHER, VPC, is_lake};

/// Days of the bill by operation that a scan of the demo reads.
const OPERATIONS: Day = 35;
/// How much of yesterday's usage the bill shows at six in the morning, in thousandths.
const YESTERDAY: i64 = 560;

/// The bill on the day of a scan.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// What everything cost.
    pub ledger: &'a Ledger,
    /// The calendar of the demo.
    pub calendar: Calendar,
    /// The day of the scan.
    pub today: Day,
    /// The first day that is read.
    pub from: Day,
}

impl Statement<'_> {
    /// Returns the lines that the bill shows.
    fn lines(&self) -> impl Iterator<Item = (&Line, Amount)> {
        let shown = self.ledger.lines.iter().filter(|line| (self.from..self.today).contains(&line.day));
        shown.map(|line| {
            let yesterday = line.day == self.today - 1;
            (line, if yesterday { line.amount.part(YESTERDAY) } else { line.amount })
        })
    }

    fn sum<'s, K: Ord>(&'s self, key: impl Fn(&'s Line) -> K) -> BTreeMap<K, Amount> {
        let mut sums: BTreeMap<K, Amount> = BTreeMap::new();
        for (line, amount) in self.lines() {
            sums.entry(key(line)).or_default().add(&amount);
        }
        sums
    }

    fn row(&self, day: Day, amount: &Amount) -> Row {
        let (date, today) = (self.calendar.date(day), self.calendar.date(self.today));
        let open = (date.year(), date.month()) == (today.year(), today.month());
        Row::new()
            .with("account_id", PAYER)
            .with("day", date)
            .with("unblended", amount.unblended)
            .with("amortized", amount.amortized)
            .with("net_amortized", amount.net)
            .with("estimated", open)
    }

    /// Returns the rows of `costs`.
    pub fn costs(&self) -> Vec<Row> {
        let sums = self.sum(|line| (line.day, line.meter));
        let row = |((day, meter), amount): ((Day, usize), Amount)| {
            let meter = &self.ledger.meters[meter];
            self.row(day, &amount)
                .with("service", meter.service)
                .with("usage_type", meter.usage_type.as_str())
                .with("region", meter.region)
                .with("usage", amount.usage)
                .with("unit", meter.unit)
        };
        sums.into_iter().map(row).collect()
    }

    /// Returns the rows of `costs_by_operation`: the services of the lake, of the last months.
    pub fn costs_by_operation(&self) -> Vec<Row> {
        let from = self.from.max(self.today - OPERATIONS);
        let of_lake = |line: &Line| {
            let service = self.ledger.meters[line.meter].service;
            line.day >= from && (is_lake(service) || [EC2_OTHER, VPC].contains(&service))
        };
        let mut sums: BTreeMap<(Day, usize), Amount> = BTreeMap::new();
        for (line, amount) in self.lines().filter(|(line, _)| of_lake(line)) {
            sums.entry((line.day, line.meter)).or_default().add(&amount);
        }
        let row = |((day, meter), amount): ((Day, usize), Amount)| {
            let meter = &self.ledger.meters[meter];
            self.row(day, &amount)
                .with("usage_type", meter.usage_type.as_str())
                .with("operation", operation(&meter.usage_type))
                .with("region", meter.region)
                .with("usage", amount.usage)
                .with("unit", meter.unit)
        };
        sums.into_iter().map(row).collect()
    }

    /// Returns the first day of `costs_by_operation`.
    pub fn first_of_operations(from: Day, today: Day) -> Day {
        from.max(today - OPERATIONS)
    }

    /// Returns the rows of `costs_by_account`.
    pub fn costs_by_account(&self) -> Vec<Row> {
        let sums = self.sum(|line| (line.day, line.account, self.ledger.meters[line.meter].service));
        let row = |((day, account, service), amount): ((Day, &str, &str), Amount)| {
            self.row(day, &amount).with("linked_account_id", account).with("service", service)
        };
        sums.into_iter().map(row).collect()
    }

    /// Returns the rows of `charges`: usage, and what stands beside it on the bill.
    pub fn charges(&self) -> Vec<Row> {
        let usage = self.sum(|line| {
            let meter = &self.ledger.meters[line.meter];
            let record = if meter.covered { "SavingsPlanCoveredUsage" } else { "Usage" };
            (line.day, record, meter.service)
        });
        let mut charges = usage.clone();
        for (&(day, record, _), amount) in &usage {
            if record == "SavingsPlanCoveredUsage" {
                let (given_back, fee) = savings_plan(amount);
                charges.insert((day, "SavingsPlanNegation", EC2), given_back);
                charges.insert((day, "SavingsPlanRecurringFee", "Savings Plans for AWS Compute usage"), fee);
            }
        }
        for day in self.from..self.today {
            charges.extend(self.other(day).map(|(record, service, usd)| ((day, record, service), flat(usd))));
        }
        let row = |((day, record, service), amount): ((Day, &str, &str), Amount)| {
            self.row(day, &amount).with("record_type", record).with("service", service)
        };
        charges.into_iter().map(row).collect()
    }

    /// Credits of a migration programme, one refund, and the tax of the month before.
    fn other(&self, day: Day) -> impl Iterator<Item = (&'static str, &'static str, Decimal)> {
        let date = self.calendar.date(day);
        let date_is = |year, month, day| NaiveDate::from_ymd_opt(year, month, day) == Some(date);
        let programme = date.year() == 2026 && (2..=6).contains(&date.month());
        let credit = programme.then_some(("Credit", "Amazon Redshift", Decimal::from(-140)));
        let refund = date_is(2026, 4, 14).then_some(("Refund", "AmazonCloudWatch", Decimal::new(-124_055, 2)));
        let tax = (date.day() == 1).then(|| ("Tax", "Tax", self.tax(day)));
        [credit, refund, tax].into_iter().flatten()
    }

    fn tax(&self, day: Day) -> Decimal {
        let before = self.calendar.date(day - 1);
        let same = |line: &&Line| {
            let date = self.calendar.date(line.day);
            (date.year(), date.month()) == (before.year(), before.month())
        };
        let spent: Decimal = self.ledger.lines.iter().filter(same).map(|line| line.amount.net).sum();
        (spent * Decimal::new(19, 3)).round_dp(2)
    }
}

/// Returns the operation that the demo's AWS bills a usage type under: the usual one.
fn operation(usage_type: &str) -> &'static str {
    let known = [
        ("TimedStorage-SIA", "StandardIAStorage"),
        ("TimedStorage-INT", "IntelligentTieringStorage"),
        ("TimedStorage-Glacier", "GlacierStorage"),
        ("TimedStorage-GDA", "DeepArchiveStorage"),
        ("TimedStorage-GIR", "GlacierInstantRetrievalStorage"),
        ("TimedStorage", "StandardStorage"),
        ("Requests-Tier1", "PutObject"),
        ("Requests-Tier2", "GetObject"),
        ("Requests-Tier4", "S3-GIRTransition"),
        ("Retrieval-SIA", "GetObject"),
        ("AWS-Out-Bytes", "UploadPartCopy"),
        ("DataTransfer-Out", "GetObject"),
        ("DataScannedInTB", "DML-SELECT"),
        ("Crawler-DPU-Hour", "CrawlerRun"),
        ("GlueInteractiveSession", "InteractiveSession"),
        ("ETL", "Jobrun"),
        ("Catalog-Request", "Request"),
        ("NatGateway", "NatGateway"),
        ("VpcEndpoint", "VpcEndpoint"),
        ("Regional-Bytes", "InterZone-In"),
        ("VolumeUsage", "CreateVolume-Gp3"),
        ("Node:", "RunComputeNode:0001"),
        ("ServerlessUsage", "Serverless"),
    ];
    known.iter().find(|(part, _)| usage_type.contains(part)).map_or("None", |(_, operation)| operation)
}

const EC2: &str = "Amazon Elastic Compute Cloud - Compute";

/// What a savings plan gives back, and its fee, of which 6 % covers nothing.
fn savings_plan(covered: &Amount) -> (Amount, Amount) {
    let unused = (covered.amortized * Decimal::new(6, 2)).round_dp(10);
    let given_back = Amount { unblended: -covered.unblended, ..Amount::default() };
    let fee = Amount { unblended: covered.amortized + unused, amortized: unused, net: unused, ..Amount::default() };
    (given_back, fee)
}

fn flat(usd: Decimal) -> Amount {
    Amount { usage: Decimal::ZERO, unblended: usd, amortized: usd, net: usd }
}
