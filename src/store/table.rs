//! One declaration per table: its Arrow schema, its documentation and its empty form come from it.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// Total digits of a decimal column.
pub const DECIMAL_PRECISION: u8 = 28;
/// Digits after the point of a decimal column.
pub const DECIMAL_SCALE: i8 = 12;

/// What a column holds, with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text as AWS or its user wrote it.
    Text,
    /// Yes or no.
    Flag,
    /// A whole number.
    Count,
    /// A size in bytes.
    Bytes,
    /// US dollars, decimal(28,12). SQL may sum it, never multiply it.
    Money,
    /// A usage amount, decimal(28,12), in the unit that the row or the doc names.
    Quantity,
    /// A day, UTC.
    Day,
    /// An instant, UTC, in microseconds.
    Instant,
}

impl Kind {
    /// Returns the Arrow type.
    pub fn arrow(self) -> DataType {
        match self {
            Kind::Text => DataType::Utf8,
            Kind::Flag => DataType::Boolean,
            Kind::Count | Kind::Bytes => DataType::Int64,
            Kind::Money | Kind::Quantity => DataType::Decimal128(DECIMAL_PRECISION, DECIMAL_SCALE),
            Kind::Day => DataType::Date32,
            Kind::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }

    /// Returns the unit for the docs page.
    pub const fn unit(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Flag => "yes or no",
            Kind::Count => "count",
            Kind::Bytes => "bytes",
            Kind::Money => "USD",
            Kind::Quantity => "quantity",
            Kind::Day => "day (UTC)",
            Kind::Instant => "time (UTC)",
        }
    }
}

/// A column: every one may be NULL, which means "not known" or "does not apply", never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// AWS's own name in `snake_case`.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What it means.
    pub doc: &'static str,
    /// The read that fills it where that is not the one that makes the row. Denied, it leaves NULL.
    pub read: Option<&'static str>,
}

impl Column {
    /// Returns the column filled by a read of its own.
    #[must_use]
    pub const fn by(mut self, read: &'static str) -> Self {
        self.read = Some(read);
        self
    }
}

/// Returns a column.
pub const fn column(name: &'static str, kind: Kind, doc: &'static str) -> Column {
    Column { name, kind, doc, read: None }
}

/// Where a table's rows come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// One row for each thing as it is now, made by this read (`s3:ListBuckets`).
    State(&'static str),
    /// Events or days, made by this read; the column cuts them into parts by period.
    Period {
        /// The read that makes the rows.
        read: &'static str,
        /// The `Day` or `Instant` column that says when.
        column: &'static str,
    },
    /// Computed from other tables and prices, when a query names it.
    Analysis,
}

/// The declaration of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name in SQL.
    pub name: &'static str,
    /// What one row is, and what it is not.
    pub doc: &'static str,
    /// Columns that together name a row; parts are sorted by them.
    pub key: &'static [&'static str],
    /// Where its rows come from.
    pub source: Source,
    /// Its columns, in order. Later versions only add at the end.
    pub columns: &'static [Column],
}

impl Table {
    /// Returns the Arrow schema.
    pub fn schema(&self) -> SchemaRef {
        let fields = self.columns.iter().map(|c| Field::new(c.name, c.kind.arrow(), true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// Returns the column called `name`.
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// Returns the column that cuts the table into periods, where it has one.
    pub const fn period(&self) -> Option<&'static str> {
        match self.source {
            Source::Period { column, .. } => Some(column),
            Source::State(_) | Source::Analysis => None,
        }
    }

    /// Returns the read that makes the rows, where AWS makes them.
    pub const fn read(&self) -> Option<&'static str> {
        match self.source {
            Source::State(read) | Source::Period { read, .. } => Some(read),
            Source::Analysis => None,
        }
    }

    /// Returns the reads that fill single columns, each once, in column order.
    pub fn sub_reads(&self) -> Vec<&'static str> {
        let mut reads: Vec<&'static str> = Vec::new();
        for read in self.columns.iter().filter_map(|c| c.read) {
            if !reads.contains(&read) {
                reads.push(read);
            }
        }
        reads
    }
}
