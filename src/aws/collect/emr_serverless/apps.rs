//! Applications and their settings. Sizes that AWS writes as text (`4 vCPU`) become numbers, or stay unknown.

use std::collections::BTreeMap;

use aws_sdk_emrserverless::Client;
use aws_sdk_emrserverless::types::{
    Application, ApplicationSummary, Architecture, AutoStartConfig, AutoStopConfig, InitialCapacityConfig,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::aws::collect::ask::ask;
use crate::aws::collect::{Failed, Read, Scope, instant, tags};
use crate::model::Row;

/// Most applications in one answer (EMR Serverless API reference).
const PAGE: i32 = 50;

/// The list.
pub const LIST: Read =
    Read::rows("emr-serverless:ListApplications", "emr-serverless:ListApplications", "emr_serverless_apps");
/// Settings of one.
pub const SETTINGS: Read = Read::columns(
    "emr-serverless:GetApplication",
    "emr-serverless:GetApplication",
    "emr_serverless_apps",
    &[
        "auto_start",
        "auto_stop",
        "auto_stop_idle_minutes",
        "initial_capacity",
        "initial_workers",
        "initial_vcpu",
        "initial_memory_gb",
        "initial_disk_gb",
        "maximum_vcpu",
        "maximum_memory_gb",
        "maximum_disk_gb",
        "tags",
    ],
);

/// Returns the applications that were listed, and why the list ends early if it does.
pub async fn list(scope: &Scope, client: &Client) -> (Vec<ApplicationSummary>, Option<Failed>) {
    let (mut found, mut token) = (Vec::new(), None);
    loop {
        let call = client.list_applications().max_results(PAGE).set_next_token(token.take());
        let page = match ask(scope, call.send()).await {
            Ok(page) => page,
            Err(failed) => return (found, Some(failed)),
        };
        found.extend(page.applications);
        match page.next_token {
            Some(next) if !next.is_empty() => token = Some(next),
            _ => return (found, None),
        }
    }
}

/// Returns the settings of the application `id`.
pub async fn settings(scope: &Scope, client: &Client, id: &str) -> Result<Application, Failed> {
    let answer = ask(scope, client.get_application().application_id(id).send()).await?;
    // What AWS leaves out, the SDK makes up: empty.
    let found = answer.application.filter(|found| found.application_id() == id);
    found.ok_or_else(|| Failed::left_out("the application"))
}

/// Returns the row that the list alone makes.
pub fn row(scope: &Scope, summary: &ApplicationSummary) -> Row {
    Row::new()
        .with("account_id", scope.account_id.as_str())
        .with("region", scope.region.as_str())
        .with("application_id", summary.id())
        .with("name", summary.name())
        .with("type", summary.r#type())
        .with("state", summary.state().as_str())
        .with("release_label", summary.release_label())
        .with("architecture", summary.architecture().map(Architecture::as_str))
        .with("created", instant::utc(summary.created_at()))
        .with("updated", instant::utc(summary.updated_at()))
}

/// Returns the row with the application's settings.
pub fn with_settings(row: Row, application: &Application) -> Row {
    let (start, stop) = (application.auto_start_configuration(), application.auto_stop_configuration());
    let maximum = application.maximum_capacity();
    let pairs = application.tags().into_iter().flatten().map(|(key, value)| (Some(key.as_str()), Some(value.as_str())));
    let row = row
        .with("auto_start", start.and_then(AutoStartConfig::enabled))
        .with("auto_stop", stop.and_then(AutoStopConfig::enabled))
        .with("auto_stop_idle_minutes", stop.and_then(AutoStopConfig::idle_timeout_minutes))
        .with("maximum_vcpu", maximum.and_then(|most| amount(most.cpu())))
        .with("maximum_memory_gb", maximum.and_then(|most| amount(most.memory())))
        .with("maximum_disk_gb", maximum.and_then(|most| amount(most.disk()?)))
        .with("tags", tags::object(pairs));
    initial(row, application.initial_capacity().into_iter().flatten().map(|(name, of)| (name.as_str(), of)).collect())
}

/// Workers of one type that are kept ready.
struct Ready {
    workers: i64,
    vcpu: Option<Decimal>,
    memory_gb: Option<Decimal>,
    disk_gb: Option<Decimal>,
}

impl Ready {
    fn of(config: &InitialCapacityConfig) -> Self {
        let size = config.worker_configuration();
        Ready {
            workers: config.worker_count(),
            vcpu: size.and_then(|size| amount(size.cpu())),
            memory_gb: size.and_then(|size| amount(size.memory())),
            disk_gb: size.and_then(|size| amount(size.disk()?)),
        }
    }

    fn json(&self) -> Value {
        let number = |amount: Option<Decimal>| amount.map(|amount| amount.normalize().to_string());
        let (vcpu, memory, disk) = (number(self.vcpu), number(self.memory_gb), number(self.disk_gb));
        json!({"workers": self.workers, "vcpu": vcpu, "memory_gb": memory, "disk_gb": disk})
    }
}

fn initial(row: Row, types: BTreeMap<&str, &InitialCapacityConfig>) -> Row {
    let ready: BTreeMap<&str, Ready> = types.into_iter().map(|(name, config)| (name, Ready::of(config))).collect();
    // One worker type of unknown size leaves the sum unknown.
    let sum = |of: fn(&Ready) -> Option<Decimal>| -> Option<Decimal> {
        ready.values().map(|ready| of(ready)?.checked_mul(Decimal::from(ready.workers))).sum()
    };
    let object: Value = ready.iter().map(|(name, ready)| ((*name).to_owned(), ready.json())).collect();
    row.with("initial_capacity", object.to_string())
        .with("initial_workers", ready.values().map(|ready| ready.workers).sum::<i64>())
        .with("initial_vcpu", sum(|ready| ready.vcpu))
        .with("initial_memory_gb", sum(|ready| ready.memory_gb))
        .with("initial_disk_gb", sum(|ready| ready.disk_gb))
}

/// Returns the number of `4 vCPU`, `30GB` or `16`; `None` for text of another form.
fn amount(text: &str) -> Option<Decimal> {
    let number = text.trim().trim_end_matches(|letter: char| letter.is_ascii_alphabetic()).trim_end();
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use aws_sdk_emrserverless::types::WorkerResourceConfig;

    use super::*;

    #[test]
    fn sizes_are_numbers_whatever_unit_stands_behind_them() {
        let said = ["4 vCPU", "30 GB", "16", "120gb", " 2vcpu "].map(|text| amount(text).unwrap().to_string());
        assert_eq!(said, ["4", "30", "16", "120", "2"]);
        assert_eq!((amount("many"), amount("4 GB of it")), (None, None));
    }

    #[test]
    fn the_initial_capacity_is_summed_over_worker_types() {
        let of = |count, cpu: &str, disk: Option<&str>| {
            let size = WorkerResourceConfig::builder().cpu(cpu).memory("16 GB").set_disk(disk.map(str::to_owned));
            let config = InitialCapacityConfig::builder().worker_count(count);
            config.worker_configuration(size.build().unwrap()).build().unwrap()
        };
        let (driver, executor) = (of(1, "2 vCPU", Some("20 GB")), of(10, "4 vCPU", None));
        let row = initial(Row::new(), BTreeMap::from([("DRIVER", &driver), ("EXECUTOR", &executor)]));
        assert_eq!((row.int("initial_workers"), row.decimal("initial_vcpu")), (Some(11), Some(Decimal::from(42))));
        assert_eq!(row.decimal("initial_memory_gb"), Some(Decimal::from(176)));
        assert_eq!(row.decimal("initial_disk_gb"), None, "one disk is not said");
        let none = initial(Row::new(), BTreeMap::new());
        assert_eq!((none.int("initial_workers"), none.decimal("initial_vcpu")), (Some(0), Some(Decimal::ZERO)));
        assert_eq!(none.key("initial_capacity"), "{}");
    }
}
