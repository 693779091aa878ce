//! Other accounts, and the role that is assumed in them: options that `scan` and `doctor` share. Asks AWS nothing.

use clap::Args;

use crate::aws::member::MemberRole;
use crate::aws::scan::accounts::Accounts;
use crate::config::{self, Config};
use crate::error::{Failure, Kind};
use crate::model::text::terminal;

/// Other accounts, and the role that is assumed in them.
#[derive(Debug, Args)]
pub struct Members {
    /// These accounts: `all` of the organization, or ids. The bill is the caller's; a payer's covers all of them.
    #[arg(long, value_name = "all|ID,…", num_args = 0..=1, default_missing_value = "all", value_parser = accounts)]
    accounts: Option<Accounts>,
    /// Name of the role to assume in other accounts; `leanlake iam scan --as cloudformation` makes it.
    #[arg(long, value_name = "NAME")]
    role: Option<String>,
    /// The external id that the role asks for.
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// The name of the session, as CloudTrail shows it (leanlake where nothing else is configured).
    #[arg(long, value_name = "NAME")]
    session_name: Option<String>,
    /// A tag of the session. May be given more than once.
    #[arg(long, value_name = "KEY=VALUE", value_parser = tag)]
    session_tag: Vec<(String, String)>,
}

impl Members {
    /// Returns the accounts that are meant: those of the option, else of the variable or the file, else the caller's own.
    ///
    /// # Errors
    /// The text is neither `all` nor ids, or a role is named and no account.
    pub fn accounts(&self, config: &Config) -> Result<Accounts, Failure> {
        let configured = match config.text(&config::ACCOUNTS) {
            Some(all) => Some(all.to_owned()),
            None => Some(config.texts(&config::ACCOUNTS).join(",")).filter(|ids| !ids.is_empty()),
        };
        let said = |problem: String| Failure::new(Kind::Usage, terminal(&format!("accounts to read: {problem}")));
        let accounts = match (&self.accounts, configured) {
            (Some(typed), _) => typed.clone(),
            (None, Some(text)) => accounts(&text).map_err(said)?,
            (None, None) => Accounts::Own,
        };
        if accounts == Accounts::Own && self.role.is_some() {
            return Err(Failure::new(Kind::Usage, "`--role` is for other accounts, and none are named")
                .hint("add `--accounts all`, or ids"));
        }
        Ok(accounts)
    }

    /// Returns the role of other accounts; `None` where nobody names one.
    pub fn role(&self, config: &Config) -> Option<MemberRole> {
        let settled = |typed: &Option<String>, key| typed.clone().or_else(|| config.text(key).map(str::to_owned));
        let role = MemberRole::new(&settled(&self.role, &config::ROLE_NAME)?);
        Some(MemberRole {
            external_id: settled(&self.external_id, &config::ROLE_EXTERNAL_ID),
            session_name: settled(&self.session_name, &config::ROLE_SESSION_NAME).unwrap_or(role.session_name),
            session_tags: self.session_tag.clone(),
            name: role.name,
        })
    }
}

fn accounts(given: &str) -> Result<Accounts, String> {
    if given == "all" {
        return Ok(Accounts::All);
    }
    let ids = given.split(',').map(str::trim).map(|id| {
        let fits = id.len() == 12 && id.chars().all(|c| c.is_ascii_digit());
        if fits { Ok(id.to_owned()) } else { Err(format!("`{id}` is not an account id of 12 digits")) }
    });
    ids.collect::<Result<_, _>>().map(Accounts::Listed)
}

fn tag(given: &str) -> Result<(String, String), String> {
    let (key, value) = given.split_once('=').ok_or("not KEY=VALUE")?;
    if key.is_empty() { Err("the key is empty".to_owned()) } else { Ok((key.to_owned(), value.to_owned())) }
}
