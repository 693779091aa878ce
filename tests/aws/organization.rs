//! An organization: accounts with buckets of their own, and a role in each that may ask for an external id.
//!
//! Whose request it is shows in the access key: the keys of an assumed role carry their account.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::json;

use super::{Account, Answer, Request};

/// The accounts below the one that a test is about; none where it is in no organization.
pub struct Organization {
    pub members: BTreeMap<String, Member>,
    /// Most accounts of one answer of ListAccounts; 0 for all.
    pub page: usize,
    /// False where nobody says that there is an organization.
    pub listed: bool,
    /// The account that pays; the one that a test is about where there is none.
    pub payer: Option<String>,
    /// Accounts that may act for the payer.
    pub delegates: Vec<String>,
}

/// An account below.
pub struct Member {
    pub name: String,
    pub state: &'static str,
    /// The name of its role.
    pub role: String,
    /// What its role asks for.
    pub external_id: Option<String>,
    pub account: Account,
}

impl Default for Organization {
    fn default() -> Self {
        Organization { members: BTreeMap::new(), page: 0, listed: true, payer: None, delegates: Vec::new() }
    }
}

impl Organization {
    /// Adds an active account with the role `leanlake-scan`.
    pub fn add(&mut self, id: &str, name: &str, today: NaiveDate) -> &mut Member {
        let account = Account { id: id.to_owned(), ..Account::new(today) };
        let role = "leanlake-scan".to_owned();
        let member = Member { name: name.to_owned(), state: "ACTIVE", role, external_id: None, account };
        self.members.entry(id.to_owned()).or_insert(member)
    }

    /// Returns the account whose keys signed the request.
    pub(super) fn whose(&mut self, request: &Request) -> Option<&mut Account> {
        let id = request.key_id.strip_prefix("ASIA")?;
        self.members.get_mut(id).map(|member| &mut member.account)
    }

    /// Answers a call of Organizations for the account `payer`.
    pub(super) fn answer(&self, request: &Request, payer: &str) -> Answer {
        if self.members.is_empty() || !self.listed {
            let message = "Your account is not a member of an organization.";
            return request.refuse(400, "AWSOrganizationsNotInUseException", message);
        }
        match request.operation.as_str() {
            "organizations:DescribeOrganization" => {
                let payer = self.payer.as_deref().unwrap_or(payer);
                Answer::json(&json!({"Organization": {"Id": "o-tests", "MasterAccountId": payer}}))
            }
            "organizations:ListDelegatedAdministrators" => {
                let told: Vec<_> = self.delegates.iter().map(|id| json!({"Id": id, "Status": "ACTIVE"})).collect();
                Answer::json(&json!({"DelegatedAdministrators": told}))
            }
            "organizations:ListAccounts" => self.list(request, payer),
            _ => request.refuse(501, "NotImplemented", "the tests' server does not play this operation"),
        }
    }

    fn list(&self, request: &Request, payer: &str) -> Answer {
        let member = |(id, member): (&String, &Member)| json!({"Id": id, "Name": member.name, "State": member.state, "Status": member.state});
        let mut accounts = vec![json!({"Id": payer, "Name": "the payer", "State": "ACTIVE", "Status": "ACTIVE"})];
        accounts.extend(self.members.iter().map(member));
        let from = request.json()["NextToken"].as_str().map_or(0, |token| token.parse().unwrap_or(usize::MAX));
        if from >= accounts.len() {
            return request.refuse(400, "InvalidInputException", "unknown token");
        }
        let to = if self.page == 0 { accounts.len() } else { accounts.len().min(from + self.page) };
        let mut answer = json!({"Accounts": &accounts[from..to]});
        if to < accounts.len() {
            answer["NextToken"] = json!(to.to_string());
        }
        Answer::json(&answer)
    }

    /// Answers AssumeRole: the role must be there, and the external id must be the one that it asks for.
    pub(super) fn assume(&self, request: &Request) -> Answer {
        let form = request.form();
        let arn = form.get("RoleArn").map_or("", String::as_str);
        let (account, role) = arn.split_once(":role/").unwrap_or(("", ""));
        let id = account.rsplit(':').next().unwrap_or_default();
        let fits = |member: &&Member| member.role == role && member.external_id.as_ref() == form.get("ExternalId");
        if self.members.get(id).is_none_or(|member| !fits(&member)) {
            let message = format!(
                "User: arn:aws:iam::111122223333:user/reader is not authorized to perform: sts:AssumeRole on resource: {arn}"
            );
            return request.refuse(403, "AccessDenied", &message);
        }
        Answer::xml(format!(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
             <AccessKeyId>ASIA{id}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token\
             </SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>\
             <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></AssumeRoleResponse>"
        ))
    }
}
