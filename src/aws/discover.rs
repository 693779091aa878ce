//! What there is before the first scan: who pays, where the buckets are, which reports and registrations exist.
//!
//! Asks what is free, and the list of buckets, which is half a thousandth of a cent for a thousand. Keeps nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::collect::advice::Adviser;
use crate::aws::collect::ask::ask;
use crate::aws::collect::pages::{Listed, list_pages};
use crate::aws::collect::{Collector, Failed, Scope, billing_views, exports};
use crate::aws::connector::Sample;
use crate::aws::connector::stop::SAMPLED;
use crate::aws::look::{Seen, look};
use crate::model::{Coverage, CoverageState, Row, Untrusted};

/// The calls of a discovery: what else the collectors that it runs would ask never leaves the machine.
pub const CALLS: &[&str] = &[
    "bcm-data-exports:GetExport",
    "bcm-data-exports:ListExports",
    "billing:ListBillingViews",
    "budgets:DescribeBudgets",
    "lakeformation:ListResources",
    "organizations:DescribeOrganization",
    "organizations:ListDelegatedAdministrators",
    "s3:GetBucketLocation",
    "s3:HeadBucket",
    "s3:ListBucketInventoryConfigurations",
    "s3:ListBuckets",
    "s3control:ListStorageLensConfigurations",
];

/// How often each is asked: inventories are looked for in the first thirty buckets.
pub const SAMPLE: Sample = Sample { each: 30, all: 30, once: &[] };

const BUCKETS: &str = "buckets";
const INVENTORIES: &str = "inventory_configurations";
const BUDGETS: &str = "budgets";
const LENS: &str = "storage_lens_configurations";

/// What this account is to the one that pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is in no organization and pays for itself.
    Alone,
    /// It is the management account, which pays.
    Payer {
        /// Id of the organization.
        organization: String,
        /// Accounts that may act for it in some service.
        delegates: Listing,
    },
    /// Another account pays.
    Member {
        /// Id of the organization.
        organization: String,
        /// The management account.
        payer: String,
        /// Whether it may act for the payer in some service; `None` where nobody tells.
        delegated: Option<bool>,
    },
    /// Organizations did not tell, for this reason.
    Unknown(Untrusted),
}

/// Things of one kind, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// These are all.
    All(Vec<Untrusted>),
    /// These, and maybe more, for this reason.
    Some(Vec<Untrusted>, Untrusted),
    /// Not known, for this reason.
    Unknown(Untrusted),
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Who pays.
    pub standing: Standing,
    /// Views of pro-forma costs that this account may open, by name.
    pub pro_forma: Listing,
    /// The buckets.
    pub buckets: Listing,
    /// How many of them are in each Region.
    pub regions: BTreeMap<String, usize>,
    /// Storage Lens configurations.
    pub lens: Listing,
    /// Inventory configurations, as `bucket/configuration`.
    pub inventories: Listing,
    /// Budgets.
    pub budgets: Listing,
    /// Locations registered in Lake Formation.
    pub locations: Listing,
    /// Exports of the bill, by where they are delivered.
    pub exports: Listing,
}

/// Looks at the scope's account. Its connector must allow [`CALLS`] and nothing else.
pub async fn discover(scope: &Scope) -> Found {
    let mut scope = Scope { earlier: Vec::new(), ..scope.clone() };
    scope.options.advisers = BTreeSet::from([Adviser::Budgets]);
    let seen = look(&scope, &[Collector::S3, Collector::Advice], &[BUCKETS, INVENTORIES, BUDGETS, LENS]).await;
    let regions = regions(&seen);
    let name = |column: &'static str| move |row: &Row| row.text(column).cloned();
    let inventory = |row: &Row| {
        let part = |column| row.text(column).map(Untrusted::raw);
        Some(format!("{}/{}", part("bucket")?, part("configuration_id")?).into())
    };
    Found {
        standing: standing(&scope).await,
        pro_forma: pro_forma(&scope).await,
        buckets: listing(&seen, BUCKETS, "s3:ListBuckets", name("bucket")),
        lens: listing(&seen, LENS, "s3control:ListStorageLensConfigurations", name("configuration_id")),
        inventories: listing(&seen, INVENTORIES, "s3:ListBucketInventoryConfigurations", inventory),
        budgets: listing(&seen, BUDGETS, "budgets:DescribeBudgets", name("budget_name")),
        locations: locations(&scope, &regions).await,
        exports: bills(&scope).await,
        regions,
    }
}

fn regions(seen: &Seen) -> BTreeMap<String, usize> {
    let mut regions = BTreeMap::new();
    for region in seen.rows.get(BUCKETS).into_iter().flatten().filter_map(|row| row.text("region")) {
        *regions.entry(region.raw().to_owned()).or_default() += 1;
    }
    regions
}

/// Returns the names in the rows of `table`, and by its coverage whether they are all.
fn listing(seen: &Seen, table: &str, read: &str, name: impl Fn(&Row) -> Option<Untrusted>) -> Listing {
    let mut names: Vec<Untrusted> = seen.rows.get(table).into_iter().flatten().filter_map(name).collect();
    names.sort();
    let of = |row: &&Coverage| row.table == table && (row.read == read || row.read == "s3:ListBuckets");
    let told: Vec<&Coverage> = seen.coverage.iter().filter(of).collect();
    let gap = told.iter().find(|row| row.is_gap()).map(|row| row.reason.clone().unwrap_or_default());
    let saw = told.iter().any(|row| matches!(row.state, CoverageState::Seen | CoverageState::Partial));
    match gap {
        Some(why) if why.raw() == SAMPLED => Listing::Some(names, "only the first thirty buckets were asked".into()),
        Some(why) if saw => Listing::Some(names, why),
        Some(why) => Listing::Unknown(why),
        None if told.is_empty() => Listing::Unknown("not looked for".into()),
        None => Listing::All(names),
    }
}

/// Returns what is registered in Lake Formation in the Regions that have buckets, and in the scope's own.
async fn locations(scope: &Scope, regions: &BTreeMap<String, usize>) -> Listing {
    let regions: BTreeSet<&str> = regions.keys().map(String::as_str).chain([scope.region.as_str()]).collect();
    let (mut names, mut failed) = (Vec::new(), None);
    for region in regions {
        let of_region = scope.in_region(region);
        let client = of_region.lake_formation();
        let mut token = None;
        loop {
            match ask(&of_region, client.list_resources().set_next_token(token).send()).await {
                Ok(page) => {
                    let found = page.resource_info_list.unwrap_or_default();
                    names.extend(found.iter().filter_map(|found| found.resource_arn()).map(Untrusted::from));
                    token = page.next_token.filter(|token| !token.is_empty());
                }
                Err(error) => {
                    failed = Some(error);
                    token = None;
                }
            }
            if token.is_none() {
                break;
            }
        }
    }
    named(names, failed)
}

async fn bills(scope: &Scope) -> Listing {
    let told = exports::find(scope).await;
    let places = told.exports.iter().map(|export| Untrusted::from(export.url.as_str())).collect();
    named(places, told.failed())
}

async fn pro_forma(scope: &Scope) -> Listing {
    let Listed { found, failed } = billing_views::views(scope).await;
    let views = found.iter().filter(|view| billing_views::is_pro_forma(view));
    named(views.filter_map(|view| view.name().or(view.arn())).map(Untrusted::from).collect(), failed)
}

fn named(mut names: Vec<Untrusted>, failed: Option<Failed>) -> Listing {
    names.sort();
    match failed {
        None => Listing::All(names),
        Some(failed) if names.is_empty() => Listing::Unknown(failed.reason.into()),
        Some(failed) => Listing::Some(names, failed.reason.into()),
    }
}

async fn standing(scope: &Scope) -> Standing {
    let client = scope.organizations();
    let organization = match ask(scope, client.describe_organization().send()).await {
        Ok(answer) => answer.organization,
        Err(failed) if failed.code.as_deref() == Some("AWSOrganizationsNotInUseException") => return Standing::Alone,
        Err(failed) => return Standing::Unknown(failed.reason.into()),
    };
    let told = organization.and_then(|told| Some((told.id?, told.master_account_id?)));
    let Some((organization, payer)) = told else {
        return Standing::Unknown("an answer without an organization".into());
    };
    let pages = client.list_delegated_administrators().into_paginator().send();
    let Listed { found, failed } = list_pages(scope, pages, |page| page.delegated_administrators).await;
    let ids: Vec<Untrusted> = found.iter().filter_map(|account| account.id()).map(Untrusted::from).collect();
    if payer == scope.account_id {
        return Standing::Payer { organization, delegates: named(ids, failed) };
    }
    // Only the payer and its delegates are told: a refusal says nothing about a caller that may ask for little.
    let delegated = failed.is_none().then(|| ids.iter().any(|id| id.raw() == scope.account_id));
    Standing::Member { organization, payer, delegated }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::aws::connector::{Allowlist, Connector, Fault, Role};
    use crate::aws::stand_in::{answer, refusal, scope, sdk, setup};

    async fn found(say: impl Fn(&str) -> Fault + Send + Sync + 'static) -> Found {
        let mut setup = setup(Allowlist::default().and(Role::Reading, CALLS.iter().copied()));
        setup.sample = Some(SAMPLE);
        setup.faults = Some(Arc::new(move |call, _| {
            assert!(CALLS.contains(&call.operation.as_str()), "{}", call.operation);
            Some(say(&call.operation))
        }));
        let connector = Connector::new(setup);
        discover(&Scope { sdk: sdk(&connector), ..scope(Vec::new()) }).await
    }

    fn texts(names: &[&str]) -> Vec<Untrusted> {
        names.iter().map(|name| Untrusted::from(*name)).collect()
    }

    fn of_payer(payer: &str) -> Fault {
        answer(200, &format!("{{\"Organization\": {{\"Id\": \"o-1\", \"MasterAccountId\": \"{payer}\"}}}}"))
    }

    const LAKE: &str = "<ListAllMyBucketsResult><Buckets><Bucket><Name>lake</Name><BucketRegion>eu-west-1</BucketRegion>\
        </Bucket></Buckets></ListAllMyBucketsResult>";
    const INVENTORY: &str = "<ListInventoryConfigurationsResult><InventoryConfiguration><Id>all</Id>\
        <IsEnabled>true</IsEnabled><IncludedObjectVersions>All</IncludedObjectVersions><Schedule><Frequency>Daily\
        </Frequency></Schedule><Destination><S3BucketDestination><Bucket>arn:aws:s3:::lists</Bucket><Format>CSV</Format>\
        </S3BucketDestination></Destination></InventoryConfiguration><IsTruncated>false</IsTruncated>\
        </ListInventoryConfigurationsResult>";

    const VIEWS: &str = "{\"billingViews\": [{\"name\": \"Primary View\", \"billingViewType\": \"PRIMARY\"}, \
        {\"name\": \"team\", \"billingViewType\": \"BILLING_GROUP\"}]}";

    #[tokio::test]
    async fn buckets_inventories_budgets_and_locations_are_found_and_nothing_else_is_asked() {
        let found = found(|operation| match operation {
            "s3:ListBuckets" => answer(200, LAKE),
            "s3:ListBucketInventoryConfigurations" => answer(200, INVENTORY),
            "lakeformation:ListResources" => {
                answer(200, "{\"ResourceInfoList\": [{\"ResourceArn\": \"arn:aws:s3:::lake/raw\"}]}")
            }
            "billing:ListBillingViews" => answer(200, VIEWS),
            "budgets:DescribeBudgets" => refusal("AccessDeniedException", "no"),
            _ => refusal("AWSOrganizationsNotInUseException", "not a member"),
        });
        let found = found.await;
        assert_eq!(found.standing, Standing::Alone);
        assert_eq!(found.pro_forma, Listing::All(texts(&["team"])));
        assert_eq!(found.buckets, Listing::All(texts(&["lake"])));
        assert_eq!(found.regions, BTreeMap::from([("eu-west-1".to_owned(), 1)]));
        assert_eq!(found.inventories, Listing::All(texts(&["lake/all"])));
        assert_eq!(found.locations, Listing::All(texts(&["arn:aws:s3:::lake/raw"])));
        assert!(matches!(&found.budgets, Listing::Unknown(why) if why.raw().contains("AccessDenied")));
    }

    #[tokio::test]
    async fn who_pays_is_told_apart_from_who_does_not_and_a_refusal_makes_nobody_a_delegate() {
        let own = "123456789012";
        let delegates = answer_delegates(own);
        let payer = found(move |operation| match operation {
            "organizations:DescribeOrganization" => of_payer(own),
            "organizations:ListDelegatedAdministrators" => answer(200, &delegates),
            _ => refusal("AccessDeniedException", "no"),
        });
        let delegates = Listing::All(texts(&[own]));
        assert_eq!(payer.await.standing, Standing::Payer { organization: "o-1".to_owned(), delegates });
        for (told, delegated) in [(Some(own), Some(true)), (Some("9"), Some(false)), (None, None)] {
            let member = found(move |operation| match (operation, told) {
                ("organizations:DescribeOrganization", _) => of_payer("999999999999"),
                ("organizations:ListDelegatedAdministrators", Some(id)) => answer(200, &answer_delegates(id)),
                _ => refusal("AccessDeniedException", "no"),
            });
            let (organization, payer) = ("o-1".to_owned(), "999999999999".to_owned());
            assert_eq!(member.await.standing, Standing::Member { organization, payer, delegated });
        }
    }

    fn answer_delegates(id: &str) -> String {
        format!("{{\"DelegatedAdministrators\": [{{\"Id\": \"{id}\"}}]}}")
    }

    #[tokio::test]
    async fn who_may_not_ask_is_told_that_it_is_not_known() {
        let found = found(|operation| match operation {
            "s3:ListBuckets" => answer(403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"),
            _ => refusal("AccessDeniedException", "no"),
        });
        let found = found.await;
        assert!(matches!(found.standing, Standing::Unknown(_)) && found.regions.is_empty());
        for listing in [&found.pro_forma, &found.buckets, &found.inventories, &found.budgets, &found.locations] {
            assert!(matches!(listing, Listing::Unknown(_)), "{listing:?}");
        }
    }
}
