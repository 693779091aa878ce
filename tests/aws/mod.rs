//! The tests' own AWS: a small server on 127.0.0.1 that computes each answer from what a test put in.
//!
//! It plays what emulators lack or get wrong. Answers follow the API models; a wrong group, filter, date, token,
//! Region or owner in a request is refused as AWS would. It must never know what leanlake is.

pub mod advice;
mod answer;
pub mod athena;
pub mod emr;
pub mod emr_serverless;
mod exchange;
pub mod exports;
pub mod fault;
pub mod glue;
pub mod ledger;
pub mod lens;
pub mod metrics;
pub mod network;
pub mod objects;
pub mod organization;
pub mod price_list;
pub mod rates;
pub mod redshift;
mod request;
pub mod s3;
mod server;
pub mod settings;
pub mod trail;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use chrono::NaiveDate;

pub use answer::Answer;
pub use exchange::Exchange;
pub use fault::{Fault, Trouble};
pub use rates::{Asked, Rates};
pub use request::{Call, Request};

/// The account that a test is about, and what was asked of it.
pub struct Account {
    pub id: String,
    /// The account's today: what is too old, and what is still an estimate, follows from it.
    pub today: NaiveDate,
    pub ledger: ledger::Ledger,
    pub s3: s3::Buckets,
    pub exports: Vec<exports::Export>,
    pub lenses: Vec<lens::Lens>,
    pub metrics: metrics::Metrics,
    pub athena: athena::Athena,
    pub price_list: price_list::PriceList,
    pub network: network::Network,
    pub trail: trail::Trail,
    pub advice: advice::Advice,
    pub emr: emr::Emr,
    pub emr_serverless: emr_serverless::EmrServerless,
    pub redshift: redshift::Redshift,
    pub glue: glue::Glue,
    pub organization: organization::Organization,
    /// The date that answers carry; the real one when there is none.
    pub date: Option<String>,
    pub faults: Vec<Fault>,
    pub rates: Rates,
    /// False to count the calls only: a hundred thousand of them are much to keep.
    pub keep_calls: bool,
    pub calls: Vec<Call>,
    /// True to keep whole requests and answers.
    pub keep_exchanges: bool,
    pub exchanges: Vec<Exchange>,
    /// What was asked, by operation.
    pub asked: BTreeMap<String, Asked>,
}

impl Account {
    fn new(today: NaiveDate) -> Self {
        Account {
            id: "111122223333".into(),
            today,
            ledger: ledger::Ledger::default(),
            s3: s3::Buckets::default(),
            exports: Vec::new(),
            lenses: Vec::new(),
            metrics: metrics::Metrics::default(),
            athena: athena::Athena::default(),
            price_list: price_list::PriceList::default(),
            network: network::Network::default(),
            trail: trail::Trail::default(),
            advice: advice::Advice::default(),
            emr: emr::Emr::default(),
            emr_serverless: emr_serverless::EmrServerless::default(),
            redshift: redshift::Redshift::default(),
            glue: glue::Glue::default(),
            organization: organization::Organization::default(),
            date: None,
            faults: Vec::new(),
            rates: Rates::default(),
            keep_calls: true,
            calls: Vec::new(),
            keep_exchanges: false,
            exchanges: Vec::new(),
            asked: BTreeMap::new(),
        }
    }

    fn answer(&mut self, request: &Request) -> Answer {
        if let Some(member) = self.organization.whose(request) {
            return member.answer(request);
        }
        match request.service() {
            "sts" if request.operation == "sts:AssumeRole" => self.organization.assume(request),
            "organizations" => self.organization.answer(request, &self.id),
            "sts" => self.caller_identity(request),
            "ce" if ["ce:GetAnomalies", "ce:GetCostForecast"].contains(&request.operation.as_str()) => {
                self.advise(request)
            }
            "cost-optimization-hub" | "billing" | "budgets" => self.advise(request),
            "bcm-data-exports" => exports::answer(request, &self.exports),
            "cloudtrail" => self.trail.answer(request, self.today),
            "ec2" => self.network.answer(request, &self.id),
            "network-firewall" => self.network.firewall(request),
            "ce" => self.ledger.answer(request, self.today),
            "s3" => self.s3.answer(request, &self.id),
            "s3control" => lens::answer(request, &self.lenses, &self.id),
            "cloudwatch" => self.metrics.answer(request, self.today),
            "pricing" => self.price_list.answer(request),
            "athena" => self.athena.answer(request, self.today),
            "emr" => self.emr.answer(request),
            "emr-serverless" => self.emr_serverless.answer(request),
            "redshift" => self.redshift.answer(request),
            "redshift-serverless" => self.redshift.serverless(request),
            "glue" | "lakeformation" => self.glue.answer(request),
            _ => request.refuse(501, "NotImplemented", "the tests' server does not play this operation"),
        }
    }

    fn advise(&self, request: &Request) -> Answer {
        self.advice.answer(request, &self.ledger, &self.id, self.today)
    }

    fn caller_identity(&self, request: &Request) -> Answer {
        if request.operation != "sts:GetCallerIdentity" {
            return request.refuse(400, "InvalidAction", "the tests' server does not play this action");
        }
        let id = &self.id;
        Answer::xml(format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::{id}:user/reader</Arn><UserId>AIDAREADER</UserId><Account>{id}</Account>\
             </GetCallerIdentityResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>\
             </GetCallerIdentityResponse>"
        ))
    }
}

/// The running server. It ends with the value.
pub struct Aws {
    account: Arc<Mutex<Account>>,
    server: server::Server,
}

impl Aws {
    /// Starts an empty account whose today is `today`.
    pub fn start(today: NaiveDate) -> Self {
        let account = Arc::new(Mutex::new(Account::new(today)));
        let server = server::Server::start(Arc::clone(&account));
        Aws { account, server }
    }

    /// Returns `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// Changes or reads the account.
    pub fn account(&self) -> MutexGuard<'_, Account> {
        lock(&self.account)
    }

    /// Returns the calls so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.account().calls.clone()
    }

    /// Returns how many calls of `operation` (`s3:ListBuckets`) there were.
    pub fn count(&self, operation: &str) -> usize {
        self.account().calls.iter().filter(|call| call.operation == operation).count()
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        let mut account = self.account();
        account.calls.clear();
        account.asked.clear();
    }

    /// Makes trouble for calls from now on.
    pub fn make(&self, fault: Fault) {
        self.account().faults.push(fault);
    }
}

fn lock(account: &Mutex<Account>) -> MutexGuard<'_, Account> {
    account.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
