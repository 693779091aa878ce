//! Glue and Lake Formation: what a test put in, page by page, and only what was asked for.
//!
//! Filters, tokens, limits and names are checked as the API model has them; what it refuses is refused.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Answer, Request};

/// One run of a job.
#[derive(Clone, Debug)]
pub struct Run {
    pub region: String,
    pub job: String,
    pub started: DateTime<Utc>,
    /// The rest of `JobRun`.
    pub body: Value,
}

impl Run {
    /// Returns a run that succeeded after 100 seconds on ten G.1X workers of us-east-1.
    pub fn new(job: &str, id: &str, started: DateTime<Utc>) -> Self {
        let body = json!({
            "Id": id, "Attempt": 0, "JobRunState": "SUCCEEDED", "ExecutionTime": 100, "GlueVersion": "4.0",
            "WorkerType": "G.1X", "NumberOfWorkers": 10, "MaxCapacity": 10.0, "Timeout": 480,
            "CompletedOn": started.timestamp() + 130,
        });
        Run { region: "us-east-1".into(), job: job.into(), started, body }
    }

    /// Sets a field of `JobRun`.
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.body[field] = value.into();
        self
    }
}

/// One crawl of a crawler.
#[derive(Clone, Debug)]
pub struct Crawl {
    pub region: String,
    pub crawler: String,
    pub started: DateTime<Utc>,
    pub dpu_hours: f64,
    pub state: &'static str,
}

/// What says which runs a job had.
pub type Runs = Box<dyn Fn(&str) -> Vec<Run> + Send>;

/// The account's Glue: each thing with the Region that it is in, in the form of the API.
pub struct Glue {
    pub jobs: Vec<(String, Value)>,
    pub runs: Vec<Run>,
    /// Runs of a job, newest first, where all of them are too many to hold.
    pub runs_by_formula: Option<Runs>,
    pub triggers: Vec<(String, Value)>,
    pub workflows: Vec<(String, Value)>,
    pub databases: Vec<(String, Value)>,
    /// Tables with their `DatabaseName`.
    pub tables: Vec<(String, Value)>,
    pub crawlers: Vec<(String, Value)>,
    pub crawls: Vec<Crawl>,
    pub sessions: Vec<(String, Value)>,
    pub endpoints: Vec<(String, Value)>,
    pub rulesets: Vec<(String, Value)>,
    /// Data-quality results in the form of a look-up.
    pub results: Vec<(String, Value)>,
    /// Tags by the ARN of a job.
    pub tags: BTreeMap<String, Value>,
    /// Catalogs beside the account's own.
    pub catalogs: Vec<(String, Value)>,
    /// `database.table.column` that has statistics.
    pub statistics: Vec<String>,
    /// `database.table.type` of optimizers that are on.
    pub optimizers: Vec<String>,
    /// Locations registered in Lake Formation.
    pub registered: Vec<(String, Value)>,
    /// Things on a page at most, whatever the caller asks for.
    pub page: usize,
}

impl Default for Glue {
    fn default() -> Self {
        Glue {
            jobs: Vec::new(),
            runs: Vec::new(),
            runs_by_formula: None,
            triggers: Vec::new(),
            workflows: Vec::new(),
            databases: Vec::new(),
            tables: Vec::new(),
            crawlers: Vec::new(),
            crawls: Vec::new(),
            sessions: Vec::new(),
            endpoints: Vec::new(),
            rulesets: Vec::new(),
            results: Vec::new(),
            tags: BTreeMap::new(),
            catalogs: Vec::new(),
            statistics: Vec::new(),
            optimizers: Vec::new(),
            registered: Vec::new(),
            page: 1_000,
        }
    }
}

/// The code and message of a refusal.
type Refusal = (&'static str, String);
type Played = Result<Value, Refusal>;

fn invalid(message: impl Into<String>) -> Refusal {
    ("InvalidInputException", message.into())
}

fn missing(what: &str, name: &str) -> Refusal {
    ("EntityNotFoundException", format!("{what} {name} not found."))
}

impl Glue {
    pub(super) fn answer(&self, request: &Request) -> Answer {
        let body = request.json();
        let played = match request.operation.as_str() {
            "glue:GetJobs" => self.list(request, &body, &self.jobs, "Jobs", 1_000),
            "glue:GetJobRuns" => self.job_runs(request, &body),
            "glue:GetTriggers" => self.list(request, &body, &self.triggers, "Triggers", 200),
            "glue:ListWorkflows" => self.workflow_names(request, &body),
            "glue:BatchGetWorkflows" => self.workflows(request, &body),
            "glue:GetDatabases" => self.list(request, &body, &self.databases, "DatabaseList", 100),
            "glue:GetCatalogs" => self.list(request, &body, &self.catalogs, "CatalogList", 1_000),
            "glue:GetTables" => self.tables(request, &body),
            "glue:BatchGetTableOptimizer" => self.optimizers(request, &body),
            "glue:GetColumnStatisticsForTable" => self.column_statistics(request, &body),
            "glue:GetCrawlers" => self.list(request, &body, &self.crawlers, "Crawlers", 1_000),
            "glue:ListCrawls" => self.crawls(request, &body),
            "glue:ListSessions" => self.list(request, &body, &self.sessions, "Sessions", 1_000),
            "glue:GetDevEndpoints" => self.list(request, &body, &self.endpoints, "DevEndpoints", 1_000),
            "glue:ListDataQualityRulesets" => self.list(request, &body, &self.rulesets, "Rulesets", 1_000),
            "glue:ListDataQualityResults" => self.results(request, &body),
            "glue:BatchGetDataQualityResult" => self.scores(request, &body),
            "glue:GetTags" => self.tags(request, &body),
            "lakeformation:ListResources" => self.list(request, &body, &self.registered, "ResourceInfoList", 1_000),
            _ => Err(("UnknownOperationException", "the tests' server does not play this operation".into())),
        };
        played.map_or_else(|(code, why)| request.refuse(400, code, &why), |body| Answer::json(&body))
    }

    fn list(&self, request: &Request, body: &Value, all: &[(String, Value)], field: &str, most: u64) -> Played {
        let here: Vec<Value> = here(request, all).cloned().collect();
        self.paged(&here, body, field, most)
    }

    /// Newest first.
    fn job_runs(&self, request: &Request, body: &Value) -> Played {
        let job = text(body, "JobName")?;
        if !here(request, &self.jobs).any(|known| known["Name"] == job) {
            return Err(missing("Job", job));
        }
        let made = self.runs_by_formula.as_ref().map(|formula| formula(job)).unwrap_or_default();
        let mut runs: Vec<&Run> =
            self.runs.iter().chain(&made).filter(|run| run.region == request.region && run.job == job).collect();
        runs.sort_by_key(|run| std::cmp::Reverse(run.started));
        let of = |run: &&Run| {
            let mut body = run.body.clone();
            body["JobName"] = json!(run.job);
            body["StartedOn"] = json!(run.started.timestamp());
            body
        };
        self.paged(&runs.iter().map(of).collect::<Vec<_>>(), body, "JobRuns", 200)
    }

    fn workflow_names(&self, request: &Request, body: &Value) -> Played {
        let names: Vec<Value> = here(request, &self.workflows).map(|flow| flow["Name"].clone()).collect();
        self.paged(&names, body, "Workflows", 25)
    }

    fn workflows(&self, request: &Request, body: &Value) -> Played {
        let names = body["Names"].as_array().ok_or_else(|| invalid("Names is missing"))?;
        if names.is_empty() || names.len() > 25 {
            return Err(invalid("1 to 25 names"));
        }
        let find = |name: &&Value| here(request, &self.workflows).find(|flow| flow["Name"] == **name);
        let unknown: Vec<_> = names.iter().filter(|name| find(name).is_none()).collect();
        Ok(
            json!({"Workflows": names.iter().filter_map(|name| find(&name)).collect::<Vec<_>>(), "MissingWorkflows": unknown}),
        )
    }

    fn tables(&self, request: &Request, body: &Value) -> Played {
        let database = text(body, "DatabaseName")?;
        let known = here(request, &self.databases).find(|known| known["Name"] == database);
        let known = known.ok_or_else(|| missing("Database", database))?;
        if !known["TargetDatabase"].is_null() || !known["FederatedDatabase"].is_null() {
            return Err(("FederationSourceException", "the tests' account holds no such tables".into()));
        }
        let tables: Vec<Value> =
            here(request, &self.tables).filter(|table| table["DatabaseName"] == database).cloned().collect();
        self.paged(&tables, body, "TableList", 100)
    }

    fn optimizers(&self, request: &Request, body: &Value) -> Played {
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        for entry in body["Entries"].as_array().ok_or_else(|| invalid("Entries is missing"))? {
            let (database, table) = (text(entry, "databaseName")?, text(entry, "tableName")?);
            let kind = text(entry, "type")?;
            self.known_table(request, database, table)?;
            let named = json!({"catalogId": entry["catalogId"], "databaseName": database, "tableName": table});
            if self.optimizers.contains(&format!("{database}.{table}.{kind}")) {
                let mut one = named;
                one["tableOptimizer"] = json!({"type": kind, "configuration": {"enabled": true}});
                found.push(one);
            } else {
                let mut one = named;
                one["type"] = json!(kind);
                one["error"] = json!({"ErrorCode": "EntityNotFoundException", "ErrorMessage": "no such optimizer"});
                failures.push(one);
            }
        }
        Ok(json!({"TableOptimizers": found, "Failures": failures}))
    }

    fn column_statistics(&self, request: &Request, body: &Value) -> Played {
        let (database, table) = (text(body, "DatabaseName")?, text(body, "TableName")?);
        self.known_table(request, database, table)?;
        let columns = body["ColumnNames"].as_array().ok_or_else(|| invalid("ColumnNames is missing"))?;
        if columns.len() > 100 {
            return Err(invalid("at most 100 column names"));
        }
        let (mut found, mut errors) = (Vec::new(), Vec::new());
        for name in columns.iter().filter_map(Value::as_str) {
            if self.statistics.contains(&format!("{database}.{table}.{name}")) {
                let data = json!({"Type": "LONG", "LongColumnStatisticsData": {"NumberOfNulls": 0, "NumberOfDistinctValues": 9}});
                found.push(
                    json!({"ColumnName": name, "ColumnType": "bigint", "AnalyzedTime": 0, "StatisticsData": data}),
                );
            } else {
                errors.push(json!({"ColumnName": name, "Error": {"ErrorCode": "EntityNotFoundException"}}));
            }
        }
        Ok(json!({"ColumnStatisticsList": found, "Errors": errors}))
    }

    fn known_table(&self, request: &Request, database: &str, name: &str) -> Result<(), Refusal> {
        let is = |table: &&Value| table["DatabaseName"] == database && table["Name"] == name;
        here(request, &self.tables).find(is).map(|_| ()).ok_or_else(|| missing("Table", name))
    }

    /// Only the filter by start time is played.
    fn crawls(&self, request: &Request, body: &Value) -> Played {
        let crawler = text(body, "CrawlerName")?;
        if !here(request, &self.crawlers).any(|known| known["Name"] == crawler) {
            return Err(missing("Crawler", crawler));
        }
        let mut since = i64::MIN;
        for filter in body["Filters"].as_array().into_iter().flatten() {
            if (text(filter, "FieldName")?, text(filter, "FilterOperator")?) != ("START_TIME", "GE") {
                return Err(invalid("the tests' server only knows START_TIME GE"));
            }
            since =
                text(filter, "FieldValue")?.parse().map_err(|_| invalid("FieldValue is no epoch in milliseconds"))?;
        }
        let of = |crawl: &&Crawl| crawl.region == request.region && crawl.crawler == crawler;
        let mut crawls: Vec<&Crawl> = self.crawls.iter().filter(of).collect();
        crawls.retain(|crawl| crawl.started.timestamp_millis() >= since);
        crawls.sort_by_key(|crawl| std::cmp::Reverse(crawl.started));
        self.paged(&crawls.into_iter().map(Crawl::json).collect::<Vec<_>>(), body, "Crawls", 100)
    }

    fn results(&self, request: &Request, body: &Value) -> Played {
        let after = body["Filter"]["StartedAfter"].as_f64().unwrap_or(f64::MIN);
        let of = |result: &&Value| result["StartedOn"].as_f64().unwrap() > after;
        let results: Vec<Value> = here(request, &self.results).filter(of).map(listed).collect();
        self.paged(&results, body, "Results", 1_000)
    }

    fn scores(&self, request: &Request, body: &Value) -> Played {
        let ids = body["ResultIds"].as_array().ok_or_else(|| invalid("ResultIds is missing"))?;
        if ids.is_empty() || ids.len() > 100 {
            return Err(invalid("1 to 100 result ids"));
        }
        let find = |id: &Value| here(request, &self.results).find(|result| result["ResultId"] == *id);
        let unknown: Vec<&Value> = ids.iter().filter(|id| find(id).is_none()).collect();
        Ok(json!({"Results": ids.iter().filter_map(find).collect::<Vec<_>>(), "ResultsNotFound": unknown}))
    }

    /// The only tags that are played are those of jobs.
    fn tags(&self, request: &Request, body: &Value) -> Played {
        let arn = text(body, "ResourceArn")?;
        let (_, job) = arn.split_once(":job/").ok_or_else(|| invalid("the ARN is of no job"))?;
        if !arn.starts_with(&format!("arn:aws:glue:{}:", request.region)) {
            return Err(invalid("the ARN is of another Region"));
        }
        here(request, &self.jobs).find(|known| known["Name"] == job).ok_or_else(|| missing("Job", job))?;
        Ok(json!({"Tags": self.tags.get(arn).cloned().unwrap_or_else(|| json!({}))}))
    }

    fn paged(&self, items: &[Value], body: &Value, field: &str, most: u64) -> Played {
        let asked = match &body["MaxResults"] {
            Value::Null => most,
            asked => asked.as_u64().filter(|asked| (1..=most).contains(asked)).ok_or_else(|| invalid("MaxResults"))?,
        };
        let from = match body["NextToken"].as_str() {
            None => 0,
            Some(token) => {
                let at = token.strip_prefix(field).and_then(|at| at.strip_prefix(':')?.parse().ok());
                at.ok_or_else(|| invalid("the token is of another list"))?
            }
        };
        let end = (from + usize::try_from(asked).unwrap().min(self.page)).min(items.len());
        let mut answer = json!({field: items.get(from..end).unwrap_or_default()});
        if end < items.len() {
            answer["NextToken"] = json!(format!("{field}:{end}"));
        }
        Ok(answer)
    }
}

impl Crawl {
    fn json(&self) -> Value {
        let mut crawl = json!({
            "CrawlId": format!("{}-{}", self.crawler, self.started.timestamp()),
            "State": self.state,
            "StartTime": self.started.timestamp(),
            "DPUHour": self.dpu_hours,
            "Summary": "{\"TABLE\":{\"UPDATE\":{\"Count\":1,\"Details\":{\"names\":[\"orders\"]}}}}",
        });
        if self.state != "RUNNING" {
            crawl["EndTime"] = json!(self.started.timestamp() + 60);
        }
        crawl
    }
}

/// Returns what the list says of a data-quality result.
fn listed(result: &Value) -> Value {
    let named = ["ResultId", "DataSource", "JobName", "JobRunId", "StartedOn"].into_iter();
    let kept = named.filter(|name| !result[*name].is_null()).map(|name| (name.to_owned(), result[name].clone()));
    Value::Object(kept.collect())
}

fn here<'a>(request: &'a Request, all: &'a [(String, Value)]) -> impl Iterator<Item = &'a Value> {
    all.iter().filter(|(region, _)| *region == request.region).map(|(_, value)| value)
}

fn text<'a>(body: &'a Value, field: &str) -> Result<&'a str, Refusal> {
    body[field].as_str().filter(|text| !text.is_empty()).ok_or_else(|| invalid(format!("{field} is missing")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glue() -> Glue {
        let jobs = (0..5).map(|n| ("us-east-1".to_owned(), json!({"Name": format!("j{n}")}))).collect();
        Glue { jobs, page: 2, ..Glue::default() }
    }

    #[test]
    fn pages_end_and_tokens_of_another_list_are_refused() {
        let glue = glue();
        let items: Vec<Value> = (0..5).map(Value::from).collect();
        let first = glue.paged(&items, &json!({"MaxResults": 3}), "Jobs", 1_000).unwrap();
        assert_eq!((first["Jobs"].as_array().unwrap().len(), first["NextToken"].as_str()), (2, Some("Jobs:2")));
        let last = glue.paged(&items, &json!({"NextToken": "Jobs:4"}), "Jobs", 1_000).unwrap();
        assert!(last["NextToken"].is_null());
        assert!(glue.paged(&items, &json!({"NextToken": "Jobs:2"}), "Triggers", 200).is_err());
        assert!(glue.paged(&items, &json!({"MaxResults": 201}), "Triggers", 200).is_err());
    }
}
