//! What was found, in sentences: for the terminal, and for the comments of the file. Decides nothing.

use crate::aws::discover::{Found, Listing, Standing};
use crate::aws::session::Session;
use crate::model::Untrusted;
use crate::model::text::terminal;

/// Names that are shown of a list.
const SHOWN: usize = 5;

/// Returns one line for each thing that was looked for.
pub fn notes(session: &Session, found: &Found) -> Vec<String> {
    let who = &session.identity;
    vec![
        format!("Account {} (partition {}), as {}.", who.account_id, terminal(&who.partition), terminal(&who.arn)),
        standing(&found.standing),
        pro_forma(found),
        buckets(found),
        listing("Storage Lens configurations", &found.lens),
        listing("Inventories", &found.inventories),
        listing("Budgets", &found.budgets),
        listing("Lake Formation locations", &found.locations),
        listing("Bill exports", &found.exports),
    ]
}

fn standing(standing: &Standing) -> String {
    match standing {
        Standing::Alone => "Organization: none; this account pays for itself.".to_owned(),
        Standing::Payer { organization, delegates } => {
            let delegates = listing("delegated administrators", delegates);
            format!("Organization {}: this account is the payer; {delegates}", terminal(organization))
        }
        Standing::Member { organization, payer, delegated } => {
            let delegated = match delegated {
                Some(true) => "it is a delegated administrator",
                Some(false) => "it is no delegated administrator",
                None => "whether it is a delegated administrator is not known",
            };
            let (organization, payer) = (terminal(organization), terminal(payer));
            format!("Organization {organization}: this account is a member, {payer} pays; {delegated}.")
        }
        Standing::Unknown(why) => format!("Organization: not known ({}).", why.terminal()),
    }
}

/// Members are not told of the group that they are in: for them, no group is no answer.
fn pro_forma(found: &Found) -> String {
    let pays = matches!(found.standing, Standing::Alone | Standing::Payer { .. });
    match (&found.pro_forma, pays) {
        (Listing::Unknown(why), _) => format!("Pro-forma billing: not known ({}).", why.terminal()),
        (Listing::All(names), true) if names.is_empty() => "Pro-forma billing: none.".to_owned(),
        (Listing::All(names) | Listing::Some(names, _), false) if names.is_empty() => {
            "Pro-forma billing: none seen, which a member is not always told; the payer knows whether AWS Billing \
             Conductor sets the costs that this account sees."
                .to_owned()
        }
        (groups, true) => {
            format!(
                "{} Their accounts see costs that AWS does not charge.",
                listing("Pro-forma billing groups", groups)
            )
        }
        (groups, false) => {
            format!("{} The costs of this account may be pro-forma too.", listing("Pro-forma billing groups", groups))
        }
    }
}

fn buckets(found: &Found) -> String {
    let regions: Vec<String> =
        found.regions.iter().map(|(region, count)| format!("{} ({count})", terminal(region))).collect();
    match &found.buckets {
        Listing::Unknown(why) => format!("Buckets: not known ({}).", why.terminal()),
        Listing::All(names) | Listing::Some(names, _) if names.is_empty() => "Buckets: none.".to_owned(),
        Listing::All(names) => format!("Buckets: {}, in {}.", names.len(), regions.join(", ")),
        Listing::Some(names, why) => {
            format!("Buckets: {} and maybe more ({}), in {}.", names.len(), why.terminal(), regions.join(", "))
        }
    }
}

fn listing(what: &str, listing: &Listing) -> String {
    match listing {
        Listing::All(names) if names.is_empty() => format!("{what}: none."),
        Listing::All(names) => format!("{what}: {}.", shown(names)),
        Listing::Some(names, why) if names.is_empty() => format!("{what}: none seen ({}).", why.terminal()),
        Listing::Some(names, why) => format!("{what}: {}, and maybe more ({}).", shown(names), why.terminal()),
        Listing::Unknown(why) => format!("{what}: not known ({}).", why.terminal()),
    }
}

fn shown(names: &[Untrusted]) -> String {
    let first: Vec<String> = names.iter().take(SHOWN).map(Untrusted::terminal).collect();
    match names.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        Some(more) => format!("{} and {more} others", first.join(", ")),
        None => first.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<Untrusted> {
        (1..=count).map(|n| format!("b{n}").into()).collect()
    }

    #[test]
    fn a_long_list_is_cut_and_counted_and_a_list_that_ends_early_says_why() {
        assert_eq!(listing("Budgets", &Listing::All(names(7))), "Budgets: b1, b2, b3, b4, b5 and 2 others.");
        let cut = Listing::Some(names(1), "AccessDenied: \u{7}no".into());
        assert_eq!(listing("Budgets", &cut), "Budgets: b1, and maybe more (AccessDenied: \\u{7}no).");
        assert_eq!(listing("Budgets", &Listing::All(Vec::new())), "Budgets: none.");
    }

    #[test]
    fn costs_are_called_pro_forma_where_a_group_is_seen_and_a_member_that_sees_none_is_not_reassured() {
        let member = || Standing::Member { organization: "o-1".to_owned(), payer: "9".to_owned(), delegated: None };
        let of = |standing, pro_forma| {
            let none = || Listing::All(Vec::new());
            let (regions, buckets) = (std::collections::BTreeMap::new(), none());
            let (lens, inventories, budgets, locations, exports) = (none(), none(), none(), none(), none());
            let found = Found { standing, pro_forma, buckets, regions, lens, inventories, budgets, locations, exports };
            super::pro_forma(&found)
        };
        assert_eq!(of(Standing::Alone, Listing::All(names(0))), "Pro-forma billing: none.");
        assert!(
            of(Standing::Alone, Listing::All(names(1))).starts_with("Pro-forma billing groups: b1. Their accounts")
        );
        assert!(of(member(), Listing::All(names(0))).contains("a member is not always told"));
        assert!(of(member(), Listing::All(names(2))).contains("b1, b2. The costs of this account may be pro-forma"));
        assert!(of(member(), Listing::Unknown("denied".into())).contains("not known (denied)"));
    }

    #[test]
    fn what_a_member_is_not_told_is_not_known() {
        let of = |delegated| {
            let (organization, payer) = ("o-1".to_owned(), "9".to_owned());
            standing(&Standing::Member { organization, payer, delegated })
        };
        assert!(of(None).ends_with("9 pays; whether it is a delegated administrator is not known."));
        assert!(of(Some(true)).ends_with("it is a delegated administrator."));
    }
}
