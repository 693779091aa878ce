"""Run by `benches/roll-up`: makes files, rolls up with leanlake and with DuckDB, compares answers, prints figures."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parent.parent
# Of a bill or list of any size the goal is 2 GB: DuckDB gets as much before it spills.
MEMORY = "2GB"

BILL = """
copy (
  select
    timestamp '2026-10-01 00:00:00' as bill_billing_period_start_date,
    timestamp '2026-11-01 00:00:00' as bill_billing_period_end_date,
    '111122223333' as bill_payer_account_id,
    timestamp '2026-10-01 00:00:00' + interval 1 hour * (i % 744) as line_item_usage_start_date,
    (111122223333 + line % 7)::varchar as line_item_usage_account_id,
    case line % 20 when 0 then 'SavingsPlanCoveredUsage' when 1 then 'DiscountedUsage' when 2 then 'Credit' else 'Usage'
      end as line_item_line_item_type,
    ['AmazonS3', 'AmazonEC2', 'AWSGlue', 'AmazonAthena'][1 + line % 4] as line_item_product_code,
    'Type-' || (line % 90) as line_item_usage_type,
    'Operation-' || (line % 11) as line_item_operation,
    'arn:aws:s3:::bucket-' || line as line_item_resource_id,
    'USD' as line_item_currency_code,
    round((line % 1000) / 7.0, 6) as line_item_usage_amount,
    round((line % 1000) / 300.0, 6) as line_item_unblended_cost,
    round((line % 1000) / 310.0, 6) as line_item_net_unblended_cost,
    'GB-Mo' as pricing_unit,
    'rate-' || (line % 200) as pricing_rate_id,
    round((line % 1000) / 290.0, 6) as pricing_public_on_demand_cost,
    'us-east-1' as product_region_code,
    '' as reservation_reservation_a_r_n,
    round((line % 1000) / 320.0, 6) as reservation_effective_cost,
    round((line % 1000) / 330.0, 6) as savings_plan_savings_plan_effective_cost,
    'tag-' || (line % 300) as resource_tags
  from (select i, i // 744 as line from range({rows}) t(i))
) to '{file}' (format parquet, compression snappy, row_group_size 500000)
"""

LIST = """
copy (
  select
    'lake' as bucket,
    'raw/table' || (i % 40) || '/year=' || (2020 + i % 7) || '/day=' || (i % 365) || '/part-' || i || '.parquet' as key,
    (i * 7919) % 3000000000 as size,
    timestamp '2026-10-31 00:00:00' - interval 1 minute * ((i * 104729) % 2000000) as last_modified_date,
    ['STANDARD', 'STANDARD_IA', 'GLACIER_IR'][1 + i % 3] as storage_class
  from range({rows}) t(i)
) to '{file}' (format parquet, compression snappy, row_group_size 500000)
"""

LIST_COLUMNS = {
    "is_latest": "boolean",
    "is_delete_marker": "boolean",
    "intelligent_tiering_access_tier": "varchar",
    "inventory_time": None,
}


def wanted(source):
    """The columns of a report as src/rollup/ declares them: each `text("name", …)`, `time(…)` and `number(…)`."""
    text = (ROOT / source).read_text()
    kinds = {"text": "varchar", "time": "timestamp", "number": "decimal(28, 12)"}
    body = text[text.index("CUR_FILES: Foreign") : text.index("FOCUS_FILES: Foreign")]
    return [(name, kinds[kind]) for kind, name in re.findall(r"\b(text|time|number)\(\s*\"(\w+)\"", body)]


def view(table, columns, held, files, constants):
    def column(name, kind):
        if name in constants:
            return f"{constants[name]} as {name}"
        value = name if name in held else "null"
        return f"cast({value} as {kind}) as {name}"

    listed = ", ".join(column(name, kind) for name, kind in columns)
    return f"create view {table} as select {listed} from read_parquet('{files}')"


def make(home, lines, objects):
    month = home / "bill" / "BILLING_PERIOD=2026-10"
    month.mkdir(parents=True)
    duckdb.sql(BILL.format(rows=lines, file=month / "1.parquet"))
    data = home / "lists" / "lake" / "daily" / "data"
    data.mkdir(parents=True)
    duckdb.sql(LIST.format(rows=objects, file=data / "1.parquet"))
    manifest = {
        "sourceBucket": "lake",
        "destinationBucket": "arn:aws:s3:::lists",
        "version": "2016-11-30",
        "creationTimestamp": "1793494800000",
        "fileFormat": "Parquet",
        "fileSchema": "message s3.inventory { required binary bucket (STRING); required binary key (STRING);"
        " optional int64 size; optional int64 last_modified_date (TIMESTAMP(MILLIS,true));"
        " optional binary storage_class (STRING); }",
        "files": [{"key": "lake/daily/data/1.parquet", "size": 1, "MD5checksum": "x"}],
    }
    folder = data.parent / "2026-11-01T01-00Z"
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def measured(command, environment=None):
    """Runs a command. Returns its seconds, its peak memory in MB, and what it printed."""
    began = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - began
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    unit = 1 if sys.platform == "darwin" else 1024
    return seconds, usage.ru_maxrss * unit / 1e6, out


def leanlake(binary, home, flag, folder, ask):
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"}
    store = ["--store", str(home / f"store{flag}")]
    seconds, memory, _ = measured([binary, *store, "scan", flag, str(folder)], environment)
    _, _, rows = measured([binary, *store, "query", ask, "--format", "json"], environment)
    return seconds, memory, rows


def duck(home, sql, made, ask, out):
    code = (
        "import duckdb, sys\n"
        f"duckdb.sql(\"set memory_limit='{MEMORY}'; set temp_directory='{home}/spill'; set TimeZone='UTC'\")\n"
        f"duckdb.sql({made!r})\n"
        f"duckdb.sql('copy (' + open({str(sql)!r}).read() + \"\\n) to '{out}' (format parquet, compression zstd)\")\n"
    )
    seconds, memory, _ = measured([sys.executable, "-c", code])
    answer = duckdb.sql(ask.format(f"read_parquet('{out}')"))
    return seconds, memory, {name: plain(value) for name, value in sorted(zip(answer.columns, answer.fetchone()))}


def values(text):
    """The one row of a query's answer by the names of its columns, as text without trailing zeros."""
    answer = json.loads(text)
    rows = answer["rows"] if isinstance(answer, dict) else answer
    return {name: plain(value) for name, value in sorted(rows[0].items())}


def plain(value):
    text = str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def report(name, rows, ours, theirs):
    (mine, memory, answer), (duck_s, duck_mb, duck_answer) = ours, theirs
    here, there = values(answer), duck_answer
    print(f"{name}, {rows:,} rows")
    print(f"  leanlake  {mine:8.1f} s  {memory:8.0f} MB   scan of the files into a snapshot")
    print(f"  DuckDB    {duck_s:8.1f} s  {duck_mb:8.0f} MB   the same SQL into a Parquet file")
    if here != there:
        sys.exit(f"  the answers differ: leanlake {here}, DuckDB {there}")
    print(f"  both answer {', '.join(f'{name} {value}' for name, value in here.items())}", flush=True)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--leanlake", required=True)
    arguments.add_argument("--lines", type=float, default=20e6)
    arguments.add_argument("--objects", type=float, default=100e6)
    given = arguments.parse_args()
    lines, objects = int(given.lines), int(given.objects)
    with tempfile.TemporaryDirectory(prefix="leanlake-roll-up-") as folder:
        home = Path(folder)
        make(home, lines, objects)
        ask = "select count(*) as rows, sum(unblended) as unblended, sum(amortized) as amortized, "
        ask += "sum(usage) as quantity from {}"
        held = {row[0] for row in duckdb.sql(f"describe select * from '{home}/bill/*/*.parquet'").fetchall()}
        made = view("cur", wanted("src/rollup/bill.rs"), held, f"{home}/bill/*/*.parquet", {})
        ours = leanlake(given.leanlake, home, "--bill", home / "bill", ask.format("bill"))
        theirs = duck(home, ROOT / "src/rollup/bill.sql", made, ask, home / "bill.parquet")
        report("bill", lines, ours, theirs)
        columns = [("bucket", "varchar"), ("key", "varchar"), ("size", "bigint"), ("last_modified_date", "timestamp")]
        columns += [("storage_class", "varchar"), *LIST_COLUMNS.items()]
        held = {"bucket", "key", "size", "last_modified_date", "storage_class"}
        begun = {"inventory_time": "timestamp '2026-11-01 01:00:00'"}
        made = view("inventory", columns, held, f"{home}/lists/lake/daily/data/*.parquet", begun)
        # leanlake folds small folders into the one above, so rows are not counted but objects and bytes are.
        ask = "select sum(objects) as objects, sum(bytes) as bytes, "
        ask += "sum(objects) filter (where older_than_days >= 90) as old from {}"
        ours = leanlake(given.leanlake, home, "--inventory", home / "lists", ask.format("storage_ages"))
        theirs = duck(home, ROOT / "src/rollup/inventory.sql", made, ask, home / "ages.parquet")
        report("inventory", objects, ours, theirs)


main()
