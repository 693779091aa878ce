//! Crawlers: what they crawl, when, and how the last crawl ended.

use aws_sdk_glue::Client;
use aws_sdk_glue::types::{Crawler, CrawlerState, CrawlerTargets, LastCrawlStatus, RecrawlBehavior, ScheduleState};
use serde_json::Value;

use super::cause::category;
use crate::aws::collect::ask::ask;
use crate::aws::collect::instant::utc;
use crate::aws::collect::pages::{Listed, list};
use crate::aws::collect::{Read, Scope};
use crate::model::Row;

/// Crawlers on a page (Glue takes up to 1,000).
const PAGE: i32 = 200;

/// The list.
pub const CRAWLERS: Read = Read::rows("glue:GetCrawlers", "glue:GetCrawlers", "glue_crawlers");

/// Returns the crawlers of the Region.
pub async fn crawlers(scope: &Scope, client: &Client) -> Listed<Crawler> {
    list(|token| {
        let call = client.get_crawlers().max_results(PAGE).set_next_token(token);
        async {
            let page = ask(scope, call.send()).await?;
            Ok((page.crawlers.unwrap_or_default(), page.next_token))
        }
    })
    .await
}

/// Returns the row of a crawler.
pub fn row(scope: &Scope, crawler: &Crawler) -> Row {
    let schedule = crawler.schedule();
    let last = crawler.last_crawl();
    let row = super::place(Row::new(), scope)
        .with("crawler", crawler.name())
        .with("state", crawler.state().map(CrawlerState::as_str))
        .with("schedule", schedule.and_then(|s| s.schedule_expression()).filter(|text| !text.is_empty()))
        .with("schedule_state", schedule.and_then(|s| s.state()).map(ScheduleState::as_str))
        .with("database", crawler.database_name())
        .with(
            "recrawl_behavior",
            crawler.recrawl_policy().and_then(|p| p.recrawl_behavior()).map(RecrawlBehavior::as_str),
        )
        .with("last_crawl_status", last.and_then(|last| last.status()).map(LastCrawlStatus::as_str))
        .with("last_crawl_started", last.and_then(|last| last.start_time()).and_then(utc))
        .with("last_crawl_error", last.and_then(|last| last.error_message()).and_then(category))
        .with("role", crawler.role())
        .with("created", crawler.creation_time().and_then(utc))
        .with("last_updated", crawler.last_updated().and_then(utc));
    crawler.targets().map_or(row.clone(), |targets| aimed(row, targets))
}

fn aimed(row: Row, targets: &CrawlerTargets) -> Row {
    let plain = targets.s3_targets().iter().filter_map(|target| target.path());
    let lake = (targets.delta_targets().iter().flat_map(|target| target.delta_tables().iter()))
        .chain(targets.iceberg_targets().iter().flat_map(|target| target.paths().iter()))
        .chain(targets.hudi_targets().iter().flat_map(|target| target.paths().iter()));
    let paths: Vec<&str> = plain.chain(lake.map(String::as_str)).collect();
    let others = targets.jdbc_targets().len()
        + targets.mongo_db_targets().len()
        + targets.dynamo_db_targets().len()
        + targets.catalog_targets().len();
    let sampled = targets.s3_targets().iter().all(|target| target.sample_size().is_some());
    row.with("s3_targets", Value::from(paths).to_string())
        .with("other_targets", others)
        .with("sampled", (!targets.s3_targets().is_empty()).then_some(sampled))
}

#[cfg(test)]
mod tests {
    use aws_sdk_glue::types::{JdbcTarget, LastCrawlInfo, S3Target};

    use super::*;
    use crate::aws::collect::glue::tests::scope;

    #[test]
    fn a_crawler_says_what_it_crawls_and_not_what_went_wrong_in_words() {
        let targets = CrawlerTargets::builder().s3_targets(S3Target::builder().path("s3://lake/raw/").build());
        let targets = targets.jdbc_targets(JdbcTarget::builder().connection_name("orders").build()).build();
        let last = LastCrawlInfo::builder().error_message("Access denied to jane").build();
        let crawler = Crawler::builder().name("c").targets(targets).last_crawl(last).build();
        let row = row(&scope(vec![]), &crawler);
        assert_eq!((row.key("s3_targets"), row.int("other_targets")), (r#"["s3://lake/raw/"]"#, Some(1)));
        assert_eq!((row.key("last_crawl_error"), row.flag("sampled")), ("PERMISSION_ERROR", Some(false)));
    }
}
