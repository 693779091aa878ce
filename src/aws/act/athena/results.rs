//! The rows of a query that ended, page by page, in the schema of the roll-up's table.

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use aws_sdk_athena::Client;
use aws_sdk_athena::types::{ResultSet, ResultSetMetadata};
use chrono::{NaiveDate, NaiveDateTime};
use futures::{StreamExt, stream};

use crate::aws::collect::Failed;
use crate::model::text::terminal;
use crate::model::{Cell, Row};
use crate::rollup::{Batches, RollUp, RollUpError};
use crate::store::batch;
use crate::store::table::Kind;

/// Which page comes next.
enum Next {
    First,
    Page(String),
    None,
}

/// Returns the rows of query `id`. The first row of the first page is the names of the columns.
pub fn rows(client: Client, id: String, roll_up: &'static RollUp) -> Batches {
    let pages = stream::try_unfold((client, id, Next::First), move |(client, id, next)| async move {
        let (token, first) = match next {
            Next::First => (None, true),
            Next::Page(token) => (Some(token), false),
            Next::None => return Ok(None),
        };
        let asked = Box::pin(client.get_query_results().query_execution_id(&id).set_next_token(token).send()).await;
        let page = asked.map_err(|error| {
            let said = terminal(&Failed::from_sdk(&error).reason);
            RollUpError::Elsewhere(format!("the rows of its query were refused by Athena: {said}"))
        })?;
        let next = page.next_token.filter(|token| !token.is_empty()).map_or(Next::None, Next::Page);
        let rows = page.result_set.map(|set| read(&set, usize::from(first), roll_up));
        let misfit = |source| RollUpError::Misfit { file: roll_up.file, table: roll_up.into.name, source };
        let batch = rows.transpose().and_then(|rows| batch::to_batch(roll_up.into, &rows.unwrap_or_default()));
        Ok::<Option<(RecordBatch, _)>, RollUpError>(Some((batch.map_err(misfit)?, (client, id, next))))
    });
    pages.boxed()
}

/// Returns the rows of a page without its first `skipped`.
fn read(set: &ResultSet, skipped: usize, roll_up: &RollUp) -> Result<Vec<Row>, ArrowError> {
    let columns = set.result_set_metadata().map(ResultSetMetadata::column_info).unwrap_or_default();
    let kinds = columns.iter().map(|info| {
        let column = roll_up.into.columns.iter().find(|column| column.name == info.name());
        let stray = || ArrowError::SchemaError(format!("there is no column `{}`", terminal(info.name())));
        column.map(|column| (column.name, column.kind)).ok_or_else(stray)
    });
    let kinds = kinds.collect::<Result<Vec<_>, _>>()?;
    let row = |row: &aws_sdk_athena::types::Row| {
        let mut made = Row::new();
        for (datum, (name, kind)) in row.data().iter().zip(&kinds) {
            if let Some(text) = datum.var_char_value() {
                made.set(*name, cell(text, *kind).ok_or_else(|| wrong(name, text))?);
            }
        }
        Ok(made)
    };
    set.rows().iter().skip(skipped).map(row).collect()
}

fn wrong(column: &str, text: &str) -> ArrowError {
    ArrowError::ParseError(format!("`{}` is nothing for column `{column}`", terminal(text)))
}

/// Returns a value as Athena writes it: `2026-10-05`, `2026-10-05 01:00:00.000`, `0.100000000000`, `true`.
fn cell(text: &str, kind: Kind) -> Option<Cell> {
    Some(match kind {
        Kind::Text => Cell::from(text),
        Kind::Flag => Cell::Bool(text.parse().ok()?),
        Kind::Count | Kind::Bytes => Cell::Int(text.parse().ok()?),
        Kind::Money | Kind::Quantity => Cell::Decimal(text.parse().ok()?),
        Kind::Day => Cell::Date(text.parse::<NaiveDate>().ok()?),
        Kind::Instant => Cell::Time(NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok()?.and_utc()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_athena_writes_them_and_nothing_else_is() {
        assert_eq!(cell("0.100000000000", Kind::Money), Some(Cell::Decimal("0.1".parse().unwrap())));
        assert_eq!(cell("-7", Kind::Bytes), Some(Cell::Int(-7)));
        assert_eq!(cell("2026-10-05", Kind::Day), Some(Cell::Date("2026-10-05".parse().unwrap())));
        let time = "2026-10-05T01:00:00.500Z".parse().unwrap();
        assert_eq!(cell("2026-10-05 01:00:00.500", Kind::Instant), Some(Cell::Time(time)));
        assert_eq!((cell("7.5", Kind::Count), cell("soon", Kind::Day), cell("yes", Kind::Flag)), (None, None, None));
        assert_eq!(cell("", Kind::Text), Some(Cell::from("")));
    }
}
