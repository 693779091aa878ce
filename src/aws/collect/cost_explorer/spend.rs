//! What the days just read cost, by account and by Region: it decides what else is read.

use chrono::{Days, NaiveDate};

use super::question::Question;
use crate::aws::rank::Spend;
use crate::model::service::{EC2_OTHER, is_network};
use crate::model::{Money, Row};

/// The days that count, back from the scan.
const DAYS: u64 = 30;

/// Returns the first of the days that count.
pub fn first_day(today: NaiveDate) -> NaiveDate {
    today.checked_sub_days(Days::new(DAYS)).unwrap_or(today)
}

/// Adds the rows of an answer that fall into the last thirty days before `today`.
pub fn add(spend: &mut Spend, question: &Question, rows: &[Row], today: NaiveDate) {
    let first = first_day(today);
    for row in rows.iter().filter(|row| row.date("day").is_some_and(|day| day >= first)) {
        let Some(usd) = cost(row) else { continue };
        let service = row.key("service").to_owned();
        match question {
            Question::Costs => {
                if service == EC2_OTHER && !is_network(row.key("usage_type")) {
                    *spend.apart.entry(service).or_default() += usd;
                    continue;
                }
                // A usage type without a Region is billed in none.
                let region = row.text("region").map(|region| region.raw().to_owned()).unwrap_or_default();
                *spend.regions.entry((service, region)).or_default() += usd;
            }
            Question::ByAccount => {
                *spend.accounts.entry((row.key("linked_account_id").to_owned(), service)).or_default() += usd;
            }
            Question::Charges | Question::ByOperation | Question::ByTag(_) => {}
        }
    }
}

fn cost(row: &Row) -> Option<Money> {
    row.money("net_amortized").or_else(|| row.money("amortized")).or_else(|| row.money("unblended"))
}
