//! How many pages the months still to be read may have, going by those that were read. Pure.

use super::days::Span;
use crate::store::BillPages;

/// Days that the pages must be about, those of each question, before they say anything of a whole month: a few days fit
/// on one page.
const ENOUGH: u64 = 60;

/// Returns from how many to how many pages `months`, each with how many questions are asked about it, may have; `None`
/// while too little was read.
pub fn ahead(read: BillPages, months: &[(Span, u64)]) -> Option<(u64, u64)> {
    if read.days < ENOUGH || read.pages == 0 {
        return None;
    }
    let each =
        months.iter().map(|(month, questions)| (month.days().count() as u64 * questions * read.pages, questions));
    // A month without usage has one page; elsewhere the last page of each question is seldom full.
    let span = each.map(|(pages, questions)| ((pages / read.days).max(1), pages.div_ceil(read.days) + questions));
    Some(span.fold((0, 0), |sum, month| (sum.0 + month.0, sum.1 + month.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(from: &str, to: &str) -> Span {
        Span { from: from.parse().unwrap(), to: to.parse().unwrap() }
    }

    #[test]
    fn whole_months_are_expected_to_have_pages_by_their_days() {
        let read = BillPages { pages: 12, days: 3 * 30 };
        let months = [(month("2026-04-01", "2026-04-30"), 3), (month("2026-02-01", "2026-02-28"), 3)];
        assert_eq!(ahead(read, &months), Some((12 + 11, 15 + 15)));
    }

    #[test]
    fn a_few_days_on_one_page_each_say_nothing_of_a_month() {
        assert_eq!(ahead(BillPages { pages: 3, days: 6 }, &[(month("2026-04-01", "2026-04-30"), 3)]), None);
    }
}
