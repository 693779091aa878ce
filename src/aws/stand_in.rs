//! Canned answers for unit tests: the real SDK clients and connector, with the fault hook in AWS's place.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use tokio_util::sync::CancellationToken;

use crate::aws::collect::{Heard, Options, Piece, Read, Scope, Sink};
use crate::aws::connector::{Allowlist, Connector, Fault, Role, Setup, Tariff};
use crate::model::{Coverage, Row};

/// Returns an answer of AWS.
pub fn answer(status: u16, body: &str) -> Fault {
    let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
    // JSON services say the error's code in a header too; S3 and STS ignore it.
    response.headers_mut().insert("content-type", "application/x-amz-json-1.1");
    Fault::Answer(response)
}

/// Returns the answer of a JSON service that refuses.
pub fn refusal(code: &str, message: &str) -> Fault {
    answer(400, &format!("{{\"__type\":\"{code}\",\"message\":\"{message}\"}}"))
}

/// Returns a setup where everything is free.
pub fn setup(allow: Allowlist) -> Setup {
    Setup::new(allow, Tariff::default())
}

/// Returns a configuration over `connector` with made-up credentials and retries without waiting.
pub fn sdk(connector: &Connector) -> SdkConfig {
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "made up");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(connector.clone())
        .time_source(SystemTimeSource::new())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .build()
}

/// Returns the scope of account 123456789012 in eu-west-1 without credentials: nothing in it can be sent.
pub fn scope(earlier: Vec<Coverage>) -> Scope {
    Scope {
        account_id: "123456789012".into(),
        region: "eu-west-1".into(),
        as_of: "2026-11-24T10:00:00Z".parse().unwrap(),
        sdk: SdkConfig::builder().build(),
        cancel: CancellationToken::new(),
        options: Options::default(),
        left: crate::aws::collect::Allowance::of(&Options::default()),
        heard: Heard::default(),
        earlier,
    }
}

/// What a collector handed over: rows by table, and coverage.
#[derive(Debug, Default)]
pub struct Handed {
    /// Rows by the name of their table.
    pub rows: BTreeMap<&'static str, Vec<Row>>,
    /// Coverage, in order.
    pub coverage: Vec<Coverage>,
}

impl Handed {
    /// Returns the gaps as `table read state action`.
    pub fn gaps(&self) -> Vec<String> {
        let told = |gap: &Coverage| {
            let action = gap.missing_action.as_deref().unwrap_or("-");
            format!("{} {} {} {action}", gap.table, gap.read, gap.state.as_str())
        };
        self.coverage.iter().filter(|row| row.is_gap()).map(told).collect()
    }
}

/// Returns the scope of a collector that may make `reads`, answered by `say`.
pub fn answered(reads: &[Read], say: impl Fn(&str) -> Fault + Send + Sync + 'static) -> Scope {
    let mut setup = setup(Allowlist::default().and(Role::Reading, reads.iter().map(|read| read.operation)));
    setup.faults = Some(Arc::new(move |call, _| Some(say(&call.operation))));
    Scope {
        account_id: "111122223333".into(),
        region: "us-east-1".into(),
        as_of: "2026-11-24T10:00:00Z".parse().unwrap(),
        sdk: sdk(&Connector::new(setup)),
        cancel: CancellationToken::new(),
        options: Options::default(),
        left: crate::aws::collect::Allowance::of(&Options::default()),
        heard: Heard::default(),
        earlier: Vec::new(),
    }
}

/// Returns all that `collect` hands over.
pub async fn handed(collect: impl AsyncFnOnce(&Sink)) -> Handed {
    let (sink, mut pieces, _events) = Sink::channel(CancellationToken::new());
    let work = async move {
        collect(&sink).await;
        drop(sink);
    };
    let take = async {
        let mut handed = Handed::default();
        while let Some(piece) = pieces.recv().await {
            match piece {
                Piece::Rows(table, rows) => handed.rows.entry(table.name).or_default().extend(rows),
                Piece::Cover(coverage) => handed.coverage.push(coverage),
                Piece::Left(_) | Piece::Replace { .. } | Piece::Ahead { .. } | Piece::Draft(..) | Piece::Lens(_) => {}
            }
        }
        handed
    };
    tokio::join!(work, take).1
}
