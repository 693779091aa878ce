//! What a check-up finds in other accounts: which roles can be assumed, why others cannot, and what may be read there.

use std::fmt::Write;

use super::blinds::{Blinds, closed};
use crate::aws::collect::Scope;
use crate::aws::connector::{Connector, Spent};
use crate::aws::doctor::members::{Bar, CHECKED, check};
use crate::aws::doctor::{Checked, Permission, SAMPLE, Verdict};
use crate::aws::estimate::Roles;
use crate::aws::member::MemberRole;
use crate::cmd::Context;
use crate::cmd::connect::Purpose;
use crate::error::Failure;
use crate::model::text::terminal;
use crate::model::{Money, Untrusted};
use crate::store::Snapshot;

/// The accounts that a scan would enter with a role.
pub struct Entries {
    /// How many there are.
    pub wanted: usize,
    /// Those whose role was assumed.
    pub open: Vec<String>,
    /// Those that cannot be entered.
    pub closed: Vec<Barred>,
    /// Those in which every call was tried.
    pub checked: Vec<Member>,
}

/// An account that cannot be entered.
pub struct Barred {
    /// The account.
    pub account_id: String,
    /// What keeps us out, and what to do.
    pub advice: String,
    /// What STS said.
    pub said: Untrusted,
    /// USD a month that are hidden at most; `None` where that is not known.
    pub usd: Option<Money>,
}

/// An account in which every call was tried.
pub struct Member {
    /// The account.
    pub account_id: String,
    /// Where.
    pub regions: Vec<String>,
    /// What came of it.
    pub permissions: Vec<Permission>,
    /// What the refusals hide.
    pub blinds: Blinds,
}

impl Entries {
    /// Tries every call in the first accounts whose role was assumed, and says what keeps us out of others.
    ///
    /// # Errors
    /// A policy is wrong, or the snapshot is damaged.
    pub async fn of(
        context: &Context,
        roles: &Roles,
        role: Option<&MemberRole>,
        base: Option<&Snapshot>,
        spent: &mut Vec<Spent>,
    ) -> Result<Entries, Failure> {
        let ids: Vec<String> = roles.closed.iter().map(|(id, _)| id.clone()).collect();
        let hidden = closed(&ids, base).await?;
        let barred = |((id, closed), usd): (&(String, _), Option<Money>)| Barred {
            account_id: id.clone(),
            advice: Bar::of(closed, role).advice(role),
            said: closed.why.as_str().into(),
            usd,
        };
        let closed = roles.closed.iter().zip(hidden).map(barred).collect();
        let mut checked = Vec::new();
        for scope in roles.open.iter().take(CHECKED) {
            checked.push(member(context, scope, base, spent).await?);
        }
        let open = roles.open.iter().map(|scope| scope.account_id.clone()).collect();
        Ok(Entries { wanted: roles.wanted, open, closed, checked })
    }

    /// Returns what came of every call in every account where they were tried.
    pub fn permissions(&self) -> impl Iterator<Item = &Permission> {
        self.checked.iter().flat_map(|member| &member.permissions)
    }

    /// Returns how many roles were tried.
    pub fn tried(&self) -> usize {
        self.open.len() + self.closed.len()
    }

    /// Returns it in words.
    pub fn text(&self) -> String {
        let (wanted, tried, open) = (self.wanted, self.tried(), self.open.len());
        let mut text = format!("Other accounts: {tried} of {wanted} roles were tried, {open} could be assumed.\n");
        for barred in &self.closed {
            let usd = barred.usd.map(|usd| format!(" It hides up to {} a month.", usd.human())).unwrap_or_default();
            let said = barred.said.terminal();
            let _ =
                writeln!(text, "✘ {}: {}.{usd}\n  ({said})", terminal(&barred.account_id), terminal(&barred.advice));
        }
        for member in &self.checked {
            text.push_str(&member.text());
        }
        let rest = self.open.len() - self.checked.len();
        if rest > 0 {
            let _ = writeln!(text, "In {rest} others the calls were not tried.");
        }
        text
    }
}

impl Member {
    fn text(&self) -> String {
        let is = |of: fn(&Verdict) -> bool| self.permissions.iter().filter(move |one| of(&one.verdict));
        let allowed = is(|verdict| *verdict == Verdict::Allowed).count();
        let tried = is(|verdict| !matches!(verdict, Verdict::NotTried(_))).count();
        let (account, regions) = (terminal(&self.account_id), terminal(&self.regions.join(", ")));
        let mut text = format!("In {account} ({regions}) {tried} calls were tried, {allowed} are allowed.\n");
        for (one, hidden) in self.permissions.iter().zip(&self.blinds.each) {
            let (word, why) = match &one.verdict {
                Verdict::Denied(why) => ("denied", why),
                Verdict::Failed(why) => ("failed", why),
                _ => continue,
            };
            let hidden = hidden.clone().unwrap_or_default();
            let usd = hidden.usd.map(|usd| format!(", hides up to {} a month", usd.human())).unwrap_or_default();
            let _ = writeln!(text, "✘ {account}: {} is {word}{usd}: {}", one.operation, why.terminal());
            if !hidden.policies.is_empty() {
                let _ = writeln!(text, "  policies that cannot tell: {}", hidden.policies.join(", "));
            }
        }
        text
    }
}

async fn member(
    context: &Context,
    scope: &Scope,
    base: Option<&Snapshot>,
    spent: &mut Vec<Spent>,
) -> Result<Member, Failure> {
    let mut setup = context.setup(Purpose::Scan)?;
    setup.sample = Some(SAMPLE);
    let connector = Connector::new(setup);
    let Checked { permissions, regions } = check(scope, &connector).await;
    spent.push(connector.spent());
    let account_id = scope.account_id.clone();
    let blinds = Blinds::of(context, &account_id, &permissions, base).await?;
    Ok(Member { account_id, regions, permissions, blinds })
}
