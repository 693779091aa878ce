//! Glue in one Region: jobs and their runs, what starts them, the catalog, crawlers, sessions, data quality.
//!
//! No value of an argument that could be a secret, no text of an error and no data leave this folder.

mod arguments;
mod capacity;
mod catalog;
mod cause;
mod crawlers;
mod crawls;
mod databases;
mod format;
mod jobs;
mod limits;
mod optimizers;
mod past;
mod quality;
mod registered;
mod run;
mod runs;
mod sessions;
mod statistics;
mod tables;
mod tags;
mod triggers;
mod workflows;

use aws_sdk_glue::Client;

pub use limits::Limits;

use super::{Read, Scope, Sink};
use crate::model::Row;
use crate::store::tables::glue::{
    GLUE_CRAWLERS, GLUE_DEV_ENDPOINTS, GLUE_JOBS, GLUE_SESSIONS, GLUE_TRIGGER_CONDITIONS, GLUE_TRIGGERS,
};

/// The calls of this collector.
pub const READS: &[Read] = &[
    jobs::JOBS,
    tags::TAGS,
    runs::RUNS,
    triggers::TRIGGERS,
    triggers::CONDITIONS,
    workflows::NAMES,
    workflows::WORKFLOWS,
    crawlers::CRAWLERS,
    crawls::CRAWLS,
    sessions::SESSIONS,
    sessions::ENDPOINTS,
    quality::RULESETS,
    quality::RESULTS,
    quality::SCORES,
    databases::DATABASES,
    databases::CATALOGS,
    tables::TABLES,
    tables::COUNT,
    optimizers::OPTIMIZERS,
    statistics::STATISTICS,
    registered::REGISTERED,
];

/// Reads Glue in the scope's Region.
pub async fn collect(scope: &Scope, sink: &Sink) {
    let client = &scope.glue();
    // On the heap: together they would be a large part of a task's stack.
    tokio::join!(
        Box::pin(pipelines(scope, sink, client)),
        Box::pin(catalog::read(scope, sink, client)),
        Box::pin(crawls(scope, sink, client)),
        Box::pin(idle(scope, sink, client)),
        Box::pin(quality::read(scope, sink, client)),
    );
}

/// Jobs, their runs, and what starts them.
async fn pipelines(scope: &Scope, sink: &Sink, client: &Client) {
    let jobs = jobs::jobs(scope, client).await;
    jobs.cover(scope, sink, &jobs::JOBS, &[&runs::RUNS]).await;
    let used = runs::read(scope, sink, client, &jobs.found).await;
    let mut rows: Vec<Row> = jobs.found.iter().map(|job| jobs::row(scope, job)).collect();
    tags::read(scope, sink, client, &mut rows, &used).await;
    sink.rows(&GLUE_JOBS, rows).await;
    let triggers = triggers::triggers(scope, client).await;
    let (mut started, mut awaited) = (Vec::new(), Vec::new());
    for trigger in &triggers.found {
        started.extend(triggers::rows(scope, trigger));
        awaited.extend(triggers::conditions(scope, trigger));
    }
    sink.rows(&GLUE_TRIGGERS, started).await;
    sink.rows(&GLUE_TRIGGER_CONDITIONS, awaited).await;
    triggers.cover(scope, sink, &triggers::TRIGGERS, &[]).await;
    triggers.cover(scope, sink, &triggers::CONDITIONS, &[]).await;
    workflows::read(scope, sink, client).await;
}

/// Crawlers and what each crawl used.
async fn crawls(scope: &Scope, sink: &Sink, client: &Client) {
    let crawlers = crawlers::crawlers(scope, client).await;
    sink.rows(&GLUE_CRAWLERS, crawlers.found.iter().map(|crawler| crawlers::row(scope, crawler)).collect()).await;
    crawlers.cover(scope, sink, &crawlers::CRAWLERS, &[&crawls::CRAWLS]).await;
    let names: Vec<String> = crawlers.found.iter().filter_map(|found| found.name().map(str::to_owned)).collect();
    crawls::read(scope, sink, client, &names).await;
}

/// What is billed while nobody looks.
async fn idle(scope: &Scope, sink: &Sink, client: &Client) {
    let sessions = sessions::sessions(scope, client).await;
    sink.rows(&GLUE_SESSIONS, sessions.found.iter().map(|found| sessions::session(scope, found)).collect()).await;
    sessions.cover(scope, sink, &sessions::SESSIONS, &[]).await;
    let endpoints = sessions::endpoints(scope, client).await;
    sink.rows(&GLUE_DEV_ENDPOINTS, endpoints.found.iter().map(|found| sessions::endpoint(scope, found)).collect())
        .await;
    endpoints.cover(scope, sink, &sessions::ENDPOINTS, &[]).await;
}

/// Returns the row with its account and Region.
fn place(row: Row, scope: &Scope) -> Row {
    row.with("account_id", scope.account_id.as_str()).with("region", scope.region.as_str())
}

#[cfg(test)]
mod tests;
