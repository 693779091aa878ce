//! Who asks the demo's Athena what, and how often: dashboards, pipelines, people. Texts and schedules only.

use super::catalog::{ANALYTICS, IRELAND, PLATFORM, SCIENCE, TOKYO, VIRGINIA};

/// A workgroup of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workgroup {
    /// Account.
    pub account: &'static str,
    /// Region.
    pub region: &'static str,
    /// Name.
    pub name: &'static str,
    /// True when `GetWorkGroup` answers.
    pub readable: bool,
    /// Bytes after which a query is cancelled.
    pub cutoff: Option<i64>,
}

/// Dashboards of the Americas.
pub const BI: Workgroup = workgroup(ANALYTICS, VIRGINIA, "bi-dashboards", None);
/// Dashboards of Europe.
pub const BI_EMEA: Workgroup = workgroup(ANALYTICS, IRELAND, "bi-emea", None);
/// People.
pub const ADHOC: Workgroup = workgroup(ANALYTICS, VIRGINIA, "adhoc", Some(5 << 40));
/// Pipelines.
pub const ETL: Workgroup = workgroup(PLATFORM, VIRGINIA, "etl", None);
/// Pipelines in Europe.
pub const ETL_EU: Workgroup = workgroup(PLATFORM, IRELAND, "etl-eu", None);
/// Notebooks; its settings may not be read.
pub const NOTEBOOKS: Workgroup = Workgroup { readable: false, ..workgroup(SCIENCE, VIRGINIA, "notebooks", None) };
/// The one that every account has.
pub const PRIMARY: Workgroup = workgroup(PLATFORM, TOKYO, "primary", None);

/// Every workgroup.
pub const WORKGROUPS: &[Workgroup] = &[BI, BI_EMEA, ADHOC, ETL, ETL_EU, NOTEBOOKS, PRIMARY];

const fn workgroup(account: &'static str, region: &'static str, name: &'static str, cutoff: Option<i64>) -> Workgroup {
    Workgroup { account, region, name, readable: true, cutoff }
}

/// What a statement does; decides whether its answer can be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    /// Reads, and answers the same while its tables stay the same.
    Select,
    /// Reads, but takes some rows of many.
    Sample,
    /// Reads, and depends on the clock.
    Clock,
    /// `INSERT`.
    Insert,
    /// `CREATE TABLE AS`.
    Ctas,
    /// `UNLOAD`.
    Unload,
}

/// A text that is run on a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panel {
    /// Where it runs.
    pub workgroup: Workgroup,
    /// Database of its context.
    pub database: &'static str,
    /// What it does.
    pub statement: Statement,
    /// The exact text; `{day}` stands for the date of the run.
    pub text: &'static str,
    /// Minutes between runs.
    pub every: i64,
    /// Hours of the day: from, and up to.
    pub hours: (i64, i64),
    /// True when it also runs on weekends.
    pub weekends: bool,
    /// What it scans, in GiB.
    pub scan_gib: i64,
    /// Minutes between writes to its tables.
    pub written_every: i64,
    /// Age that its caller allows an earlier answer, in minutes.
    pub reuse: Option<i64>,
    /// Days before the newest scan when it was switched on.
    pub since: Option<i32>,
}

const PANEL: Panel = Panel {
    workgroup: BI,
    database: "mart_sales",
    statement: Statement::Select,
    text: "",
    every: 60,
    hours: (0, 24),
    weekends: true,
    scan_gib: 100,
    written_every: 1440,
    reuse: None,
    since: None,
};

/// Every text on a schedule.
pub const PANELS: &[Panel] = &[
    Panel {
        text: "SELECT region, sum(net_revenue) AS revenue FROM orders_daily WHERE fiscal_year = 2026 GROUP BY region ORDER BY revenue DESC",
        every: 30,
        hours: (6, 20),
        weekends: false,
        scan_gib: 190,
        ..PANEL
    },
    Panel {
        text: "SELECT step, count(distinct visitor_id) FROM funnel_hourly WHERE shop IN ('de', 'fr', 'us') GROUP BY step ORDER BY step",
        every: 30,
        scan_gib: 120,
        written_every: 60,
        ..PANEL
    },
    Panel {
        database: "stream_ops",
        text: "SELECT service, approx_percentile(latency_ms, 0.99) FROM request_events WHERE status >= 500 GROUP BY service",
        every: 15,
        scan_gib: 36,
        written_every: 1,
        ..PANEL
    },
    Panel {
        text: "SELECT kpi, value, target FROM exec_kpis WHERE dt = DATE '{day}' ORDER BY kpi",
        hours: (7, 19),
        weekends: false,
        scan_gib: 390,
        ..PANEL
    },
    Panel {
        database: "crm",
        statement: Statement::Sample,
        text: "SELECT * FROM customer_360 WHERE segment = 'vip' LIMIT 500",
        scan_gib: 150,
        ..PANEL
    },
    Panel {
        statement: Statement::Clock,
        database: "web",
        text: "SELECT page, count(*) FROM sessions WHERE started > now() - interval '30' minute GROUP BY page",
        scan_gib: 115,
        written_every: 5,
        ..PANEL
    },
    Panel {
        database: "inventory",
        text: "SELECT warehouse, sku, on_hand FROM stock_snapshot WHERE on_hand < 10 ORDER BY warehouse, sku",
        every: 30,
        scan_gib: 34,
        written_every: 240,
        reuse: Some(120),
        ..PANEL
    },
    Panel {
        database: "ads",
        text: "SELECT campaign, sum(impressions), sum(clicks) FROM ad_events_all_time WHERE account_id = 4711 GROUP BY campaign ORDER BY campaign",
        every: 30,
        scan_gib: 270,
        since: Some(8),
        ..PANEL
    },
    Panel {
        database: "=cmd|' /C calc'!A0",
        text: "SELECT \"a|b\", \"<script>alert(1)</script>\", \"\u{202e}sdrawkcab\" FROM \"@team\".\"`tick`\" WHERE note = '\u{1b}[31mred' ORDER BY 1",
        every: 360,
        scan_gib: 3,
        ..PANEL
    },
    Panel {
        workgroup: BI_EMEA,
        text: "SELECT country, week, sum(margin) FROM margin_weekly WHERE brand = 'northwind' GROUP BY country, week ORDER BY country, week",
        every: 30,
        hours: (6, 18),
        weekends: false,
        scan_gib: 205,
        ..PANEL
    },
    Panel {
        workgroup: BI_EMEA,
        database: "logistics",
        text: "SELECT carrier, avg(delay_hours) FROM parcels WHERE shipped >= DATE '2026-01-01' GROUP BY carrier ORDER BY carrier",
        scan_gib: 88,
        written_every: 720,
        ..PANEL
    },
    Panel {
        workgroup: ETL,
        database: "curated",
        statement: Statement::Insert,
        text: "INSERT INTO curated.orders SELECT * FROM raw.orders_stream WHERE batch = '{day}'",
        scan_gib: 290,
        ..PANEL
    },
    Panel {
        workgroup: ETL,
        database: "mart",
        statement: Statement::Ctas,
        text: "CREATE TABLE mart.ltv_new WITH (format = 'PARQUET') AS SELECT customer_id, sum(value) v FROM curated.orders WHERE dt < DATE '{day}' GROUP BY customer_id",
        every: 480,
        scan_gib: 1_500,
        ..PANEL
    },
    Panel {
        workgroup: ETL,
        database: "export",
        statement: Statement::Unload,
        text: "UNLOAD (SELECT * FROM curated.payments WHERE dt = '{day}') TO 's3://nw-export-partners/payments/' WITH (format = 'PARQUET')",
        every: 1440,
        scan_gib: 800,
        ..PANEL
    },
    Panel {
        workgroup: ETL_EU,
        database: "curated",
        statement: Statement::Insert,
        text: "INSERT INTO curated.shipments SELECT * FROM raw.shipments WHERE batch = '{day}'",
        every: 120,
        scan_gib: 150,
        ..PANEL
    },
    Panel {
        workgroup: PRIMARY,
        database: "iot",
        text: "SELECT device_type, count(*) FROM readings WHERE dt = DATE '{day}' GROUP BY device_type ORDER BY device_type",
        every: 360,
        scan_gib: 62,
        ..PANEL
    },
];
