//! `query "select …"`: one question to the tables of a snapshot.

use clap::Args;
use serde_json::json;

use super::{Context, Format, rows};
use crate::engine::Engine;
use crate::error::Failure;

/// Ask the tables of a snapshot in SQL; analyses like `pools` are computed when they are named.
#[derive(Debug, Args)]
pub struct Query {
    /// One SELECT; docs/tables.md lists the tables and their columns.
    sql: String,
}

/// Answers the question.
pub async fn run(query: &Query, context: &Context) -> Result<(), Failure> {
    let format = context.format(&[Format::Table, Format::Json, Format::Csv])?;
    let snapshot = context.open().await?.snapshot;
    let engine = Engine::over(&snapshot)?;
    super::assess::provide(&engine, &query.sql, &snapshot).await?;
    let answer = engine.query(&query.sql).await?;
    let found = answer.shown()?;
    if let Some(banner) = snapshot.origin().banner() {
        context.term.status(&banner);
    }
    let text = match format {
        Format::Json => rows::document(
            "query",
            json!({
                "snapshot": snapshot.id(),
                "origin": snapshot.origin(),
                "generated_at": snapshot.as_of(),
                "columns": answer.columns,
                "rows": rows::json(&answer, &found),
            }),
        )?,
        Format::Csv => return context.term.csv(&rows::csv(&answer, &found)),
        Format::Table | Format::Markdown => rows::table(&answer, &found),
    };
    context.term.data(&text)
}
