//! How many DPUs a worker setting is, and how many DPU-seconds a run is billed for.
//!
//! Never guesses: a worker type that is not known has no size.

use rust_decimal::Decimal;

/// Shortest time that a run is billed for, which then goes by the second (AWS Glue pricing: 1 minute).
const MINIMUM_SECONDS: u32 = 60;
/// The same for Spark on Glue 0.9 and 1.0 (AWS Glue pricing: 10 minutes).
const OLD_MINIMUM_SECONDS: u32 = 600;

/// What workers there are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Workers<'a> {
    /// The type, as Glue writes it.
    pub kind: Option<&'a str>,
    /// How many.
    pub number: Option<i32>,
    /// DPUs, where Glue says them.
    pub max_capacity: Option<f64>,
}

impl Workers<'_> {
    /// Returns the DPUs that Glue itself says.
    pub fn max_capacity(&self) -> Option<Decimal> {
        self.max_capacity.and_then(exact).filter(|dpu| *dpu > Decimal::ZERO)
    }

    /// Returns the DPUs (or M-DPUs) that the workers are.
    pub fn dpu(&self) -> Option<Decimal> {
        let of_workers = || Some(size(self.kind?)? * Decimal::from(self.number.filter(|n| *n > 0)?));
        self.max_capacity().or_else(of_workers)
    }

    /// Returns `M-DPU` for workers that have their own price, else `DPU`.
    pub fn unit(&self) -> &'static str {
        let own_price = self.kind.is_some_and(|kind| kind.starts_with("R.") || kind.starts_with("Z."));
        if own_price { "M-DPU" } else { "DPU" }
    }
}

/// DPUs (M-DPUs for R and Z) of one worker (AWS Glue Developer Guide, worker types).
fn size(kind: &str) -> Option<Decimal> {
    let hundredths = match kind {
        "G.025X" => 25,
        "Standard" | "G.1X" | "R.1X" => 100,
        "G.2X" | "R.2X" | "Z.2X" => 200,
        "G.4X" | "R.4X" => 400,
        "G.8X" | "R.8X" => 800,
        "G.12X" => 1_200,
        "G.16X" => 1_600,
        _ => return None,
    };
    Some(Decimal::new(hundredths, 2))
}

/// What `dpu_seconds` rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Glue's own figure.
    Reported,
    /// Execution time × allocated DPUs.
    Allocated,
}

impl Basis {
    /// Returns the word of the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Basis::Reported => "reported",
            Basis::Allocated => "allocated",
        }
    }
}

/// Returns the DPU-seconds that a run of `seconds` is billed for: what Glue reports (Flex and Auto Scaling only: the time
/// of each executor times its DPUs; Glue API reference, JobRun), else the time of all that was allocated.
///
/// A run shorter than the `minimum` is billed for all that was allocated over the minimum, if that is more than what was
/// reported; where nobody knows what was allocated, as if it had gone on as it was. A run that is longer is past it.
pub fn billed(
    reported: Option<Decimal>,
    seconds: i64,
    allocated: Option<Decimal>,
    minimum: i64,
) -> Option<(Decimal, Basis)> {
    if seconds == 0 {
        return Some((Decimal::ZERO, Basis::Allocated));
    }
    let least = Decimal::from(seconds.max(minimum));
    match (reported, allocated) {
        (Some(used), _) if seconds >= minimum => Some((used, Basis::Reported)),
        (Some(used), Some(dpu)) if dpu * least > used => Some((dpu * least, Basis::Allocated)),
        (Some(used), Some(_)) => Some((used, Basis::Reported)),
        (Some(used), None) => Some((used * least / Decimal::from(seconds), Basis::Reported)),
        (None, dpu) => Some((dpu? * least, Basis::Allocated)),
    }
}

/// Returns the shortest time that a run is billed for.
pub fn minimum_seconds(job_type: Option<&str>, glue_version: Option<&str>) -> i64 {
    let spark = job_type.is_none_or(|kind| kind.starts_with("glueetl") || kind == "gluestreaming");
    let old = glue_version.is_some_and(|version| version.starts_with("0.") || version.starts_with("1."));
    i64::from(if spark && old { OLD_MINIMUM_SECONDS } else { MINIMUM_SECONDS })
}

/// Returns the decimal that a float shows: Glue writes quantities as JSON numbers.
pub fn exact(number: f64) -> Option<Decimal> {
    number.to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn workers(kind: &str, number: i32) -> Workers<'_> {
        Workers { kind: Some(kind), number: Some(number), max_capacity: None }
    }

    #[test]
    fn workers_are_dpus_by_their_size_unless_glue_says_the_capacity() {
        assert_eq!(workers("G.1X", 10).dpu(), Some(dec("10")));
        assert_eq!(workers("G.025X", 2).dpu(), Some(dec("0.5")));
        assert_eq!(workers("G.16X", 3).dpu(), Some(dec("48")));
        let shell = Workers { max_capacity: Some(0.0625), ..Workers::default() };
        assert_eq!((shell.dpu(), shell.unit()), (Some(dec("0.0625")), "DPU"));
        assert_eq!((workers("R.2X", 4).dpu(), workers("R.2X", 4).unit()), (Some(dec("8")), "M-DPU"));
    }

    #[test]
    fn a_worker_type_that_is_not_known_has_no_size() {
        assert_eq!(workers("G.32X", 10).dpu(), None);
        assert_eq!(billed(None, 100, workers("G.32X", 10).dpu(), 60), None);
    }

    #[test]
    fn a_run_is_billed_by_what_it_reports_else_by_what_it_was_given() {
        assert_eq!(billed(Some(dec("700")), 100, Some(dec("10")), 60), Some((dec("700"), Basis::Reported)));
        assert_eq!(billed(None, 100, Some(dec("10")), 60), Some((dec("1000"), Basis::Allocated)));
    }

    #[test]
    fn a_run_past_the_minimum_is_billed_for_the_workers_that_it_had_and_no_more() {
        assert_eq!(billed(Some(dec("240")), 120, Some(dec("10")), 60), Some((dec("240"), Basis::Reported)));
        assert_eq!(billed(Some(dec("60")), 60, Some(dec("10")), 60), Some((dec("60"), Basis::Reported)));
        assert_eq!(billed(None, 300, Some(dec("10")), 600), Some((dec("6000"), Basis::Allocated)));
    }

    #[test]
    fn a_short_run_is_billed_for_the_minimum_and_one_that_never_ran_for_nothing() {
        assert_eq!(billed(None, 20, Some(dec("10")), 60), Some((dec("600"), Basis::Allocated)));
        assert_eq!(billed(Some(dec("40")), 20, Some(dec("10")), 60), Some((dec("600"), Basis::Allocated)));
        assert_eq!(billed(Some(dec("700")), 59, Some(dec("10")), 60), Some((dec("700"), Basis::Reported)));
        assert_eq!(billed(Some(dec("40")), 20, None, 60), Some((dec("120"), Basis::Reported)));
        assert_eq!(billed(None, 0, None, 60), Some((Decimal::ZERO, Basis::Allocated)));
        assert_eq!(minimum_seconds(Some("glueetl"), Some("1.0")), 600);
        assert_eq!(minimum_seconds(Some("pythonshell"), Some("1.0")), 60);
        assert_eq!(minimum_seconds(Some("glueetl"), Some("4.0")), 60);
    }
}
