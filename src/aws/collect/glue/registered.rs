//! Which locations are registered in Lake Formation: what happens to their data is decided there.

use aws_sdk_lakeformation::Client;
use aws_sdk_lakeformation::types::ResourceInfo;

use super::tables::Found;
use crate::aws::collect::ask::ask;
use crate::aws::collect::pages::{Listed, list};
use crate::aws::collect::{Read, Scope, Sink};

/// Locations on a page (Lake Formation API reference: at most 1,000).
const PAGE: i32 = 200;

/// The list.
pub const REGISTERED: Read = Read::columns(
    "lakeformation:ListResources",
    "lakeformation:ListResources",
    "glue_tables",
    &["location_registered", "hybrid_access"],
);

/// Adds to the tables whether their location is registered; returns true when any location of the Region is.
pub async fn read(scope: &Scope, sink: &Sink, client: &Client, tables: &mut [Found]) -> bool {
    let resources: Listed<ResourceInfo> = list(|token| {
        let call = client.list_resources().max_results(PAGE).set_next_token(token);
        async {
            let page = ask(scope, call.send()).await?;
            Ok((page.resource_info_list.unwrap_or_default(), page.next_token))
        }
    })
    .await;
    resources.cover(scope, sink, &REGISTERED, &[]).await;
    let places: Vec<Place> = resources.found.iter().filter_map(Place::of).collect();
    for table in tables {
        let Some(location) = &table.location else { continue };
        let place = places.iter().find(|place| place.covers(location));
        // A list that ends early shows what is registered and not what is not.
        if place.is_some() || resources.failed.is_none() {
            table.row.set("location_registered", place.is_some());
            table.row.set("hybrid_access", place.map(|place| place.hybrid));
        }
    }
    !resources.found.is_empty()
}

/// A registered location: bucket and prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    path: String,
    hybrid: bool,
}

impl Place {
    fn of(resource: &ResourceInfo) -> Option<Place> {
        let path = resource.resource_arn()?.split_once(":s3:::")?.1;
        let path = path.trim_end_matches('*').trim_end_matches('/').to_owned();
        Some(Place { path, hybrid: resource.hybrid_access_enabled().unwrap_or(false) })
    }

    fn covers(&self, location: &str) -> bool {
        let path = location.split_once("://").map_or(location, |(_, path)| path);
        path.strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_registered_with_the_folder_above_it_and_not_with_its_neighbour() {
        let resource = ResourceInfo::builder().resource_arn("arn:aws:s3:::lake/raw/").hybrid_access_enabled(true);
        let place = Place::of(&resource.build()).unwrap();
        assert!(place.covers("s3://lake/raw") && place.covers("s3a://lake/raw/orders/"));
        assert!(!place.covers("s3://lake/rawer/") && !place.covers("s3://lake/"));
        let bucket = Place::of(&ResourceInfo::builder().resource_arn("arn:aws:s3:::lake").build()).unwrap();
        assert!(bucket.covers("s3://lake/raw/") && !bucket.covers("s3://lake-eu/raw/"));
    }
}
