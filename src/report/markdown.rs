//! Templates: every value is escaped for Markdown unless a filter of ours made it.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, ErrorKind, Output, State, UndefinedBehavior};
use rust_decimal::Decimal;

use super::weekly::Weekly;
use crate::model::{DollarSource, Metric, Money, text};

/// The built-in template of the weekly report.
pub const WEEKLY_TEMPLATE: &str = include_str!("../../reports/weekly.md");

/// Steps that one rendering may take: far above a report with ten thousand findings, far below a hang.
const FUEL: u64 = 50_000_000;

/// Why a template gave no report: where it is wrong, and how.
#[derive(Debug, thiserror::Error)]
#[error("cannot render the template `{template}`: {reason}")]
pub struct RenderError {
    /// The template's name, safe for a terminal.
    pub template: String,
    /// minijinja's message with the line.
    pub reason: String,
}

/// Renders `report` with a template: the built-in one, or one that the user brought.
///
/// # Errors
/// The template is wrong, or runs without end.
pub fn render(report: &Weekly, name: &str, template: &str) -> Result<String, RenderError> {
    let environment = environment();
    let rendered =
        environment.template_from_str(template).and_then(|template| template.render(Value::from(Serde(report))));
    rendered.map_err(|error| RenderError { template: text::terminal(name), reason: message(&error) })
}

fn message(error: &minijinja::Error) -> String {
    let line = error.line().map(|line| format!(" on line {line}")).unwrap_or_default();
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    text::terminal(&format!("{}{detail}{line}", error.kind()))
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    environment.set_syntax(syntax.expect("the default delimiters are valid"));
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("markdown".into()));
    environment.set_formatter(write);
    environment.add_filter("usd", usd);
    environment.add_filter("signed", signed);
    environment.add_filter("range", range);
    environment.add_filter("percent_of", percent_of);
    environment.add_filter("quantity", quantity);
    environment.add_filter("dollars", dollars);
    environment.add_filter("metric", metric);
    environment.add_filter("words", |text: String| text.replace('_', " "));
    environment
}

fn write(out: &mut Output, _: &mut State, value: &Value) -> Result<(), minijinja::Error> {
    let shown = if value.is_none() { String::new() } else { value.to_string() };
    let safe = if value.is_safe() { shown } else { text::markdown(&shown) };
    out.write_str(&safe).map_err(minijinja::Error::from)
}

fn decimal(value: &Value) -> Result<Decimal, minijinja::Error> {
    let text = value.to_string();
    let wrong = || minijinja::Error::new(ErrorKind::InvalidOperation, format!("`{text}` is not a number"));
    text.parse().map_err(|_| wrong())
}

/// `"amortized"` → what that cost is, and that it is gross; a word that is no metric stays.
fn metric(word: &str) -> String {
    let metric = Metric::ALL.into_iter().find(|metric| metric.column() == word);
    metric.map_or_else(|| word.to_owned(), |metric| metric.described().to_owned())
}

/// `"1234.5"` → `$1,234.50`.
fn usd(value: &Value) -> Result<String, minijinja::Error> {
    Ok(Money::new(decimal(value)?).human())
}

/// `"12"` → `+$12.00`; a fall keeps its minus.
fn signed(value: &Value) -> Result<String, minijinja::Error> {
    let amount = Money::new(decimal(value)?);
    Ok(if amount.is_positive() { format!("+{}", amount.human()) } else { amount.human() })
}

/// `allocated` → what dollars of that source rest on, in words.
fn dollars(source: &str) -> &'static str {
    let all = [DollarSource::Bill, DollarSource::Allocated, DollarSource::List];
    all.into_iter().find(|known| known.as_str() == source).map_or("an unknown source", DollarSource::human)
}

/// `{low, expected, high}` → `$1.00 … $2.00`; what is not known → `unknown`.
fn range(ends: &Value) -> Result<String, minijinja::Error> {
    let low = ends.get_attr("low")?;
    if low.is_undefined() {
        return Ok("unknown".to_owned());
    }
    let low = usd(&low)?;
    let high = ends.get_attr("high")?;
    if high.is_none() {
        return Ok(format!("{low} or more"));
    }
    let high = usd(&high)?;
    Ok(if low == high { low } else { format!("{low} … {high}") })
}

/// The change from `before` to this, in whole percent with its sign; nothing where there was nothing before.
fn percent_of(value: &Value, before: &Value) -> Result<String, minijinja::Error> {
    let (now, before) = (decimal(value)?, decimal(before)?);
    if before.is_zero() {
        return Ok(String::new());
    }
    let percent = ((now - before) * Decimal::ONE_HUNDRED / before).round();
    Ok(if percent.is_sign_positive() && !percent.is_zero() { format!("+{percent} %") } else { format!("{percent} %") })
}

/// A usage quantity with three significant digits and commas; nothing where it is not known.
fn quantity(value: &Value) -> Result<String, minijinja::Error> {
    if value.is_none() {
        return Ok(String::new());
    }
    let number = decimal(value)?;
    let rounded =
        if number.abs() >= Decimal::ONE_HUNDRED { number.round() } else { number.round_sf(3).unwrap_or(number) };
    let plain = rounded.normalize().to_string();
    let (whole, fraction) =
        plain.split_once('.').map_or((plain.as_str(), String::new()), |(w, f)| (w, format!(".{f}")));
    Ok(match whole.strip_prefix('-') {
        Some(digits) => format!("-{}{fraction}", crate::model::money::grouped(digits)),
        None => format!("{}{fraction}", crate::model::money::grouped(whole)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::context;

    fn rendered(template: &str, context: Value) -> String {
        environment().render_str(template, context).unwrap()
    }

    #[test]
    fn no_template_can_let_account_text_through() {
        let nasty = "a|b\n# <img src=x> @team [x](y) `c`";
        let shown = rendered("{{ name }} {{ [name] }}", context! { name => nasty });
        assert!(!shown.contains('\n') && !shown.contains("<img") && !shown.contains("@team"), "{shown}");
        assert!(!shown.contains(" `c`") && !shown.contains("a|b"), "{shown}");
    }

    #[test]
    fn numbers_are_written_for_people() {
        let view = context! { a => "1234.5", b => "-3", open => context! { low => "1", expected => "2", high => () },
        unknown => context! { unknown => "no bytes" } };
        let line =
            "{{ a|usd }} {{ b|signed }} {{ a|signed }} {{ a|percent_of('1000') }} {{ open|range }} {{ unknown|range }}";
        assert_eq!(rendered(line, view), "$1,234.50 -$3.00 +$1,234.50 +23 % $1.00 or more unknown");
    }

    #[test]
    fn a_template_without_end_is_stopped() {
        let endless = "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}";
        assert!(environment().render_str(endless, ()).is_err());
    }
}
