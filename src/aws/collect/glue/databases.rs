//! Databases of the account's catalog, and which of them are not read: links and what is federated.
//!
//! A link's tables belong to another account, a federated database's to another system: neither is asked for.

use aws_sdk_glue::Client;
use aws_sdk_glue::types::{Catalog, Database};

use crate::aws::collect::ask::ask;
use crate::aws::collect::instant::utc;
use crate::aws::collect::pages::{Listed, list};
use crate::aws::collect::{Read, Scope, Sink};
use crate::model::{Coverage, CoverageState, Row};

/// Databases on a page (Glue API reference: at most 100).
const PAGE: i32 = 100;

/// The list.
pub const DATABASES: Read = Read::rows("glue:GetDatabases", "glue:GetDatabases", "glue_databases");
/// Catalogs beside the account's own.
pub const CATALOGS: Read = Read::columns("glue:GetCatalogs", "glue:GetCatalogs", "glue_databases", &[]);

/// Returns the databases of the account's own catalog.
pub async fn databases(scope: &Scope, client: &Client) -> Listed<Database> {
    list(|token| {
        let call = client.get_databases().max_results(PAGE).set_next_token(token);
        async {
            let page = ask(scope, call.send()).await?;
            Ok((page.database_list, page.next_token))
        }
    })
    .await
}

/// Says which catalogs there are beside the account's own: their databases are not read.
pub async fn cover_catalogs(scope: &Scope, sink: &Sink, client: &Client) {
    let catalogs: Listed<Catalog> = list(|token| {
        let call = client.get_catalogs().recursive(true).max_results(PAGE).set_next_token(token);
        async {
            let page = ask(scope, call.send()).await?;
            Ok((page.catalog_list, page.next_token))
        }
    })
    .await;
    let others = catalogs.found.iter().filter(|catalog| catalog.catalog_id() != Some(&scope.account_id));
    for catalog in others {
        let why = "another catalog of the account (S3 Tables, Redshift or federated): its databases are not read";
        let name = catalog.catalog_id().unwrap_or_else(|| catalog.name()).to_owned();
        let gap = Coverage::new(CATALOGS.table, CATALOGS.operation, CoverageState::NotAsked).because(why);
        sink.cover(gap.at(&scope.account_id, Some(&scope.region)).of(name)).await;
    }
    catalogs.cover(scope, sink, &CATALOGS, &[]).await;
}

/// Returns why the tables of a database are not read; `None` for those that are.
pub fn elsewhere(database: &Database) -> Option<&'static str> {
    match (database.target_database(), database.federated_database()) {
        (Some(_), _) => Some("a link to a database of another account or Region: its tables are read there"),
        (_, Some(_)) => Some("a federated database: its tables are in another system"),
        (None, None) => None,
    }
}

/// Returns the row of a database; without `tables` it is not known how many it has.
pub fn row(scope: &Scope, database: &Database, tables: Option<usize>) -> Row {
    let target = database.target_database();
    let link = target.map(|target| path([target.catalog_id(), target.database_name()]));
    super::place(Row::new(), scope)
        .with("database", database.name())
        .with("location", database.location_uri().and_then(lake_path))
        .with("created", database.create_time().and_then(utc))
        .with("shared_from", link)
        .with("federated_connection", database.federated_database().and_then(|by| by.connection_name()))
        .with("table_count", tables)
}

/// Returns a location that is a path in a lake or a plain name. Other addresses may carry credentials: they are not kept.
pub fn lake_path(location: &str) -> Option<&str> {
    let scheme = location.split_once(':').map_or("", |(scheme, _)| scheme);
    let in_lake = ["", "s3", "s3a", "s3n", "hdfs", "file", "arn"].contains(&scheme);
    Some(location).filter(|location| in_lake && !location.is_empty())
}

/// Returns what is known of a name, from the account down.
pub fn path<const N: usize>(parts: [Option<&str>; N]) -> String {
    parts.map(|part| part.unwrap_or("?")).join("/")
}

#[cfg(test)]
mod tests {
    use aws_sdk_glue::types::{DatabaseIdentifier, FederatedDatabase};

    use super::*;
    use crate::aws::collect::glue::tests::scope;

    #[test]
    fn a_link_says_where_it_leads_and_is_not_read() {
        let target = DatabaseIdentifier::builder().catalog_id("210987654321").database_name("sales").build();
        let link = Database::builder().name("sales_link").target_database(target).build().unwrap();
        assert!(elsewhere(&link).is_some());
        let row = row(&scope(vec![]), &link, None);
        assert_eq!((row.key("shared_from"), row.int("table_count")), ("210987654321/sales", None));
    }

    #[test]
    fn an_address_that_may_carry_credentials_is_not_kept() {
        assert_eq!(lake_path("s3://lake/raw/"), Some("s3://lake/raw/"));
        assert_eq!(lake_path("shop.public.orders"), Some("shop.public.orders"));
        assert_eq!(lake_path("jdbc:mysql://shop:hunter2@db/shop"), None);
        assert_eq!(lake_path(""), None);
    }

    #[test]
    fn a_federated_database_is_not_read_and_a_plain_one_is() {
        let by = FederatedDatabase::builder().connection_name("redshift").build();
        let federated = Database::builder().name("f").federated_database(by).build().unwrap();
        assert!(elsewhere(&federated).is_some());
        assert!(elsewhere(&Database::builder().name("raw").build().unwrap()).is_none());
    }
}
