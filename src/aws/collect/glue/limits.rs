//! How much of Glue one scan of a Region reads; what is cut is coverage.

/// Limits of the Glue collector, each for one Region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Days of history to read on the first scan. Glue itself keeps 90 of job runs and 12 months of crawls.
    pub days: u32,
    /// Most job runs.
    pub runs: u32,
    /// Most crawls.
    pub crawls: u32,
    /// Most tables.
    pub tables: u32,
    /// Most tables to ask for column statistics, largest first: each is a request of its own.
    pub statistics: u32,
    /// Most jobs to ask for their tags, those first that used the most: each is a request of its own.
    pub tags: u32,
    /// Most data-quality results to look up, newest first, a hundred in one request.
    pub quality: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { days: 90, runs: 200_000, crawls: 20_000, tables: 100_000, statistics: 300, tags: 200, quality: 20_000 }
    }
}
