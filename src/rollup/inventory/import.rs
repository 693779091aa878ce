//! Inventory lists as rows of `storage_ages`: each whole or not at all.

use std::sync::Arc;

use futures::StreamExt;

use super::fold::{Folders, MOST};
use super::{AGES, Homes, READ, TIME, Unit, gap};
use crate::engine::files::Files;
use crate::model::{Coverage, CoverageState, Row};
use crate::rollup::encoded::decoded;
use crate::rollup::import::{Import, Order};
use crate::store::tables::inventory::STORAGE_AGES;
use crate::store::{Draft, batch};

/// Columns that a list lacks without a gap of their own: the manifest says whether it holds versions, and a tier is of
/// Intelligent-Tiering alone.
const MAY_LACK: &[&str] = &["is_latest", "is_delete_marker", "intelligent_tiering_access_tier", TIME];

/// Reads the lists. `homes` says whose the buckets are; with an account in `order`, a bucket that is not among them is
/// another's.
pub async fn import(units: Vec<Unit>, order: &Order, homes: &Homes) -> Import {
    let mut import = Import::default();
    for unit in units {
        let home = homes.get(&unit.bucket);
        let account = home.map(|(account, _)| account.clone());
        let read = match (&order.account_id, home) {
            (Some(own), None) => {
                Err(format!("bucket `{}` is not among those of account {own} or its members", unit.bucket))
            }
            _ => read(&unit, order, home).await,
        };
        match read {
            Ok((draft, lost)) => {
                let count = usize::try_from(draft.rows()).unwrap_or(usize::MAX);
                let seen = Coverage::new(STORAGE_AGES.name, READ, CoverageState::Seen).of(unit.list.as_str());
                import.coverage.push(Coverage { account_id: account, ..seen.counted(count, None) });
                import.drafts.push(draft);
                if !lost.is_empty() {
                    let why = format!("the list lacks {}: what comes from them is NULL", lost.join(", "));
                    let partial = Coverage::new(STORAGE_AGES.name, "inventory:columns", CoverageState::Partial);
                    import.coverage.push(partial.of(unit.list.as_str()).because(why));
                }
            }
            Err(why) => import.coverage.push(Coverage { account_id: account, ..gap(&unit.list, why) }),
        }
    }
    import
}

/// Returns the rows of a list, and the columns that it lacks.
async fn read(
    unit: &Unit,
    order: &Order,
    home: Option<&(String, Option<String>)>,
) -> Result<(Draft, Vec<&'static str>), String> {
    let files = Files::open(Arc::clone(&unit.objects), unit.files.clone(), AGES.from).await;
    let files = files.map_err(|error| error.to_string())?.or_instant(TIME, unit.listed_at);
    let missing: Vec<&str> = files.missing().into_iter().map(|(column, _)| column).collect();
    if missing.contains(&"key") || missing.contains(&"bucket") {
        return Err("it is no inventory list: it has no column `key` or `bucket`".to_owned());
    }
    let mut folders = Folders::keeping(MOST);
    let mut batches = order.runner.run(&AGES, files).await.map_err(|error| error.to_string())?;
    while let Some(rows) = batches.next().await {
        for row in batch::from_batch(&rows.map_err(|error| error.to_string())?).map_err(|error| error.to_string())? {
            if row.key("bucket") != unit.bucket {
                return Err(format!(
                    "it lists objects of `{}`, its manifest says `{}`",
                    row.key("bucket"),
                    unit.bucket
                ));
            }
            let prefix = row.key("prefix");
            folders.add(if unit.encoded { decoded(prefix) } else { prefix.to_owned() }, &row);
        }
    }
    let rows: Vec<Row> = folders.rows().into_iter().map(|row| placed(row, unit, home)).collect();
    let mut draft = Draft::new(&STORAGE_AGES, order.as_of);
    let rows = batch::to_batch(&STORAGE_AGES, &rows).map_err(|error| error.to_string())?;
    draft.push(&rows).map_err(|error| error.to_string())?;
    Ok((draft, missing.into_iter().filter(|column| !MAY_LACK.contains(column)).collect()))
}

fn placed(row: Row, unit: &Unit, home: Option<&(String, Option<String>)>) -> Row {
    row.with("account_id", home.map(|(account, _)| account.as_str()))
        .with("region", home.and_then(|(_, region)| region.as_deref()))
        .with("bucket", unit.bucket.as_str())
        .with("listed_at", unit.listed_at)
        .with("all_versions", unit.all_versions)
        .with("configuration_id", unit.configuration_id.as_str())
}
