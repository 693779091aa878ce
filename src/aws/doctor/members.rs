//! The roles of other accounts: why one cannot be assumed, and what may be read in few of those that can.
//!
//! Assumes no role itself: it is handed those that were. Reads only what a scan reads there, and keeps no row.

use crate::aws::collect::Scope;
use crate::aws::connector::Connector;
use crate::aws::member::MemberRole;
use crate::aws::scan::accounts::Closed;

use super::{Checked, Paid, Without, check_up};

/// Other accounts in which every permission is tried; the roles of more are assumed.
pub const CHECKED: usize = 2;

/// What keeps us out of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// Nobody named a role.
    NoRole,
    /// The caller's own policies do not allow it.
    Caller,
    /// A policy of the organization, or another one, denies it explicitly.
    Guarded,
    /// The session has tags, and may not be tagged.
    Tags,
    /// The role is not there, does not trust the caller, or asks for another external id: AWS tells these apart to nobody.
    Role,
    /// Something else, as STS's own words say.
    Other,
}

impl Bar {
    /// Returns what keeps us out, by what AWS said.
    pub fn of(closed: &Closed, role: Option<&MemberRole>) -> Self {
        let says = |words: &str| closed.why.contains(words);
        match () {
            () if role.is_none() => Bar::NoRole,
            () if !closed.denied => Bar::Other,
            () if says("sts:TagSession") => Bar::Tags,
            () if says("explicit deny") => Bar::Guarded,
            () if says("no identity-based policy allows") => Bar::Caller,
            () => Bar::Role,
        }
    }

    /// Returns it in words, with what to do.
    pub fn advice(self, role: Option<&MemberRole>) -> String {
        let name = role.map(|role| role.name.as_str()).unwrap_or_default();
        match self {
            Bar::NoRole => "no role is named: `--role NAME`, or `role.name` in leanlake.toml".to_owned(),
            Bar::Caller => {
                format!("your own policies do not allow it: `leanlake iam scan --members {name}` prints what does")
            }
            Bar::Guarded => "a policy denies it explicitly, maybe one of the organization".to_owned(),
            Bar::Tags => {
                "the session may not be tagged: its trust policy must allow sts:TagSession, or leave the tags \
                          out"
                .to_owned()
            }
            Bar::Role => {
                let external = match role.and_then(|role| role.external_id.as_ref()) {
                    Some(_) => "it asks for another external id than the one given",
                    None => "it asks for an external id, and none is given",
                };
                format!(
                    "AWS does not say which: there is no role `{name}` in the account, it does not trust you, or \
                     {external}; `leanlake iam scan --as cloudformation` makes it"
                )
            }
            Bar::Other => "STS refused for another reason".to_owned(),
        }
    }
}

/// Tries every call that a scan makes in the scope's account, with the role's credentials, through a connector with a sample.
pub async fn check(scope: &Scope, connector: &Connector) -> Checked {
    let sdk = scope.sdk.to_builder().http_client(connector.clone()).build();
    let without = Without { paid: Paid::Nothing, organization: true, of_caller: true };
    check_up(&Scope { sdk, ..scope.clone() }, connector, without).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::collect::{Failed, Trouble};

    fn bar(trouble: Trouble, said: &str) -> Bar {
        let failed = Failed { trouble, code: None, reason: said.to_owned() };
        Bar::of(&failed.into(), Some(&MemberRole::new("scan")))
    }

    #[test]
    fn what_aws_tells_apart_is_told_apart_and_nothing_more() {
        let said = "AccessDenied: User: u is not authorized to perform: sts:AssumeRole on resource: r";
        let because = |why: &str| bar(Trouble::Denied, &format!("{said} because {why}"));
        assert_eq!(bar(Trouble::Denied, said), Bar::Role);
        assert_eq!(because("no identity-based policy allows the sts:AssumeRole action"), Bar::Caller);
        assert_eq!(because("there is an explicit deny in a service control policy"), Bar::Guarded);
        assert_eq!(bar(Trouble::Denied, &said.replace("AssumeRole", "TagSession")), Bar::Tags);
        assert_eq!(bar(Trouble::Refused, "RegionDisabledException"), Bar::Other);
    }

    #[test]
    fn an_external_id_that_was_given_is_another_and_none_is_none() {
        let mut role = MemberRole::new("/p/scan");
        let said = Bar::Role.advice(Some(&role));
        assert!(said.contains("`p/scan`") && said.contains("none is given"), "{said}");
        role.external_id = Some("x".to_owned());
        let said = Bar::Role.advice(Some(&role));
        assert!(said.contains("another external id") && !said.contains('x'.to_string().repeat(2).as_str()), "{said}");
    }
}
