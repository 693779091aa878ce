use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::model::Cell;

static CARD: LazyLock<RateCard> =
    LazyLock::new(|| RateCard::new(PriceBook::embedded().unwrap(), Vec::new(), crate::prices::Payer::Unknown));

fn parse(text: &str) -> Result<Formula, FormulaError> {
    Formula::parse(text, CARD.book())
}

fn compute(text: &str, row: &Row, end: End) -> Result<Computed, Unknown> {
    let params = Params::from([("days".to_owned(), Literal::Int(30))]);
    let as_of = "2026-11-15T00:00:00Z".parse().unwrap();
    let inputs = Inputs { row, params: &params, as_of, region: "us-east-1", card: &CARD };
    parse(text).unwrap().compute(&inputs, end)
}

fn number(text: &str, row: &Row, end: End) -> Decimal {
    match compute(text, row, end).unwrap().value {
        Value::Number(number) => number,
        other => panic!("{other:?}"),
    }
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

const FORTY_GIB: i64 = 40 << 30;

#[test]
fn forty_gib_of_standard_cost_92_cents_and_the_trace_says_how() {
    let row = Row::new().with("bytes", FORTY_GIB);
    let answer = compute("gib(bytes) * rate('s3.storage.standard', gib(bytes))", &row, End::High).unwrap();
    assert_eq!(answer.value, Value::Number(dec("0.92")));
    assert_eq!(answer.numbers, "40 GiB × $0.023 per GB-month");
    assert!(answer.rates[0].describe().starts_with("s3.storage.standard in us-east-1: $0.023 per GB-month"));
}

#[test]
fn what_is_null_is_named_and_never_zero() {
    let unknown = |text: &str| compute(text, &Row::new(), End::Low).unwrap_err().why;
    assert_eq!(unknown("gib(bytes) * rate('s3.storage.standard')"), "`bytes` is not known");
    assert_eq!(unknown("case when rule then 1 else 2 end"), "`rule` is not known");
    assert_eq!(unknown("not rule and true"), "`rule` is not known");
    assert_eq!(unknown("least(1, uploads)"), "`uploads` is not known");
    let row = Row::new().with("uploads", 3_i64).with("listed", 0_i64);
    assert_eq!(compute("uploads / listed", &row, End::Low).unwrap_err().why, "3 ÷ 0 has no answer");
}

#[test]
fn a_region_without_a_price_is_unknown_and_named() {
    let row = Row::new();
    let params = Params::new();
    let as_of = "2026-11-15T00:00:00Z".parse().unwrap();
    let inputs = Inputs { row: &row, params: &params, as_of, region: "sa-east-1", card: &CARD };
    let unknown = parse("rate('s3.storage.standard')").unwrap().compute(&inputs, End::Low).unwrap_err();
    assert_eq!(unknown.why, "no price of `s3.storage.standard` in `sa-east-1` is known");
}

#[test]
fn only_what_is_read_must_be_known() {
    let row = Row::new().with("a", 1_i64);
    assert_eq!(number("case when a = 1 then 5 else b end", &row, End::Low), dec("5"));
    assert_eq!(number("case when a = 1 or b = 2 then 5 else 6 end", &row, End::Low), dec("5"));
}

#[test]
fn arithmetic_is_decimal_with_the_usual_precedence() {
    let row = Row::new().with("a", 7_i64);
    assert_eq!(number("1 + 2 * (a - 3) / 4 - -a", &row, End::Low), dec("10"));
    assert_eq!(number("0.1 + 0.2", &row, End::Low), dec("0.3"));
    assert_eq!(number("least(a, $days) + greatest(1, a)", &row, End::Low), dec("14"));
}

#[test]
fn a_rate_that_is_subtracted_takes_the_other_end_of_an_unknown_tier() {
    let row = Row::new();
    let difference = "rate('s3.storage.standard') - rate('s3.storage.int_frequent')";
    assert_eq!(number(difference, &row, End::Low), dec("-0.002"), "0.021 − 0.023");
    assert_eq!(number(difference, &row, End::High), dec("0.002"), "0.023 − 0.021");
}

#[test]
fn units_must_come_out_and_mistakes_are_said_in_words() {
    let unit = |text: &str| parse(text).map(|formula| formula.unit().to_string()).map_err(|e| e.what);
    assert_eq!(unit("gib(bytes) * rate('s3.storage.standard')").unwrap(), "USD per month");
    assert_eq!(unit("objects * rate('s3.monitoring.int')").unwrap(), "USD per month");
    assert_eq!(unit("objects * rate('s3.transition.int')").unwrap(), "USD");
    assert_eq!(unit("tib(avoided_bytes_per_month) * rate('athena.sql.scanned')").unwrap(), "USD per month");
    assert_eq!(unit("dpu_hours_per_month * rate('glue.etl.flex')").unwrap(), "USD per month");
    assert_eq!(unit("bytes * rate('s3.storage.standard')").unwrap(), "USD·byte per GB·month");
    assert_eq!(unit("gib(bytes) * rate('athena.sql.scanned')").unwrap(), "USD·GB per TB");
    assert_eq!(unit("gib(objects)").unwrap_err(), "`gib()` turns bytes into GB, and this is a count");
    assert_eq!(unit("gib(bytes) + objects").unwrap_err(), "GB and a count stand together");
    assert!(unit("rate('s3.storage.standard', bytes)").unwrap_err().contains("is billed in GB-month"));
    assert!(unit("rate('s3.storage.magic')").unwrap_err().contains("no item `s3.storage.magic`"));
    assert!(parse("0").unwrap().unit().fits(&Unit::usd_per_month()));
    assert!(!parse("12").unwrap().unit().fits(&Unit::usd_per_month()));
}

#[test]
fn what_is_not_in_the_grammar_is_refused_when_it_is_loaded() {
    for text in [
        "coalesce(bytes, 0)",
        "nullif(a, 0)",
        "a is null",
        "a % 2",
        "(select 1)",
        "sum(a)",
        "now()",
        "a b",
        "rate(item)",
        "cast(a as int)",
        "null",
        "t.a",
        "",
        "'a' || 'b'",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
    let error = parse("1 +\n +* 2").unwrap_err();
    assert!(error.at.is_some_and(|(line, _)| line == 2), "{error:?}");
}

/// A random formula in dollars or counts over columns a … e, and what it reads is not known beforehand.
fn formulas() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (0_u8..5).prop_map(|n| char::from(b'a' + n).to_string()),
        (1_u32..9).prop_map(|n| n.to_string()),
        Just("rate('s3.requests.standard.tier1')".to_owned()),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) * ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) / ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("least(({a}) - ({b}), ({b}) - ({a}))")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("greatest({a}, {b})")),
            (inner.clone(), inner.clone(), inner.clone(), inner)
                .prop_map(|(a, b, c, d)| format!("case when {a} < {b} and not {c} = {d} then {c} else {d} end")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_formula_that_reads_a_null_is_unknown_and_one_that_does_not_is_unchanged(
        text in formulas(), null in 0_usize..5, values in prop::array::uniform5(1_i64..1000),
    ) {
        let Ok(formula) = parse(&text) else { return Ok(()) };
        let names = ["a", "b", "c", "d", "e"];
        let full = names.iter().zip(values).fold(Row::new(), |row, (name, value)| row.with(*name, value));
        let mut holed = full.clone();
        holed.set(names[null], Cell::Null);
        // The row with another value there: where the column is really read, answers or their arithmetic differ.
        let mut other = full.clone();
        other.set(names[null], 1_000_003_i64);
        let params = Params::new();
        let as_of = "2026-11-15T00:00:00Z".parse().unwrap();
        let run = |row: &Row| {
            formula.compute(&Inputs { row, params: &params, as_of, region: "us-east-1", card: &CARD }, End::Expected)
        };
        let (whole, missing, moved) = (run(&full), run(&holed), run(&other));
        if let Ok(answer) = &missing {
            prop_assert_eq!(Ok(answer), whole.as_ref(), "{}: a NULL that is read changed the answer", text);
            prop_assert_eq!(Ok(answer), moved.as_ref(), "{}: a column that is read was NULL", text);
        } else if !formula.columns().contains(&names[null]) {
            prop_assert_eq!(missing, whole, "{}", text);
        }
    }

    #[test]
    fn dollars_never_come_without_a_rate_in_the_trace(text in formulas(), values in prop::array::uniform5(1_i64..1000)) {
        let Ok(formula) = parse(&text) else { return Ok(()) };
        if formula.unit() != &Unit::usd() {
            return Ok(());
        }
        let row = ["a", "b", "c", "d", "e"].iter().zip(values).fold(Row::new(), |row, (name, value)| row.with(*name, value));
        let params = Params::new();
        let as_of = "2026-11-15T00:00:00Z".parse().unwrap();
        let inputs = Inputs { row: &row, params: &params, as_of, region: "us-east-1", card: &CARD };
        if let Ok(answer) = formula.compute(&inputs, End::Low) {
            prop_assert!(!answer.rates.is_empty(), "{}", text);
        }
    }
}
