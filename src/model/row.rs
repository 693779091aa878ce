//! A row of a table by column name, and its typed cells.
//!
//! The one form in which collectors write facts and pure code reads them; a column that is not set is NULL.

use std::cmp::Ordering;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::money::Money;
use super::text::Untrusted;

/// One value of a row.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub enum Cell {
    /// Not known, or not applicable.
    Null,
    /// Text as the account gave it.
    Text(Untrusted),
    /// Yes or no.
    Bool(bool),
    /// A count, or a size in bytes.
    Int(i64),
    /// Money in US dollars, or a usage quantity in the unit of its row.
    Decimal(Decimal),
    /// A day, UTC.
    Date(NaiveDate),
    /// An instant, UTC.
    Time(DateTime<Utc>),
}

macro_rules! cell_from {
    ($($from:ty => $make:expr),* $(,)?) => {
        $(impl From<$from> for Cell {
            fn from(value: $from) -> Cell {
                let make: fn($from) -> Cell = $make;
                make(value)
            }
        })*
    };
}

cell_from! {
    &str => |v| Cell::Text(v.into()),
    String => |v| Cell::Text(v.into()),
    Untrusted => Cell::Text,
    bool => Cell::Bool,
    i64 => Cell::Int,
    i32 => |v| Cell::Int(v.into()),
    u32 => |v| Cell::Int(v.into()),
    usize => |v| i64::try_from(v).map_or(Cell::Null, Cell::Int),
    Decimal => Cell::Decimal,
    Money => |v| Cell::Decimal(v.usd()),
    NaiveDate => Cell::Date,
    DateTime<Utc> => Cell::Time,
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Cell {
        value.map_or(Cell::Null, Into::into)
    }
}

/// A column's name: written in the code, or shared by the rows of a query's answer. Rows are many, names are few.
#[derive(Clone, Debug)]
pub enum Name {
    /// Written in the code.
    Static(&'static str),
    /// Shared by many rows.
    Shared(Arc<str>),
}

impl Name {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        match self {
            Name::Static(name) => name,
            Name::Shared(name) => name,
        }
    }
}

impl From<&'static str> for Name {
    fn from(name: &'static str) -> Name {
        Name::Static(name)
    }
}

impl From<&Arc<str>> for Name {
    fn from(name: &Arc<str>) -> Name {
        Name::Shared(Arc::clone(name))
    }
}

impl From<String> for Name {
    fn from(name: String) -> Name {
        Name::Shared(name.into())
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.as_str() == other.as_str()
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<Ordering> {
        self.as_str().partial_cmp(other.as_str())
    }
}

/// A row: cells by column name, kept in the order of the names.
#[derive(Clone, Debug, Default, PartialEq, PartialOrd)]
pub struct Row(Vec<(Name, Cell)>);

impl Row {
    /// Returns an empty row: every column NULL.
    pub fn new() -> Self {
        Row::default()
    }

    /// Returns the row with `column` set.
    #[must_use]
    pub fn with(mut self, column: impl Into<Name>, cell: impl Into<Cell>) -> Self {
        self.set(column, cell);
        self
    }

    /// Sets `column`.
    pub fn set(&mut self, column: impl Into<Name>, cell: impl Into<Cell>) {
        let (column, cell) = (column.into(), cell.into());
        match self.0.binary_search_by(|(name, _)| name.as_str().cmp(column.as_str())) {
            Ok(at) => self.0[at].1 = cell,
            Err(at) => self.0.insert(at, (column, cell)),
        }
    }

    /// Sets `column`, at once where its name comes after all that are set: rows that are read column by column are many.
    pub fn append(&mut self, column: impl Into<Name>, cell: impl Into<Cell>) {
        let column = column.into();
        if self.0.last().is_none_or(|(last, _)| last.as_str() < column.as_str()) {
            self.0.push((column, cell.into()));
        } else {
            self.set(column, cell);
        }
    }

    /// Returns the row with the columns of `other` set too.
    #[must_use]
    pub fn and(mut self, other: Row) -> Self {
        for (column, cell) in other.0 {
            self.set(column, cell);
        }
        self
    }

    /// Returns the cell of `column`; NULL when it was never set.
    pub fn cell(&self, column: &str) -> &Cell {
        self.0.iter().find(|(name, _)| name.as_str() == column).map_or(&Cell::Null, |(_, cell)| cell)
    }

    /// Returns the columns that were set, by name.
    pub fn cells(&self) -> impl Iterator<Item = (&str, &Cell)> {
        self.0.iter().map(|(name, cell)| (name.as_str(), cell))
    }

    /// Returns the text of `column`, or `None` when it is NULL or of another kind.
    pub fn text(&self, column: &str) -> Option<&Untrusted> {
        match self.cell(column) {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the raw text of `column` for keys and comparisons; empty when it is NULL.
    pub fn key(&self, column: &str) -> &str {
        self.text(column).map_or("", Untrusted::raw)
    }

    /// Returns the flag of `column`, or `None` when it is NULL.
    pub fn flag(&self, column: &str) -> Option<bool> {
        match self.cell(column) {
            Cell::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// Returns the whole number of `column`, or `None` when it is NULL.
    pub fn int(&self, column: &str) -> Option<i64> {
        match self.cell(column) {
            Cell::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the number of `column`, whole or decimal, or `None` when it is NULL.
    pub fn decimal(&self, column: &str) -> Option<Decimal> {
        match self.cell(column) {
            Cell::Decimal(number) => Some(*number),
            Cell::Int(number) => Some(Decimal::from(*number)),
            _ => None,
        }
    }

    /// Returns the dollars of `column`, or `None` when it is NULL.
    pub fn money(&self, column: &str) -> Option<Money> {
        self.decimal(column).map(Money::new)
    }

    /// Returns the day of `column`, or `None` when it is NULL.
    pub fn date(&self, column: &str) -> Option<NaiveDate> {
        match self.cell(column) {
            Cell::Date(day) => Some(*day),
            _ => None,
        }
    }

    /// Returns the instant of `column`, or `None` when it is NULL.
    pub fn time(&self, column: &str) -> Option<DateTime<Utc>> {
        match self.cell(column) {
            Cell::Time(instant) => Some(*instant),
            _ => None,
        }
    }
}
