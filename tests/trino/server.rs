//! A Trino server that runs already, asked over its protocol through curl. Its catalog `lake` reads a folder of ours.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use leanlake::engine::files::Foreign;
use serde_json::Value;

/// Where the server is and which folder it reads.
pub struct Server {
    url: String,
    files: PathBuf,
}

impl Server {
    /// Returns the server that the environment names.
    pub fn named() -> Server {
        let set = |name: &str| {
            let value = std::env::var(name).ok().filter(|value| !value.is_empty());
            value.unwrap_or_else(|| panic!("nothing was compared: `{name}` is not set; tests/trino/run sets it"))
        };
        Server {
            url: set("LEANLAKE_TRINO").trim_end_matches('/').to_owned(),
            files: set("LEANLAKE_TRINO_FILES").into(),
        }
    }

    /// Returns the folder of a schema's one table.
    pub fn folder(&self, schema: &str) -> PathBuf {
        self.files.join("tables").join(schema)
    }

    /// Writes a file and makes it a table under the name of its kind, in a schema of its own.
    pub fn schema(&self, foreign: &Foreign, batch: &RecordBatch) -> String {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let unique = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
        let schema = format!("t{unique}_{}", MADE.fetch_add(1, Ordering::Relaxed));
        write(&self.folder(&schema), batch);
        let columns: Vec<String> = batch
            .schema()
            .fields()
            .iter()
            .map(|field| format!("\"{}\" {}", field.name(), type_of(field.data_type())))
            .collect();
        let table = format!(
            "create table lake.{schema}.\"{}\" ({}) with (external_location = 'local:///tables/{schema}', format = 'PARQUET')",
            foreign.name,
            columns.join(", ")
        );
        for ddl in [format!("create schema lake.{schema}"), table] {
            self.rows(&schema, &ddl).unwrap_or_else(|error| panic!("{error}\n{ddl}"));
        }
        schema
    }

    /// Asks one question in a schema. Text comes quoted, as Rust does it; NULL does not.
    pub fn rows(&self, schema: &str, sql: &str) -> Result<Vec<Vec<String>>, String> {
        let mut rows = Vec::new();
        let mut answer = self.curl(&format!("{}/v1/statement", self.url), Some((schema, sql)));
        loop {
            if let Some(error) = answer.get("error") {
                return Err(error["message"].as_str().unwrap_or("no message").to_owned());
            }
            let columns = answer["columns"].as_array().cloned().unwrap_or_default();
            for row in answer["data"].as_array().into_iter().flatten() {
                let cells = row.as_array().unwrap().iter().zip(&columns);
                rows.push(cells.map(|(cell, column)| text(cell, &column["type"])).collect());
            }
            match answer["nextUri"].as_str() {
                Some(next) => answer = self.curl(next, None),
                None => return Ok(rows),
            }
        }
    }

    fn curl(&self, url: &str, question: Option<(&str, &str)>) -> Value {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--fail-with-body", "--noproxy", "*", "--max-time", "300", url]);
        if let Some((schema, _)) = question {
            let schema = format!("X-Trino-Schema: {schema}");
            let head = ["-H", "X-Trino-User: leanlake", "-H", "X-Trino-Catalog: lake", "-H", &schema];
            command.args(head).args(["-H", "X-Trino-Time-Zone: UTC", "--data-binary", "@-"]);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("there is curl");
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(question.map_or("", |(_, sql)| sql).as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let body = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{} does not answer: {body}", self.url);
        serde_json::from_str(&body).unwrap()
    }
}

fn text(cell: &Value, kind: &Value) -> String {
    match cell {
        Value::Null => "NULL".to_owned(),
        Value::String(text) if kind.as_str().is_some_and(|kind| kind.starts_with("varchar")) => format!("{text:?}"),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn type_of(kind: &DataType) -> String {
    match kind {
        DataType::Utf8 => "varchar".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision}, {scale})"),
        DataType::Timestamp(..) => "timestamp(3)".to_owned(),
        other => panic!("no file of ours has {other}"),
    }
}

fn write(folder: &Path, batch: &RecordBatch) {
    std::fs::create_dir_all(folder).unwrap();
    let file = std::fs::File::create(folder.join("1.parquet")).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}
