//! EMR Serverless: applications and job runs, over REST.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Answer, Request};

/// One application.
#[derive(Clone, Debug)]
pub struct Application {
    pub region: String,
    pub id: String,
    pub state: &'static str,
    pub created: DateTime<Utc>,
    /// What GetApplication says beyond the list.
    pub settings: Value,
}

/// One job run.
#[derive(Clone, Debug)]
pub struct JobRun {
    pub application: String,
    pub id: String,
    pub state: &'static str,
    pub created: DateTime<Utc>,
    /// vCPU-hours, GB-hours of memory and of disk, used and billed alike.
    pub used: [f64; 3],
}

impl JobRun {
    fn is_over(&self) -> bool {
        ["SUCCESS", "FAILED", "CANCELLED"].contains(&self.state)
    }

    fn summary(&self) -> Value {
        json!({
            "applicationId": self.application, "id": self.id, "name": "nightly", "mode": "BATCH", "type": "SPARK",
            "arn": format!("arn:aws:emr-serverless:::/jobruns/{}", self.id), "createdBy": "arn:aws:iam::1:user/etl",
            "createdAt": self.created.timestamp(), "updatedAt": self.created.timestamp() + 900,
            "executionRole": "arn:aws:iam::1:role/etl", "state": self.state, "stateDetails": "",
            "releaseLabel": "emr-7.1.0",
        })
    }

    fn description(&self) -> Value {
        let mut run = renamed(self.summary(), "jobRunId");
        run.as_object_mut().unwrap().remove("type");
        run["jobDriver"] =
            json!({"sparkSubmit": {"entryPoint": "s3://code/job.py", "entryPointArguments": ["secret-4711"]}});
        run["tags"] = json!({"team": "bi"});
        run["startedAt"] = json!(self.created.timestamp() + 60);
        if self.is_over() {
            let [vcpu, memory, storage] = self.used;
            let used = json!({"vCPUHour": vcpu, "memoryGBHour": memory, "storageGBHour": storage});
            run["totalResourceUtilization"] = used.clone();
            run["billedResourceUtilization"] = used;
            run["totalExecutionDurationSeconds"] = json!(840);
            run["endedAt"] = json!(self.created.timestamp() + 900);
        }
        run
    }
}

/// The account's EMR Serverless.
pub struct EmrServerless {
    pub applications: Vec<Application>,
    pub runs: Vec<JobRun>,
    /// Things on a page.
    pub page: usize,
}

impl Default for EmrServerless {
    fn default() -> Self {
        EmrServerless { applications: Vec::new(), runs: Vec::new(), page: 50 }
    }
}

impl EmrServerless {
    pub(super) fn answer(&self, request: &Request) -> Answer {
        let answer = match request.operation.as_str() {
            "emr-serverless:ListApplications" => self.applications(request),
            "emr-serverless:GetApplication" => {
                self.known(request).map(|application| json!({"application": described(application)}))
            }
            "emr-serverless:ListJobRuns" => self.known(request).and_then(|application| self.runs(request, application)),
            "emr-serverless:GetJobRun" => self.known(request).and_then(|application| self.run(request, application)),
            _ => Err("the tests' server does not play this operation".to_owned()),
        };
        answer.map_or_else(|why| request.refuse(404, "ResourceNotFoundException", &why), |body| Answer::json(&body))
    }

    fn applications(&self, request: &Request) -> Result<Value, String> {
        let own = self.applications.iter().filter(|application| application.region == request.region);
        self.page(request, &own.map(summary).collect::<Vec<_>>(), "applications")
    }

    fn runs(&self, request: &Request, application: &Application) -> Result<Value, String> {
        let after: Option<DateTime<Utc>> = request.query.get("createdAtAfter").and_then(|text| text.parse().ok());
        let wanted =
            |run: &&JobRun| run.application == application.id && after.is_none_or(|after| run.created >= after);
        let found: Vec<Value> = self.runs.iter().filter(wanted).map(JobRun::summary).collect();
        self.page(request, &found, "jobRuns")
    }

    fn run(&self, request: &Request, application: &Application) -> Result<Value, String> {
        let id = request.path.rsplit('/').next().unwrap_or_default();
        let found = self.runs.iter().find(|run| run.application == application.id && run.id == id);
        found.map(|run| json!({"jobRun": run.description()})).ok_or_else(|| format!("JobRun {id} does not exist"))
    }

    fn known(&self, request: &Request) -> Result<&Application, String> {
        let id = request.path.split('/').nth(2).unwrap_or_default();
        let found = self.applications.iter().find(|application| application.id == id);
        found
            .filter(|application| application.region == request.region)
            .ok_or_else(|| format!("Application {id} does not exist"))
    }

    fn page(&self, request: &Request, items: &[Value], field: &str) -> Result<Value, String> {
        let size = request.limit("maxResults", 50).min(self.page);
        let from = match request.query.get("nextToken") {
            None => 0,
            Some(token) => token.strip_prefix("from:").and_then(|at| at.parse().ok()).ok_or("unknown token")?,
        };
        let end = (from + size).min(items.len());
        let mut answer = json!({field: items.get(from..end).unwrap_or_default()});
        if end < items.len() {
            answer["nextToken"] = json!(format!("from:{end}"));
        }
        Ok(answer)
    }
}

fn summary(application: &Application) -> Value {
    json!({
        "id": application.id, "name": "etl", "arn": format!("arn:aws:emr-serverless:::/applications/{}", application.id),
        "releaseLabel": "emr-7.1.0", "type": "Spark", "state": application.state, "architecture": "ARM64",
        "createdAt": application.created.timestamp(), "updatedAt": application.created.timestamp() + 60,
    })
}

fn described(application: &Application) -> Value {
    let mut whole = renamed(summary(application), "applicationId");
    for (name, value) in application.settings.as_object().into_iter().flatten() {
        whole[name] = value.clone();
    }
    whole
}

/// Returns a summary whose `id` has the name that it has in a description.
fn renamed(mut summary: Value, name: &str) -> Value {
    let id = summary.as_object_mut().unwrap().remove("id").unwrap();
    summary[name] = id;
    summary
}
