//! Athena: workgroups, and a history of queries with real statistics.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Answer, Request};

/// One workgroup.
pub struct Workgroup {
    pub region: String,
    pub name: String,
    /// `WorkGroup.Configuration` of GetWorkGroup.
    pub configuration: Value,
}

/// One query that ran.
#[derive(Clone, Debug)]
pub struct Query {
    pub region: String,
    pub workgroup: String,
    pub id: String,
    pub text: String,
    pub submitted: DateTime<Utc>,
    pub seconds: u32,
    pub bytes: u64,
    pub state: &'static str,
    pub parameters: Vec<String>,
}

impl Query {
    /// Returns a SELECT that succeeded after ten seconds in `primary` of us-east-1.
    pub fn new(id: &str, text: &str, submitted: DateTime<Utc>, bytes: u64) -> Self {
        Query {
            region: "us-east-1".into(),
            workgroup: "primary".into(),
            id: id.into(),
            text: text.into(),
            submitted,
            seconds: 10,
            bytes,
            state: "SUCCEEDED",
            parameters: Vec::new(),
        }
    }

    fn json(&self) -> Value {
        let millis = u64::from(self.seconds) * 1_000;
        json!({
            "QueryExecutionId": self.id,
            "Query": self.text,
            "StatementType": "DML",
            "SubstatementType": "SELECT",
            "ResultConfiguration": {"OutputLocation": format!("s3://results/{}.csv", self.id)},
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": false}},
            "QueryExecutionContext": {"Database": "lake", "Catalog": "awsdatacatalog"},
            "Status": {
                "State": self.state,
                "SubmissionDateTime": self.submitted.timestamp(),
                "CompletionDateTime": self.submitted.timestamp() + i64::from(self.seconds),
            },
            "Statistics": {
                "EngineExecutionTimeInMillis": millis - 500,
                "DataScannedInBytes": self.bytes,
                "TotalExecutionTimeInMillis": millis,
                "QueryQueueTimeInMillis": 300,
                "QueryPlanningTimeInMillis": 120,
                "ServicePreProcessingTimeInMillis": 30,
                "ServiceProcessingTimeInMillis": 200,
                "ResultReuseInformation": {"ReusedPreviousResult": false},
            },
            "WorkGroup": self.workgroup,
            "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"},
            "ExecutionParameters": self.parameters,
        })
    }
}

/// One capacity reservation.
#[derive(Clone, Debug)]
pub struct Reservation {
    pub region: String,
    pub name: String,
    pub target: u32,
    pub allocated: u32,
    pub created: DateTime<Utc>,
    /// Workgroups assigned.
    pub workgroups: Vec<String>,
}

impl Reservation {
    fn json(&self) -> Value {
        json!({
            "Name": self.name, "Status": "ACTIVE", "TargetDpus": self.target, "AllocatedDpus": self.allocated,
            "CreationTime": self.created.timestamp(), "LastSuccessfulAllocationTime": self.created.timestamp() + 600,
            "LastAllocation": {"Status": "SUCCEEDED", "RequestTime": self.created.timestamp()},
        })
    }
}

/// What a query comes to.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// Why it fails; it succeeds without.
    pub fails: Option<&'static str>,
    pub scanned: u64,
    /// Name and type of each column.
    pub columns: Vec<(&'static str, &'static str)>,
    pub rows: Vec<Vec<Option<String>>>,
}

/// A statement that was started.
#[derive(Clone, Debug)]
pub struct Statement {
    pub text: String,
    pub workgroup: String,
    /// True after the first look, which finds it queued.
    seen: bool,
    stopped: bool,
    reply: Reply,
}

/// A history that is worked out when it is asked for.
pub struct Formula {
    /// How many queries were submitted before a day began, however long ago.
    pub before: Box<dyn Fn(NaiveDate) -> usize + Send>,
    /// One of them by its place, oldest first.
    pub query: Box<dyn Fn(usize) -> Query + Send>,
    /// The place that an id names.
    pub place: fn(&str) -> Option<usize>,
}

impl Formula {
    /// Returns a page of ids, newest first, of the days from `oldest` on.
    fn page(&self, body: &Value, most: usize, oldest: NaiveDate, today: NaiveDate) -> Value {
        let (first, end) = ((self.before)(oldest), (self.before)(today));
        let before = body["NextToken"].as_str().and_then(|token| token.parse().ok()).unwrap_or(end);
        let from = before.saturating_sub(most).max(first);
        let ids: Vec<String> = (from..before).rev().map(|place| (self.query)(place).id).collect();
        let mut answer = json!({"QueryExecutionIds": ids});
        if from > first {
            answer["NextToken"] = json!(from.to_string());
        }
        answer
    }
}

/// The account's Athena. Every Region has a workgroup `primary`.
pub struct Athena {
    pub workgroups: Vec<Workgroup>,
    pub queries: Vec<Query>,
    /// The history of `primary` where it is too long to hold.
    pub by_formula: Option<Formula>,
    pub reservations: Vec<Reservation>,
    /// What the next queries come to, in their order.
    pub replies: Vec<Reply>,
    /// Tables that were made and not dropped, as statements name them.
    pub tables: BTreeSet<String>,
    /// Statements that were started.
    pub statements: Vec<Statement>,
    /// Things on a page, at most 50.
    pub page: usize,
}

impl Default for Athena {
    fn default() -> Self {
        Athena {
            workgroups: Vec::new(),
            queries: Vec::new(),
            by_formula: None,
            reservations: Vec::new(),
            replies: Vec::new(),
            tables: BTreeSet::new(),
            statements: Vec::new(),
            page: 50,
        }
    }
}

impl Athena {
    pub(super) fn answer(&mut self, request: &Request, today: NaiveDate) -> Answer {
        let body = request.json();
        let answer = match request.operation.as_str() {
            "athena:ListWorkGroups" => self.list_workgroups(request, &body),
            "athena:GetWorkGroup" => self.get_workgroup(request, &body),
            "athena:ListQueryExecutions" => self.list_queries(request, &body, today),
            "athena:BatchGetQueryExecution" => self.queries_by_id(request, &body),
            "athena:StartQueryExecution" => self.start(request, &body),
            "athena:GetQueryExecution" => self.look(&body),
            "athena:GetQueryResults" => self.results(&body),
            "athena:StopQueryExecution" => self.stop(&body),
            "athena:ListCapacityReservations" => self.list_reservations(request, &body),
            "athena:GetCapacityAssignmentConfiguration" => self.assignments(request, &body),
            _ => Err("the tests' server does not play this operation".into()),
        };
        answer.map_or_else(|why| request.refuse(400, "InvalidRequestException", &why), |body| Answer::json(&body))
    }

    /// Returns the names of a Region, `primary` first.
    fn names(&self, region: &str) -> Vec<&str> {
        let own = self.workgroups.iter().filter(|group| group.region == region).map(|group| group.name.as_str());
        ["primary"].into_iter().chain(own.filter(|name| *name != "primary")).collect()
    }

    fn list_workgroups(&self, request: &Request, body: &Value) -> Result<Value, String> {
        let group = |name: &&str| json!({"Name": name, "State": "ENABLED", "EngineVersion": {"EffectiveEngineVersion": "Athena engine version 3"}});
        let groups: Vec<Value> = self.names(&request.region).iter().map(group).collect();
        self.page(&groups, body, "WorkGroups")
    }

    fn get_workgroup(&self, request: &Request, body: &Value) -> Result<Value, String> {
        let name = self.known(request, body)?;
        let own = self.workgroups.iter().find(|group| group.name == name && group.region == request.region);
        let plain = json!({
            "ResultConfiguration": {}, "EnforceWorkGroupConfiguration": false, "PublishCloudWatchMetricsEnabled": false,
            "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"},
        });
        let configuration = own.map_or(plain, |group| group.configuration.clone());
        Ok(json!({"WorkGroup": {"Name": name, "State": "ENABLED", "Configuration": configuration}}))
    }

    /// Makes or drops a table at once, or takes the next reply.
    fn start(&mut self, request: &Request, body: &Value) -> Result<Value, String> {
        let (workgroup, text) =
            (self.known(request, body)?, body["QueryString"].as_str().unwrap_or_default().to_owned());
        let named = |text: &str| text.split('`').filter(|name| !name.is_empty()).collect::<Vec<_>>()[1..4].concat();
        let reply = if text.starts_with("CREATE EXTERNAL TABLE `") {
            let exists = !self.tables.insert(named(&text));
            Reply { fails: exists.then_some("the table exists"), ..Reply::default() }
        } else if text.starts_with("DROP TABLE IF EXISTS `") {
            self.tables.remove(&named(&text));
            Reply::default()
        } else if self.replies.is_empty() {
            return Err("the test gave this query no reply".into());
        } else {
            self.replies.remove(0)
        };
        self.statements.push(Statement { text, workgroup, seen: false, stopped: false, reply });
        Ok(json!({"QueryExecutionId": format!("run-{}", self.statements.len() - 1)}))
    }

    fn statement(&mut self, body: &Value) -> Result<&mut Statement, String> {
        let id = body["QueryExecutionId"].as_str().unwrap_or_default();
        let place = id.strip_prefix("run-").and_then(|place| place.parse::<usize>().ok());
        place
            .and_then(|place| self.statements.get_mut(place))
            .ok_or_else(|| format!("QueryExecution {id} was not found"))
    }

    fn look(&mut self, body: &Value) -> Result<Value, String> {
        let statement = self.statement(body)?;
        let ended = if statement.reply.fails.is_some() { "FAILED" } else { "SUCCEEDED" };
        let state = match (statement.stopped, std::mem::replace(&mut statement.seen, true)) {
            (true, _) => "CANCELLED",
            (false, true) => ended,
            (false, false) => "QUEUED",
        };
        let scanned = if state == "QUEUED" { 0 } else { statement.reply.scanned };
        let status = json!({"State": state, "StateChangeReason": statement.reply.fails});
        Ok(json!({"QueryExecution": {
            "QueryExecutionId": body["QueryExecutionId"], "Query": statement.text, "WorkGroup": statement.workgroup,
            "Status": status, "Statistics": {"DataScannedInBytes": scanned},
        }}))
    }

    fn results(&mut self, body: &Value) -> Result<Value, String> {
        let most = self.page;
        let Reply { columns, rows, .. } = &self.statement(body)?.reply;
        let names = columns.iter().map(|(name, _)| Some((*name).to_owned())).collect::<Vec<_>>();
        let all: Vec<&Vec<Option<String>>> = std::iter::once(&names).chain(rows).collect();
        let from = body["NextToken"].as_str().and_then(|token| token.parse().ok()).unwrap_or(0);
        let end = (from + most).min(all.len());
        let datum = |text: &Option<String>| text.as_ref().map_or(json!({}), |text| json!({"VarCharValue": text}));
        let row = |row: &&Vec<Option<String>>| json!({"Data": row.iter().map(datum).collect::<Vec<_>>()});
        let info = |(name, kind): &(&str, &str)| json!({"Name": name, "Type": kind});
        let mut answer = json!({"ResultSet": {
            "Rows": all[from..end].iter().map(row).collect::<Vec<_>>(),
            "ResultSetMetadata": {"ColumnInfo": columns.iter().map(info).collect::<Vec<_>>()},
        }});
        if end < all.len() {
            answer["NextToken"] = json!(end.to_string());
        }
        Ok(answer)
    }

    fn stop(&mut self, body: &Value) -> Result<Value, String> {
        self.statement(body)?.stopped = true;
        Ok(json!({}))
    }

    fn list_reservations(&self, request: &Request, body: &Value) -> Result<Value, String> {
        let own = self.reservations.iter().filter(|reservation| reservation.region == request.region);
        self.page(&own.map(Reservation::json).collect::<Vec<_>>(), body, "CapacityReservations")
    }

    fn assignments(&self, request: &Request, body: &Value) -> Result<Value, String> {
        let name = body["CapacityReservationName"].as_str().unwrap_or_default();
        let own = self.reservations.iter().find(|known| known.region == request.region && known.name == name);
        let own = own.ok_or_else(|| format!("Capacity reservation {name} is not found."))?;
        let assignments = json!([{"WorkGroupNames": own.workgroups}]);
        Ok(json!({"CapacityAssignmentConfiguration": {
            "CapacityReservationName": name, "CapacityAssignments": assignments,
        }}))
    }

    /// Newest first, the last 45 days only.
    fn list_queries(&self, request: &Request, body: &Value, today: NaiveDate) -> Result<Value, String> {
        let name = self.known(request, body)?;
        let oldest = today.checked_sub_days(Days::new(45)).unwrap();
        if let Some(formula) = self.by_formula.as_ref().filter(|_| name == "primary" && request.region == "us-east-1") {
            return Ok(formula.page(body, self.page, oldest, today));
        }
        let oldest = oldest.and_time(NaiveTime::MIN).and_utc();
        let mut queries: Vec<&Query> = self.queries.iter().filter(|query| query.is_in(request, &name)).collect();
        queries.retain(|query| query.submitted >= oldest);
        queries.sort_by(|a, b| (b.submitted, &b.id).cmp(&(a.submitted, &a.id)));
        self.page(&queries.iter().map(|query| json!(query.id)).collect::<Vec<_>>(), body, "QueryExecutionIds")
    }

    fn queries_by_id(&self, request: &Request, body: &Value) -> Result<Value, String> {
        let ids: Vec<&str> =
            body["QueryExecutionIds"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if ids.is_empty() || ids.len() > 50 {
            return Err("1 to 50 query execution ids".into());
        }
        let made = |id: &str| Some(((self.by_formula.as_ref()?).query)((self.by_formula.as_ref()?.place)(id)?));
        let find = |id: &&str| {
            let known = self.queries.iter().find(|query| query.id == **id && query.region == request.region);
            known.cloned().or_else(|| made(id))
        };
        let unknown = |id: &str| json!({"QueryExecutionId": id, "ErrorCode": "InvalidRequestException", "ErrorMessage": "not found"});
        Ok(json!({
            "QueryExecutions": ids.iter().filter_map(find).map(|query| query.json()).collect::<Vec<_>>(),
            "UnprocessedQueryExecutionIds": ids.iter().filter(|id| find(id).is_none()).map(|id| unknown(id)).collect::<Vec<_>>(),
        }))
    }

    /// Returns the workgroup that was asked about; `primary` when none was.
    fn known(&self, request: &Request, body: &Value) -> Result<String, String> {
        let name = body["WorkGroup"].as_str().unwrap_or("primary");
        let known = self.names(&request.region).contains(&name);
        if known { Ok(name.to_owned()) } else { Err(format!("WorkGroup {name} is not found.")) }
    }

    fn page(&self, items: &[Value], body: &Value, field: &str) -> Result<Value, String> {
        let most = body["MaxResults"].as_u64().map_or(50, |most| usize::try_from(most).unwrap());
        if most > 50 {
            return Err("MaxResults is at most 50".into());
        }
        let from = match body["NextToken"].as_str() {
            None => 0,
            Some(token) => {
                token.strip_prefix("from:").and_then(|at| at.parse().ok()).ok_or("the token is not known")?
            }
        };
        let end = (from + most.min(self.page)).min(items.len());
        let mut answer = json!({field: items.get(from..end).unwrap_or_default()});
        if end < items.len() {
            answer["NextToken"] = json!(format!("from:{end}"));
        }
        Ok(answer)
    }
}

impl Query {
    fn is_in(&self, request: &Request, workgroup: &str) -> bool {
        self.region == request.region && self.workgroup == workgroup
    }
}
