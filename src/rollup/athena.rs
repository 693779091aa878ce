//! A roll-up as statements for Athena: the table that shows it the files, and the same SQL over that table.
//!
//! Pure text; sends nothing. Only Parquet goes there: Athena's CSV knows no line break in a value, and a backslash as an
//! escape (Athena user guide, OpenCSVSerDe). Proved on Trino by `tests/trino`, but for the Hive DDL, which Trino lacks.

use std::fmt::Write as _;

use arrow::datatypes::{DataType, TimeUnit};

use super::RollUp;
use crate::engine::files::{Outline, Type, Wanted};
use crate::engine::sql::ast::{Cte, Query, SetExpr, Statement, With};
use crate::engine::sql::dialect::GenericDialect;
use crate::engine::sql::parser::Parser;

/// The longest text of a query, in bytes (Athena service quotas).
const LONGEST: usize = 262_144;

/// What every table of leanlake's in the database of the user is called.
pub const PREFIX: &str = "leanlake_";

/// Why files do not go to Athena. They are read here then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A column that Athena would read as something else.
    #[error("column `{column}` holds {held}, which Athena reads differently")]
    Column {
        /// The column.
        column: &'static str,
        /// What the files hold.
        held: String,
    },
    /// Files that no one folder of a bucket holds.
    #[error("its files are not in one folder of a bucket")]
    Scattered,
    /// A name that a statement cannot hold.
    #[error("`{0}` cannot be named in a statement")]
    Name(String),
    /// More files than a query can name.
    #[error("it has too many files for one query of Athena: {0}")]
    TooMany(usize),
}

/// Statements that roll files up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statements {
    /// Makes the table.
    pub create: String,
    /// Asks.
    pub query: String,
    /// Drops the table; the files stay.
    pub drop: String,
    /// Bytes that the query scans at most.
    pub bytes: u64,
}

/// Returns the statements for a table `name` (behind [`PREFIX`]) in `database`.
///
/// # Errors
/// Files, or names, that Athena cannot be told.
pub fn statements(roll_up: &RollUp, outline: &Outline, database: &str, name: &str) -> Result<Statements, Unfit> {
    let table = format!("{PREFIX}{name}");
    for given in [database, &table] {
        if !is_name(given) {
            return Err(Unfit::Name(given.to_owned()));
        }
    }
    let create = create(outline, database, &table)?;
    let query = query(roll_up, outline, &format!("\"{database}\".\"{table}\""))?;
    Ok(Statements { create, query, drop: format!("DROP TABLE IF EXISTS `{database}`.`{table}`"), bytes: outline.bytes })
}

/// Returns the roll-up over `table`, which shows the files as they are written, and nothing but them.
///
/// # Errors
/// A column that Athena would read as something else, or too many files.
pub fn query(roll_up: &RollUp, outline: &Outline, table: &str) -> Result<String, Unfit> {
    let named = outline.foreign.columns.iter().zip(&outline.columns);
    let columns = named.map(|(wanted, held)| {
        let value = match (held, outline.instants.get(wanted.name)) {
            (Some((name, kind)), _) => adapted(wanted, name, kind, outline.foreign.null_words)?,
            (None, Some(instant)) => format!("timestamp '{}'", instant.format("%Y-%m-%d %H:%M:%S%.3f")),
            (None, None) => format!("cast(null as {})", type_of(wanted.kind)),
        };
        Ok(format!("{value} as {}", wanted.name))
    });
    let columns = columns.collect::<Result<Vec<_>, Unfit>>()?.join(", ");
    let files = outline.files.iter().map(|file| literal(file)).collect::<Result<Vec<_>, _>>()?.join(", ");
    let view = format!("select {columns} from {table} where \"$path\" in ({files})");
    let sql = with_view(roll_up, &view).ok_or_else(|| Unfit::Name(table.to_owned()))?;
    if sql.len() > LONGEST { Err(Unfit::TooMany(outline.files.len())) } else { Ok(sql) }
}

/// Returns the query with `view` in place of the table that it reads.
fn with_view(roll_up: &RollUp, view: &str) -> Option<String> {
    let mut query = parse(roll_up.sql)?;
    let made = parse(&format!("with {} as ({view}) select 1 as n", roll_up.from.name))?;
    let view: Cte = made.with?.cte_tables.into_iter().next()?;
    match &mut query.with {
        Some(with) => with.cte_tables.insert(0, view),
        None => query.with = Some(With { with_token: made_token(), recursive: false, cte_tables: vec![view] }),
    }
    matches!(query.body.as_ref(), SetExpr::Select(_)).then(|| query.to_string())
}

fn made_token() -> crate::engine::sql::ast::helpers::attached_token::AttachedToken {
    crate::engine::sql::ast::helpers::attached_token::AttachedToken::empty()
}

fn parse(sql: &str) -> Option<Query> {
    let statement = Parser::parse_sql(&GenericDialect {}, sql).ok()?.into_iter().next()?;
    if let Statement::Query(query) = statement { Some(*query) } else { None }
}

/// Returns the Hive DDL of the table over the folder of the files.
fn create(outline: &Outline, database: &str, table: &str) -> Result<String, Unfit> {
    let mut columns = Vec::new();
    for (wanted, held) in outline.foreign.columns.iter().zip(&outline.columns) {
        let Some((name, kind)) = held else { continue };
        if name.contains('`') || name.contains(char::is_control) {
            return Err(Unfit::Name(name.clone()));
        }
        let hive = hive(kind).ok_or_else(|| unfit(wanted, kind))?;
        columns.push(format!("`{name}` {hive}"));
    }
    let folder = literal(&folder(&outline.files)?)?;
    let mut sql = format!("CREATE EXTERNAL TABLE `{database}`.`{table}` (");
    let _ = write!(sql, "{}) STORED AS PARQUET LOCATION {folder}", columns.join(", "));
    Ok(sql)
}

/// Returns the deepest folder that holds all files.
fn folder(files: &[String]) -> Result<String, Unfit> {
    let Some(first) = files.first() else { return Err(Unfit::Scattered) };
    let mut folder = first.rsplit_once('/').map_or("", |(folder, _)| folder);
    while !files.iter().all(|file| file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))) {
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
    let bucket = folder.strip_prefix("s3://").filter(|rest| !rest.is_empty());
    bucket.map(|_| format!("{folder}/")).ok_or(Unfit::Scattered)
}

/// Returns a value as the roll-up wants it: the same that is read here, or a refusal.
fn adapted(wanted: &Wanted, name: &str, held: &DataType, null_words: &[&str]) -> Result<String, Unfit> {
    use DataType::{Binary, Boolean, Date32, Decimal128, Float32, Float64, Int8, Int16, Int32, Int64, Timestamp, Utf8};
    let column = format!("\"{}\"", name.replace('"', "\"\""));
    let words = null_words.iter().fold(column.clone(), |value, word| format!("nullif({value}, '{word}')"));
    let some = null_words
        .iter()
        .fold(format!("nullif(trim({column}), '')"), |value, word| format!("nullif({value}, '{word}')"));
    Ok(match (held, wanted.kind) {
        (Utf8 | Binary, Type::Text) => words,
        (Utf8, Type::Whole) => format!("cast({some} as bigint)"),
        (Utf8, Type::Decimal) => format!("cast({some} as decimal(28, 12))"),
        (Utf8, Type::Instant) => {
            format!("cast(from_iso8601_timestamp(replace({some}, ' ', 'T')) at time zone 'UTC' as timestamp(3))")
        }
        (Int8 | Int16 | Int32 | Int64, Type::Text) => format!("cast({column} as varchar)"),
        (Int8 | Int16 | Int32 | Int64, Type::Whole) => format!("cast({column} as bigint)"),
        (Int8 | Int16 | Int32 | Int64 | Float32 | Float64 | Decimal128(..), Type::Decimal) => {
            format!("cast({column} as decimal(28, 12))")
        }
        (Timestamp(_, zone), Type::Instant) if zone.as_deref().is_none_or(|zone| zone == "UTC") => column,
        (Date32, Type::Instant) => format!("cast({column} as timestamp(3))"),
        (Boolean, Type::Flag) => column,
        _ => return Err(unfit(wanted, held)),
    })
}

fn unfit(wanted: &Wanted, held: &DataType) -> Unfit {
    Unfit::Column { column: wanted.name, held: held.to_string() }
}

/// Returns the type of a NULL that stands for a column.
fn type_of(kind: Type) -> &'static str {
    match kind {
        Type::Text => "varchar",
        Type::Whole => "bigint",
        Type::Decimal => "decimal(28, 12)",
        Type::Instant => "timestamp(3)",
        Type::Flag => "boolean",
    }
}

/// Returns Hive's name of a Parquet type (Athena user guide, data types).
fn hive(kind: &DataType) -> Option<String> {
    use DataType::{Binary, Boolean, Date32, Decimal128, Float32, Float64, Int8, Int16, Int32, Int64, Timestamp, Utf8};
    Some(match kind {
        Utf8 | Binary => "string".to_owned(),
        Boolean => "boolean".to_owned(),
        Int8 => "tinyint".to_owned(),
        Int16 => "smallint".to_owned(),
        Int32 => "int".to_owned(),
        Int64 => "bigint".to_owned(),
        Float32 => "float".to_owned(),
        Float64 => "double".to_owned(),
        Date32 => "date".to_owned(),
        Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        Timestamp(TimeUnit::Millisecond | TimeUnit::Microsecond | TimeUnit::Nanosecond, _) => "timestamp".to_owned(),
        _ => return None,
    })
}

/// Returns text as a literal of both dialects: quotes are doubled in one and escaped in the other, so there are none.
fn literal(text: &str) -> Result<String, Unfit> {
    if text.contains(['\'', '\\', '"']) || text.contains(char::is_control) {
        return Err(Unfit::Name(text.to_owned()));
    }
    Ok(format!("'{text}'"))
}

/// Names of Athena's databases and tables: lower-case letters, digits and `_` (Athena user guide).
fn is_name(text: &str) -> bool {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !text.is_empty() && text.len() <= 128 && text.chars().all(letters)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::rollup::{ROLL_UPS, bill, inventory};

    fn outline(roll_up: &RollUp, files: &[&str]) -> Outline {
        let held = |wanted: &Wanted| {
            let kind = match wanted.kind {
                Type::Text => DataType::Utf8,
                Type::Whole => DataType::Int64,
                Type::Decimal => DataType::Float64,
                Type::Instant => DataType::Timestamp(TimeUnit::Millisecond, None),
                Type::Flag => DataType::Boolean,
            };
            Some((wanted.name.to_owned(), kind))
        };
        Outline {
            foreign: roll_up.from,
            files: files.iter().map(|&file| file.to_owned()).collect(),
            columns: roll_up.from.columns.iter().map(held).collect(),
            instants: BTreeMap::new(),
            bytes: 7,
        }
    }

    #[test]
    fn every_roll_up_becomes_statements_that_name_their_files_and_nothing_else() {
        let files = ["s3://bills/cur/data/m=1/a.parquet", "s3://bills/cur/data/m=1/b.parquet"];
        for roll_up in ROLL_UPS {
            let said = statements(roll_up, &outline(roll_up, &files), "scratch", "x1").unwrap();
            assert!(said.create.starts_with("CREATE EXTERNAL TABLE `scratch`.`leanlake_x1` ("), "{}", said.create);
            assert!(said.create.ends_with("STORED AS PARQUET LOCATION 's3://bills/cur/data/m=1/'"), "{}", said.create);
            assert_eq!(said.drop, "DROP TABLE IF EXISTS `scratch`.`leanlake_x1`");
            assert!(
                said.query.contains(&format!("WHERE \"$path\" IN ('{}', '{}')", files[0], files[1])),
                "{}",
                said.query
            );
            assert!(parse(&said.query).is_some() && said.bytes == 7, "{}", roll_up.file);
        }
    }

    #[test]
    fn what_files_lack_is_null_or_what_their_folder_says() {
        let mut lacking = outline(&inventory::AGES, &["s3://lists/a.parquet"]);
        lacking.columns[2] = None;
        lacking.columns[8] = None;
        lacking.instants.insert("inventory_time", "2026-11-22T01:00:00Z".parse().unwrap());
        let sql = query(&inventory::AGES, &lacking, "\"d\".\"t\"").unwrap();
        assert!(sql.contains("CAST(NULL AS BOOLEAN) AS is_latest"), "{sql}");
        assert!(sql.contains("TIMESTAMP '2026-11-22 01:00:00.000' AS inventory_time"), "{sql}");
        assert!(!create(&lacking, "d", "t").unwrap().contains("is_latest"));
    }

    #[test]
    fn what_athena_cannot_be_told_is_refused_with_its_reason() {
        let good = outline(&bill::CUR, &["s3://bills/a.parquet"]);
        let refused = |outline: &Outline, database: &str| statements(&bill::CUR, outline, database, "x").unwrap_err();
        assert_eq!(refused(&good, "My-Db"), Unfit::Name("My-Db".to_owned()));
        assert_eq!(refused(&good, "a`; drop"), Unfit::Name("a`; drop".to_owned()));
        let quoted = outline(&bill::CUR, &["s3://bills/it's.parquet"]);
        assert!(matches!(refused(&quoted, "d"), Unfit::Name(_)));
        for files in [&["s3://a/1.parquet", "s3://b/1.parquet"][..], &["/tmp/1.parquet"], &[]] {
            assert_eq!(refused(&outline(&bill::CUR, files), "d"), Unfit::Scattered, "{files:?}");
        }
        let long: Vec<String> = (0..5000).map(|n| format!("s3://bills/{n:060}.parquet")).collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        assert_eq!(refused(&outline(&bill::CUR, &long), "d"), Unfit::TooMany(5000));
        let mut odd = good.clone();
        odd.columns[11] = Some(("line_item_usage_amount".to_owned(), DataType::Boolean));
        assert!(refused(&odd, "d").to_string().contains("Boolean"));
    }
}
