//! How much a scan reads, from the configuration: its defaults, its budgets and what is left out. Asks AWS nothing.

use super::Context;
use crate::aws::collect::advice::Adviser;
use crate::aws::collect::{Options, glue};
use crate::config::{self, Config, Key};

/// Returns what the configuration says of a scan.
pub fn options(context: &Context) -> Options {
    let (config, usual) = (&context.config, Options::default());
    let count = |key: &Key, usual: u32| config.count(key).unwrap_or(usual);
    Options {
        regions: config.texts(&config::REGIONS).to_vec(),
        cost_tags: config.texts(&config::COST_TAGS).to_vec(),
        history_days: config.days(&config::HISTORY_DAYS).unwrap_or(usual.history_days),
        advisers: Adviser::ALL.into_iter().filter(|adviser| !is_left_out(config, *adviser)).collect(),
        queries: count(&config::BUDGET_QUERIES, usual.queries),
        uploads: count(&config::BUDGET_UPLOADS, usual.uploads),
        list_parts: count(&config::BUDGET_LIST_PARTS, usual.list_parts),
        emr_clusters: count(&config::BUDGET_EMR_CLUSTERS, usual.emr_clusters),
        emr_serverless_runs: count(&config::BUDGET_EMR_SERVERLESS_RUNS, usual.emr_serverless_runs),
        glue: glue::Limits {
            runs: count(&config::BUDGET_GLUE_RUNS, usual.glue.runs),
            crawls: count(&config::BUDGET_GLUE_CRAWLS, usual.glue.crawls),
            tables: count(&config::BUDGET_GLUE_TABLES, usual.glue.tables),
            statistics: count(&config::BUDGET_GLUE_STATISTICS, usual.glue.statistics),
            tags: count(&config::BUDGET_GLUE_TAGS, usual.glue.tags),
            quality: count(&config::BUDGET_GLUE_QUALITY, usual.glue.quality),
            ..usual.glue
        },
        ..usual
    }
}

fn is_left_out(config: &Config, adviser: Adviser) -> bool {
    config.texts(&config::WITHOUT).iter().any(|name| name == adviser.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Files;

    #[test]
    fn the_defaults_of_the_keys_are_those_of_the_collectors() {
        let config = Config::load(Vec::new(), &Files::default()).unwrap();
        let usual = Options::default();
        for (key, number) in [
            (&config::BUDGET_QUERIES, usual.queries),
            (&config::BUDGET_UPLOADS, usual.uploads),
            (&config::BUDGET_LIST_PARTS, usual.list_parts),
            (&config::BUDGET_EMR_CLUSTERS, usual.emr_clusters),
            (&config::BUDGET_EMR_SERVERLESS_RUNS, usual.emr_serverless_runs),
            (&config::BUDGET_GLUE_RUNS, usual.glue.runs),
            (&config::BUDGET_GLUE_CRAWLS, usual.glue.crawls),
            (&config::BUDGET_GLUE_TABLES, usual.glue.tables),
            (&config::BUDGET_GLUE_STATISTICS, usual.glue.statistics),
            (&config::BUDGET_GLUE_TAGS, usual.glue.tags),
            (&config::BUDGET_GLUE_QUALITY, usual.glue.quality),
        ] {
            assert_eq!(config.count(key), Some(number), "{}", key.name);
        }
        assert_eq!(config.days(&config::HISTORY_DAYS), Some(usual.history_days));
        assert_eq!(config::ADVISERS.all, Adviser::ALL.map(Adviser::name));
    }
}
