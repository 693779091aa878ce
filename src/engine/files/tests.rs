//! The same rows in any file give the same answer; a file that cannot be read is named.

use std::io::Write;

use ::parquet::arrow::ArrowWriter;
use ::parquet::file::properties::WriterProperties;
use arrow::array::{Float64Array, Int64Array, RecordBatch, StringArray};
use object_store::memory::InMemory;
use object_store::{ObjectStoreExt, PutPayload};

use super::*;
use crate::engine::{Engine, EngineError};
use crate::model::Row;

const COSTS: Foreign = Foreign {
    name: "foreign_costs",
    columns: &[
        Wanted { name: "name", also: &["the/Name"], kind: Type::Text },
        Wanted { name: "usd", also: &["the/Usd"], kind: Type::Decimal },
        Wanted { name: "extra", also: &[], kind: Type::Whole },
    ],
    null_words: &[],
};

const SQL: &str = "select name, sum(usd) as usd, count(*) as n, sum(extra) as extra from foreign_costs group by name";

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn parquet(batch: &RecordBatch) -> Vec<u8> {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(2)).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

/// `a` costs 0.1 three times and `b` 0.2 once, with a column that nobody wants.
fn costs() -> RecordBatch {
    RecordBatch::try_from_iter([
        ("unwanted", Arc::new(Int64Array::from(vec![1, 2, 3, 4])) as _),
        ("USD", Arc::new(Float64Array::from(vec![0.1, 0.1, 0.1, 0.2])) as _),
        ("Name", Arc::new(StringArray::from(vec!["a", "a", "a", "b"])) as _),
    ])
    .unwrap()
}

async fn ask(files: &[(&str, Vec<u8>)], sql: &str) -> Result<Vec<Row>, EngineError> {
    let objects = InMemory::new();
    let mut named = Vec::new();
    for (name, bytes) in files {
        let path = Path::from(*name);
        objects.put(&path, PutPayload::from(bytes.clone())).await.unwrap();
        named.push(ForeignFile { path, shown: (*name).to_owned(), format: Format::of(name).unwrap() });
    }
    let engine = Engine::new().unwrap();
    engine.attach(Files::open(Arc::new(objects), named, &COSTS).await.map_err(EngineError::File)?).unwrap();
    let mut rows = engine.rows(sql).await?;
    rows.sort_by_key(|row| row.text("name").map(|name| name.raw().to_owned()));
    Ok(rows)
}

fn expected() -> Vec<Row> {
    let usd = |text: &str| text.parse::<rust_decimal::Decimal>().unwrap();
    vec![
        Row::new().with("name", "a").with("usd", usd("0.3")).with("n", 3_i64).with("extra", crate::model::Cell::Null),
        Row::new().with("name", "b").with("usd", usd("0.2")).with("n", 1_i64).with("extra", crate::model::Cell::Null),
    ]
}

#[tokio::test]
async fn parquet_csv_and_gzip_with_any_names_and_order_give_the_same_rows() {
    let one = "usd,x,name\n0.1,\"q,\nq\",a\n0.1,,a\n0.1,,a\n0.2,,b";
    let halves =
        [("1.csv", b"name,usd\na,0.1\nb,2e-1\n".to_vec()), ("2.csv.gz", gzip("the/Usd,the/Name\n0.1,a\n0.1,a\n"))];
    assert_eq!(ask(&[("all.parquet", parquet(&costs()))], SQL).await.unwrap(), expected());
    assert_eq!(ask(&[("all.csv", one.into())], SQL).await.unwrap(), expected());
    assert_eq!(ask(&[("all.csv.gz", gzip(&format!("\u{feff}{one}")))], SQL).await.unwrap(), expected());
    assert_eq!(ask(&halves, SQL).await.unwrap(), expected());
}

#[tokio::test]
async fn a_question_about_no_column_counts_the_rows_of_every_file() {
    let files = [("1.parquet", parquet(&costs())), ("2.csv", b"name\na\nb\n".to_vec()), ("3.csv.gz", gzip("name\n"))];
    let rows = ask(&files, "select count(*) as n from foreign_costs").await.unwrap();
    assert_eq!(rows, [Row::new().with("n", 6_i64)]);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_named_with_its_reason() {
    let cut = |mut bytes: Vec<u8>| {
        bytes.truncate(bytes.len() - 9);
        bytes
    };
    let long = gzip(&format!("name,usd\n{}", "a,0.1\n".repeat(100_000)));
    for (name, bytes, reason) in [
        ("cut.csv.gz", cut(long), "cut short"),
        ("cut.parquet", cut(parquet(&costs())), "arquet"),
        ("text.csv", b"name,usd\na,dear\n".to_vec(), "column `usd`: `dear` is not a decimal"),
        ("ragged.csv", b"name,usd\na,1,2\n".to_vec(), "line"),
        ("open.csv", b"name,usd\na,1\n\"b,2\nc,3\n".to_vec(), "opens on line 3"),
        ("taken.csv", b"name,usd\n\"a,1\nb,2\n\"c\",3\n".to_vec(), "opens on line 2"),
        ("empty.csv", Vec::new(), "empty"),
        ("not.csv.gz", b"name,usd\na,1\n".to_vec(), "gzip"),
    ] {
        let good = ("good.csv", b"name,usd\nb,0.2\n".to_vec());
        let Err(EngineError::File(error)) = ask(&[good, (name, bytes)], SQL).await else { panic!("{name} was read") };
        assert!(error.file == name && error.reason.contains(reason), "{error}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_and_columns_that_no_file_has_are_said() {
    let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let file = |name: &str| ForeignFile { path: name.into(), shown: name.into(), format: Format::of(name).unwrap() };
    let gone = Files::open(Arc::clone(&objects), vec![file("gone.parquet")], &COSTS).await.unwrap_err();
    assert_eq!(gone.to_string(), "cannot read `gone.parquet`: there is no such file");
    objects.put(&"a.csv".into(), "name,extra\n".into()).await.unwrap();
    objects.put(&"b.csv".into(), "name\n".into()).await.unwrap();
    let files = Files::open(objects, vec![file("a.csv"), file("b.csv")], &COSTS).await.unwrap();
    assert_eq!(files.missing(), [("usd", 2), ("extra", 1)]);
}

#[test]
fn a_format_is_known_by_the_name_of_the_file() {
    let csv = |gzip| Some(Format::Csv { gzip, columns: None });
    assert_eq!(Format::of("a/b-00001.snappy.parquet"), Some(Format::Parquet));
    assert_eq!((Format::of("x.CSV"), Format::of("x-1.csv.gz")), (csv(false), csv(true)));
    assert_eq!((Format::of("x.csv.zip"), Format::of("x-Manifest.json")), (None, None));
}

/// Objects whose answers break off in the middle, so many times, with or without an error.
#[derive(Debug)]
struct Breaking {
    inner: Arc<InMemory>,
    left: std::sync::atomic::AtomicUsize,
    silently: bool,
}

impl std::fmt::Display for Breaking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("breaking")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Breaking {
    async fn put_opts(
        &self,
        at: &Path,
        payload: PutPayload,
        options: object_store::PutOptions,
    ) -> object_store::Result<object_store::PutResult> {
        self.inner.put_opts(at, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: object_store::PutMultipartOptions,
    ) -> object_store::Result<Box<dyn object_store::MultipartUpload>> {
        self.inner.put_multipart_opts(at, options).await
    }

    async fn get_opts(
        &self,
        at: &Path,
        options: object_store::GetOptions,
    ) -> object_store::Result<object_store::GetResult> {
        let got = self.inner.get_opts(at, options).await?;
        let left =
            self.left.fetch_update(std::sync::atomic::Ordering::SeqCst, std::sync::atomic::Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        if left.is_err() {
            return Ok(got);
        }
        let (meta, range, attributes) = (got.meta.clone(), got.range.clone(), got.attributes.clone());
        let bytes = got.bytes().await?;
        let half = bytes.slice(..bytes.len() / 2);
        let error = object_store::Error::Generic { store: "breaking", source: "connection reset".into() };
        let rest = (!self.silently).then_some(Err(error));
        let stream = futures::stream::iter([Ok(half)].into_iter().chain(rest)).boxed();
        Ok(object_store::GetResult { payload: object_store::GetResultPayload::Stream(stream), meta, range, attributes })
    }

    fn delete_stream(
        &self,
        places: futures::stream::BoxStream<'static, object_store::Result<Path>>,
    ) -> futures::stream::BoxStream<'static, object_store::Result<Path>> {
        self.inner.delete_stream(places)
    }

    fn list(
        &self,
        under: Option<&Path>,
    ) -> futures::stream::BoxStream<'static, object_store::Result<object_store::ObjectMeta>> {
        self.inner.list(under)
    }

    async fn list_with_delimiter(&self, under: Option<&Path>) -> object_store::Result<object_store::ListResult> {
        self.inner.list_with_delimiter(under).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: object_store::CopyOptions) -> object_store::Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_read_on_or_the_file_is_unreadable_and_never_half_counted() {
    let lines = format!("name,usd\n{}b,0.2\n", "a,0.1\n".repeat(3));
    for (name, bytes) in
        [("x.csv", lines.clone().into_bytes()), ("x.csv.gz", gzip(&lines)), ("x.parquet", parquet(&costs()))]
    {
        for (silently, times) in [(false, 1), (true, 1), (false, 100), (true, 100)] {
            let inner = Arc::new(InMemory::new());
            inner.put(&name.into(), PutPayload::from(bytes.clone())).await.unwrap();
            let objects = Arc::new(Breaking { inner, left: 0.into(), silently });
            let file = ForeignFile { path: name.into(), shown: name.into(), format: Format::of(name).unwrap() };
            let files = Files::open(objects.clone(), vec![file], &COSTS).await.unwrap();
            objects.left.store(times, std::sync::atomic::Ordering::SeqCst);
            let engine = Engine::new().unwrap();
            engine.attach(files).unwrap();
            let read = engine.rows(SQL).await.map(|mut rows| {
                rows.sort_by_key(|row| row.text("name").map(|name| name.raw().to_owned()));
                rows
            });
            match read {
                Ok(rows) => assert!(times == 1 && rows == expected(), "{name} broke {times} times: {rows:?}"),
                Err(EngineError::File(error)) => assert!(times == 100 && error.file == name, "{error}"),
                Err(other) => panic!("{name}: {other}"),
            }
        }
    }
}
