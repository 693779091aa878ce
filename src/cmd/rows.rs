//! Rows of any query as a table for people, CSV, or JSON. Escapes what comes from an account for where it will stand.

use serde_json::{Map, Value};

use crate::engine::Answer;
use crate::error::Failure;
use crate::model::text::terminal;
use crate::model::{Cell, Money, Row, Untrusted};
use crate::term::{Align, TextTable};

/// Returns the rows as aligned columns.
pub fn table(answer: &Answer, rows: &[Row]) -> String {
    let names: Vec<String> = answer.columns.iter().map(|name| terminal(name)).collect();
    let align = |number: &bool| if *number { Align::Right } else { Align::Left };
    let columns: Vec<(&str, Align)> =
        names.iter().map(String::as_str).zip(answer.numeric().iter().map(align)).collect();
    let mut table = TextTable::new(&columns);
    for row in rows {
        table.row(answer.columns.iter().map(|name| shown(row.cell(name))));
    }
    table.to_string()
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Text(text) => text.terminal(),
        Cell::Decimal(number) => number.normalize().to_string(),
        other => plain(other),
    }
}

/// Returns the rows as CSV; NULL is an empty cell, an empty text is `""`.
pub fn csv(answer: &Answer, rows: &[Row]) -> String {
    let mut out = line(answer.columns.iter().map(|name| quoted(&Untrusted::from(name.as_str()).csv())));
    for row in rows {
        out += &line(answer.columns.iter().map(|name| match row.cell(name) {
            Cell::Null => String::new(),
            Cell::Text(text) => quoted(&text.csv()),
            other => plain(other),
        }));
    }
    out
}

fn line(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(",") + "\n"
}

fn quoted(text: &str) -> String {
    let special = text.is_empty() || text.contains([',', '"', '\n', '\r']);
    if special { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// Returns the rows as JSON objects: decimals as strings, whole numbers as numbers, times as RFC 3339.
pub fn json(answer: &Answer, rows: &[Row]) -> Vec<Value> {
    let object = |row: &Row| {
        let cells = answer.columns.iter().map(|name| (name.clone(), value(row.cell(name))));
        Value::Object(cells.collect::<Map<_, _>>())
    };
    rows.iter().map(object).collect()
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Text(text) => text.raw().into(),
        Cell::Bool(flag) => (*flag).into(),
        Cell::Int(number) => (*number).into(),
        other => plain(other).into(),
    }
}

/// A cell that is no text, in the one form that every format shares.
fn plain(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Text(text) => text.terminal(),
        Cell::Bool(flag) => flag.to_string(),
        Cell::Int(number) => number.to_string(),
        Cell::Decimal(number) => Money::new(*number).to_string(),
        Cell::Date(day) => day.to_string(),
        Cell::Time(instant) => instant.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
    }
}

/// Returns a JSON document of kind `leanlake.<kind>` with `fields`.
pub fn document(kind: &str, fields: Value) -> Result<String, Failure> {
    let mut document = Map::new();
    document.insert("schema".to_owned(), format!("leanlake.{kind}").into());
    document.insert("version".to_owned(), "1.0".into());
    if let Value::Object(fields) = fields {
        document.extend(fields);
    }
    serde_json::to_string_pretty(&document).map_err(|error| Failure::failed("cannot write JSON").caused_by(error))
}
