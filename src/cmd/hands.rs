//! What a plan is made and carried out with: the account's buckets or the demo's, and the journal.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use data_encoding::HEXLOWER;
use futures::{StreamExt, stream};
use rand::TryRng;
use rand::rngs::SysRng;
use tokio_util::sync::CancellationToken;

use super::Context;
use super::connect::{Purpose, sign_in};
use super::stop::Wishes;
use crate::apply::guard::check_place;
use crate::apply::outcome::{Ending, Report};
use crate::apply::record::{Started, Verb};
use crate::apply::{Executor, JournalError, Pace, Place, Refusal, RefusalKind, Rehearsal, Runs, Target};
use crate::aws::act::s3::Buckets;
use crate::aws::connector::Role;
use crate::error::{Failure, Kind};
use crate::model::Origin;
use crate::plan::{Looks, PlanError};
use crate::store::tables::storage::{BUCKETS, LIFECYCLE_RULES};
use crate::store::{Snapshot, Store};

/// Buckets that are looked at together for a plan.
const LOOKS_AT_ONCE: usize = 8;

/// What reads and writes, and where that is.
pub struct Hands {
    /// What reads and writes.
    pub executor: Box<dyn Executor>,
    /// The account and what stands behind the S3 calls.
    pub target: Target,
    /// Whose credentials they are.
    pub caller_arn: Option<String>,
}

impl Context {
    /// Returns the buckets of the account, to look at (`Purpose::Scan`) or to change (`Purpose::Apply`). The demo has no
    /// credentials that would say which account: there it is `of_demo`.
    ///
    /// # Errors
    /// There are no credentials, or AWS cannot be reached.
    pub async fn hands(&self, purpose: Purpose, of_demo: &str) -> Result<Hands, Failure> {
        if self.global.demo {
            return rehearsal(&self.open().await?.snapshot, of_demo).await;
        }
        let session = self.session(self.setup(purpose)?).await?;
        let role = if purpose == Purpose::Apply { Role::Writing } else { Role::Reading };
        let (account_id, origin) = (session.identity.account_id.clone(), session.configured_origin());
        let executor = Box::new(Buckets::new(&session.sdk, &account_id, role));
        Ok(Hands { executor, target: Target { account_id, origin }, caller_arn: Some(session.identity.arn) })
    }

    /// Returns the store that keeps the journal: the demo's is gone with the demo.
    ///
    /// # Errors
    /// The store cannot be opened.
    pub async fn journal_store(&self) -> Result<Store, Failure> {
        if self.global.demo { self.demo_store().await } else { self.store().await }
    }

    /// Returns the runs of a store, under a name that no other process has.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn runs(&self, store: &Store) -> Result<Runs, Failure> {
        let mut name = [0; 8];
        let unnamed =
            |error| Failure::failed("the system gives no random bytes to name this process by").caused_by(error);
        SysRng.try_fill_bytes(&mut name).map_err(unnamed)?;
        Ok(Runs::new(store.objects(), store.path("runs"), super::wall_clock, &HEXLOWER.encode(&name)))
    }

    /// Carries out `work`. The first Ctrl-C or SIGTERM asks it to end after the bucket under way, the second ends it at
    /// once.
    ///
    /// # Errors
    /// The journal cannot be kept, or the second Ctrl-C.
    pub async fn interruptible<T>(
        &self,
        work: impl Future<Output = Result<T, JournalError>>,
        cancel: &CancellationToken,
    ) -> Result<T, Failure> {
        tokio::pin!(work);
        let mut wishes = Wishes::listen()?;
        loop {
            tokio::select! {
                done = &mut work => return Ok(done?),
                () = wishes.next() => {
                    if cancel.is_cancelled() {
                        return Err(Failure::new(Kind::Interrupted, "stopped at once: the journal knows what was begun")
                            .hint("leanlake journal"));
                    }
                    cancel.cancel();
                    self.term.status("stopping after the bucket under way; press Ctrl-C again to stop at once");
                }
            }
        }
    }
}

async fn rehearsal(snapshot: &Snapshot, account: &str) -> Result<Hands, Failure> {
    let (buckets, rules) = (snapshot.rows(&BUCKETS).await?, snapshot.rows(&LIFECYCLE_RULES).await?);
    let target = Target { account_id: account.to_owned(), origin: Origin::Demo };
    Ok(Hands { executor: Box::new(Rehearsal::of_rows(&buckets, &rules)), target, caller_arn: None })
}

impl Hands {
    /// Returns how patiently writes are read back: the demo answers at once.
    pub fn pace(&self) -> Pace {
        match self.target.origin {
            Origin::Demo => Pace { first_wait: Duration::ZERO, longest_wait: Duration::ZERO, ..Pace::default() },
            _ => Pace::default(),
        }
    }

    /// Returns the first record of a run here.
    pub fn started(&self, verb: Verb) -> Started {
        let Target { account_id, origin } = self.target.clone();
        Started { verb, tool_version: env!("CARGO_PKG_VERSION").to_owned(), account_id, origin }
    }

    /// Returns what a look at each of `places` sees.
    pub async fn look(&self, places: Vec<Place>) -> Looks {
        let look = |place: Place| async move {
            let seen = self.executor.observe(&place).await;
            (place.bucket, seen.map_err(|error| crate::model::text::terminal(&error.said)))
        };
        stream::iter(places).map(look).buffer_unordered(LOOKS_AT_ONCE).collect::<BTreeMap<_, _>>().await
    }

    /// Checks that a snapshot, plan or run is of this account and place.
    ///
    /// # Errors
    /// It is not.
    pub fn check(&self, account_id: &str, origin: &Origin) -> Result<(), Failure> {
        Ok(check_place(account_id, origin, &self.target)?)
    }
}

/// Returns how each bucket ended, for people.
pub fn describe(reports: &[Report]) -> String {
    let mut text = String::new();
    for report in reports {
        let (line, below) = report.outcome.lines();
        text.extend(["s3://", &report.bucket.terminal(), ": ", &line, "\n"]);
        text.extend(below.iter().flat_map(|line| ["    ", line, "\n"]));
    }
    text
}

/// Returns the failure of a run that did not end as wanted.
///
/// # Errors
/// Every ending but "done".
pub fn verdict(ending: Ending, run: &str) -> Result<(), Failure> {
    let (kind, message) = match ending {
        Ending::Done => return Ok(()),
        Ending::Partly => (Kind::Partly, "some buckets are not as wanted"),
        Ending::Drifted => (Kind::Stale, "the buckets changed since the plan was made"),
        Ending::Guarded => (Kind::Guarded, "nothing was changed: a guard refused"),
        Ending::Denied => (Kind::Credentials, "nothing was changed: the calls were not allowed"),
        Ending::Failed => (Kind::Failed, "nothing was changed: the calls failed"),
        Ending::Contended => (Kind::Stale, "stopped: somebody else writes to the same buckets"),
        Ending::Interrupted => (Kind::Interrupted, "interrupted before the last bucket"),
    };
    let failure = Failure::new(kind, message);
    Err(match ending {
        Ending::Drifted => failure.hint("make a new plan with `leanlake plan --out plan.json`"),
        Ending::Denied => failure.hint("leanlake iam apply prints the policy that the role needs"),
        Ending::Guarded => failure,
        _ => failure.hint(format!("leanlake apply --resume {run} --yes goes on, leanlake rollback {run} goes back")),
    })
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        let kind = match refusal.kind {
            RefusalKind::Stale => Kind::Stale,
            RefusalKind::Guard => Kind::Guarded,
        };
        Failure::new(kind, refusal.message).hint(refusal.hint)
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Failure {
        let message = crate::model::text::terminal(&error.to_string());
        match error {
            JournalError::NoRun(_) => Failure::failed(message).hint("leanlake journal lists the runs"),
            JournalError::Busy(_) => Failure::new(Kind::Stale, message)
                .hint("wait until it has ended; leanlake journal shows how far it came"),
            JournalError::Damaged { .. } => Failure::failed(message),
            JournalError::Refused(_) => Failure::new(Kind::Credentials, message)
                .hint("`leanlake iam apply --store s3://bucket/prefix` prints what the role must be allowed")
                .hint(sign_in(None))
                .hint("leanlake journal shows what was begun; nothing is sent without a record"),
            JournalError::Store(_) => {
                Failure::failed(message).hint("leanlake journal shows what was begun; nothing is sent without a record")
            }
        }
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Failure {
        Failure::failed(crate::model::text::terminal(&error.to_string()))
            .hint("make a plan with `leanlake plan --out plan.json`")
    }
}
