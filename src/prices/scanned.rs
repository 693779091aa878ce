//! What Athena bills for the bytes that a query scanned. Holds no price.

/// Athena rounds the bytes of a query up to the next MB (Athena pricing page).
pub const MEGABYTE: i64 = 1 << 20;
/// Least that a query that scans anything is billed for, in bytes (Athena pricing page).
pub const MINIMUM: i64 = 10 * MEGABYTE;
/// Bytes of a TB on Athena's bill.
pub const TERABYTE: i64 = 1 << 40;

/// Returns the bytes billed for a query that scanned `scanned`: whole MB, at least 10 of them. A query that scanned
/// nothing is taken as free, so that no saving rests on it.
pub fn billed_bytes(scanned: i64) -> i64 {
    if scanned <= 0 {
        return 0;
    }
    let megabytes = (scanned - 1) / MEGABYTE + 1;
    megabytes.saturating_mul(MEGABYTE).max(MINIMUM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_pays_for_whole_megabytes_and_for_ten_at_least() {
        let mb = MEGABYTE;
        for (scanned, billed) in [(0, 0), (1, 10 * mb), (10 * mb, 10 * mb), (10 * mb + 1, 11 * mb), (25 * mb, 25 * mb)]
        {
            assert_eq!(billed_bytes(scanned), billed, "{scanned}");
        }
    }
}
