//! Which tables have column statistics: a request for each, so the largest tables first and only so many.

use std::collections::BTreeSet;

use aws_sdk_glue::Client;
use futures::StreamExt;

use super::tables::Found;
use crate::aws::collect::ask::ask;
use crate::aws::collect::outcome::{Outcome, cover_all};
use crate::aws::collect::pages::spent;
use crate::aws::collect::refusals::Refusals;
use crate::aws::collect::{Failed, Read, Scope, Sink};

/// Tables asked for at the same time.
const AT_ONCE: usize = 4;

/// The statistics.
pub const STATISTICS: Read = Read::columns(
    "glue:GetColumnStatisticsForTable",
    "glue:GetColumnStatisticsForTable",
    "glue_tables",
    &["column_statistics"],
);

/// Adds to the largest tables whether they have column statistics.
pub async fn read(scope: &Scope, sink: &Sink, client: &Client, tables: &mut [Found]) {
    let mut order: Vec<usize> = (0..tables.len()).filter(|&at| !tables[at].columns.is_empty()).collect();
    // Tables of which nobody noted the size come last, by name.
    order.sort_by(|&a, &b| tables[b].size.cmp(&tables[a].size).then_with(|| name(&tables[a]).cmp(&name(&tables[b]))));
    let all = order.len();
    order.truncate(scope.options.glue.statistics as usize);
    let refusals = Refusals::default();
    let reads: Vec<_> = order.iter().map(|&at| of(scope, client, &refusals, &tables[at])).collect();
    let answers: Vec<Result<bool, Failed>> = futures::stream::iter(reads).buffered(AT_ONCE).collect().await;
    let mut outcomes = Vec::new();
    for (&at, answer) in order.iter().zip(&answers) {
        outcomes.push(Outcome::of(&name(&tables[at]), Some(&scope.region), answer));
        if let Ok(has) = answer {
            tables[at].row.set("column_statistics", *has);
        }
    }
    cover_all(scope, sink, &STATISTICS, &outcomes).await;
    if all > order.len() {
        let why = format!("the {} largest of {all} tables were asked for column statistics", order.len());
        let cut = spent(&why).gap(&STATISTICS).at(&scope.account_id, Some(&scope.region));
        sink.cover(cut.counted(order.len(), Some(all))).await;
    }
}

async fn of(scope: &Scope, client: &Client, refusals: &Refusals, table: &Found) -> Result<bool, Failed> {
    if let Some(refusal) = refusals.standing() {
        return Err(refusal);
    }
    let call = client.get_column_statistics_for_table().database_name(&table.database).table_name(&table.table);
    let answer = ask(scope, call.set_column_names(Some(table.columns.clone())).send()).await;
    refusals.note(&answer);
    let with: BTreeSet<String> =
        answer?.column_statistics_list().iter().map(|column| column.column_name().to_owned()).collect();
    Ok(!with.is_empty())
}

fn name(table: &Found) -> String {
    format!("{}.{}", table.database, table.table)
}
