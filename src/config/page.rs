//! The page that documents the configuration, from the declarations of its keys. Pure.

use std::fmt::Write;

use super::KEYS;
use super::key::Key;

const ABOUT: &str = "\
# Configuration

Generated from the declarations in `src/config/`.

leanlake needs no configuration file. What is always the same can stand in one: `leanlake.toml` in the folder where
leanlake is called, and `leanlake/config.toml` below `$XDG_CONFIG_HOME` (`~/.config`). For each key the first of these
counts: the option of the command line, the variable of the environment, the project's file, the user's file, the default.
`--config FILE`, or `LEANLAKE_CONFIG`, names one file that is read instead of both.

`leanlake config show --origin` prints every value with where it is from. A key that is not in this list is an error.
Folders are relative to the file that names them. Credentials are never read from these files.

```toml
store = \"s3://our-reports/leanlake\"
regions = [\"eu-west-1\", \"us-east-1\"]
owner_tags = [\"team\", \"owner\"]
cost_tags = [\"team\"]
max_cost = 2.50
```
";

/// Returns the page.
pub fn page() -> String {
    let mut page = String::from(ABOUT);
    page.push_str("\n| key | takes | default | option | variable | meaning |\n|---|---|---|---|---|---|\n");
    for key in KEYS {
        describe(&mut page, key);
    }
    page
}

fn describe(page: &mut String, key: &Key) {
    let code = |text: Option<&str>| text.map(|text| format!("`{text}`")).unwrap_or_default();
    let (name, wants, doc) = (key.name, key.kind.wants().replace('|', "\\|"), key.doc);
    let (default, flag, variable) = (code(key.default), code(key.flag), code(key.variable));
    let _ = writeln!(page, "| `{name}` | {wants} | {default} | {flag} | {variable} | {doc} |");
}
