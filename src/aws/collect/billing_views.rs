//! Billing views: whether the costs of the account are what AWS charges, or what AWS Billing Conductor shows it.

use aws_sdk_billing::types::{BillingViewListElement, BillingViewType};

use super::pages::{Listed, list_pages};
use super::{Read, Scope, Sink};
use crate::model::Row;
use crate::store::tables::bill::BILLING_VIEWS as TABLE;

/// The views that the account may open.
pub const READ: Read = Read::rows("billing:ListBillingViews", "billing:ListBillingViews", TABLE.name);

/// Returns the views that the scope's account may open. Free; one endpoint for all Regions.
pub async fn views(scope: &Scope) -> Listed<BillingViewListElement> {
    let pages = scope.billing().list_billing_views().into_paginator().send();
    list_pages(scope, pages, |page| Some(page.billing_views)).await
}

/// Returns true for a view of pro-forma costs: rates that the payer, or who takes over the bill, has set (Cost Management
/// user guide, Billing View).
pub fn is_pro_forma(view: &BillingViewListElement) -> bool {
    let kinds = [BillingViewType::BillingGroup, BillingViewType::BillingTransferShowback];
    view.billing_view_type().is_some_and(|kind| kinds.contains(kind))
}

/// Reads the views.
pub async fn collect(scope: &Scope, sink: &Sink) {
    let listed = views(scope).await;
    let row = |view: &BillingViewListElement| {
        Row::new()
            .with("account_id", scope.account_id.as_str())
            .with("arn", view.arn())
            .with("name", view.name())
            .with("billing_view_type", view.billing_view_type().map(BillingViewType::as_str))
            .with("owner_account_id", view.owner_account_id())
            .with("source_account_id", view.source_account_id())
    };
    sink.rows(&TABLE, listed.found.iter().map(row).collect()).await;
    sink.cover(listed.coverage(&READ).at(&scope.account_id, None)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_billing_group_is_pro_forma_and_the_accounts_own_view_is_not() {
        let of = |kind: &str| BillingViewListElement::builder().billing_view_type(kind.into()).build();
        assert!(is_pro_forma(&of("BILLING_GROUP")) && is_pro_forma(&of("BILLING_TRANSFER_SHOWBACK")));
        assert!(!is_pro_forma(&of("PRIMARY")) && !is_pro_forma(&of("CUSTOM")));
    }
}
