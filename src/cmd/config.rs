//! `config show`: what is set, and where each value is from. Settles the configuration for every other verb.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Subcommand};
use serde_json::{Value as Json, json};

use super::{Context, Format, Global, rows};
use crate::config::{self, Config, ConfigError, Files, KEYS, Key, Settled, Source, Value};
use crate::error::Failure;
use crate::model::text::{terminal, terminal_lines};
use crate::term::{Align, TextTable};

/// See what is set, and where from.
#[derive(Debug, Args)]
pub struct Show {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print every value as it could stand in leanlake.toml.
    Show {
        /// Say where each value is from: an option, a variable, a line of a file, or the default.
        #[arg(long)]
        origin: bool,
    },
}

/// Prints the configuration.
pub fn run(show: &Show, context: &Context) -> Result<(), Failure> {
    let What::Show { origin } = show.what;
    let settled = context.config.settled();
    let text = match context.format(&[Format::Table, Format::Json])? {
        Format::Json => rows::document("config", json!({"values": settled.iter().map(value).collect::<Vec<_>>()}))?,
        _ if origin => table(settled),
        _ => settled.iter().map(line).collect::<Vec<_>>().join("\n"),
    };
    context.term.data(&text)
}

fn line(settled: &Settled) -> String {
    let name = settled.key.name;
    match &settled.value {
        Some(value) => format!("{name} = {}", terminal(&value.to_string())),
        None => format!("# {name} is not set"),
    }
}

fn table(settled: &[Settled]) -> String {
    let mut table = TextTable::new(&[("key", Align::Left), ("value", Align::Left), ("from", Align::Left)]);
    for settled in settled {
        let value = settled.value.as_ref().map(|value| terminal(&value.to_string())).unwrap_or_default();
        table.row([settled.key.name.to_owned(), value, source(&settled.source)]);
    }
    table.to_string()
}

fn source(source: &Source) -> String {
    match source {
        Source::Flag(name) | Source::Variable(name) => (*name).to_owned(),
        Source::File { path, line } => format!("{}:{line}", terminal(&path.display().to_string())),
        Source::Default => "default".to_owned(),
    }
}

fn value(settled: &Settled) -> Json {
    let said = match &settled.value {
        None => Json::Null,
        Some(Value::Text(text)) => json!(text),
        Some(Value::Texts(texts)) => json!(texts),
        Some(Value::Flag(said)) => json!(said),
        Some(Value::Days(number) | Value::Count(number)) => json!(number),
        Some(Value::Time(time)) => json!(config::duration::show(*time)),
        Some(Value::Dollars(dollars)) => json!(dollars.to_string()),
    };
    let origin = match &settled.source {
        Source::Flag(name) => json!({"kind": "option", "name": name}),
        Source::Variable(name) => json!({"kind": "variable", "name": name}),
        Source::File { path, line } => json!({"kind": "file", "path": path, "line": line}),
        Source::Default => json!({"kind": "default"}),
    };
    json!({"key": settled.key.name, "value": said, "origin": origin})
}

/// Settles the configuration, and gives to `global` what no option said.
pub fn settle(global: &mut Global, matches: &ArgMatches) -> Result<Config, Failure> {
    let config = Config::load(given(global, matches), &files(global))?;
    // The SDK reads its own variable; repeating it here would put it before the credentials of the environment.
    if !matches!(config.source(&config::PROFILE), Source::Variable(_)) {
        global.profile = config.text(&config::PROFILE).map(str::to_owned);
    }
    global.store = config.text(&config::STORE).map(str::to_owned);
    global.policies = config.texts(&config::POLICIES).iter().map(PathBuf::from).collect();
    Ok(config)
}

fn given(global: &Global, matches: &ArgMatches) -> Vec<Settled> {
    let policies = global.policies.iter().map(|folder| folder.to_string_lossy().into_owned()).collect();
    let said = [
        (&config::STORE, global.store.clone().map(Value::Text)),
        (&config::PROFILE, global.profile.clone().or_else(|| variable("AWS_PROFILE")).map(Value::Text)),
        (&config::REGIONS, texts(global.region.clone())),
        (&config::POLICIES, texts(policies)),
        (&config::ACCOUNTS, variable("LEANLAKE_ACCOUNTS").map(accounts)),
        (&config::ROLE_NAME, variable("LEANLAKE_ROLE").map(Value::Text)),
        (&config::ROLE_EXTERNAL_ID, variable("LEANLAKE_EXTERNAL_ID").map(Value::Text)),
        (&config::ROLE_SESSION_NAME, variable("LEANLAKE_SESSION_NAME").map(Value::Text)),
    ];
    let settled = |(key, value): (&'static Key, Option<Value>)| {
        let typed = matches.try_contains_id(argument(key)).is_ok()
            && matches.value_source(argument(key)) == Some(ValueSource::CommandLine);
        let source = if typed { Source::Flag(key.flag?) } else { Source::Variable(key.variable?) };
        value.map(|value| Settled { key, value: Some(value), source })
    };
    said.into_iter().filter_map(settled).collect()
}

/// Returns clap's name of the option that wins over `key`.
fn argument(key: &Key) -> &'static str {
    key.flag.map_or("", |flag| flag.trim_start_matches('-'))
}

fn texts(texts: Vec<String>) -> Option<Value> {
    (!texts.is_empty()).then_some(Value::Texts(texts))
}

/// What a variable says; whether these are accounts is seen where they are used.
fn accounts(text: String) -> Value {
    if text == "all" { Value::Text(text) } else { Value::Texts(text.split(',').map(str::to_owned).collect()) }
}

fn files(global: &Global) -> Files {
    let folder = |name: &str, below: &str| Some(PathBuf::from(set(name)?).join(below));
    let user = folder("XDG_CONFIG_HOME", "").or_else(|| folder("HOME", ".config"));
    Files {
        named: global.config.clone().filter(|path| !path.as_os_str().is_empty()),
        project: Some(PathBuf::from(config::PROJECT_FILE)),
        user: user.map(|folder| folder.join(config::USER_FILE)),
    }
}

fn variable(name: &str) -> Option<String> {
    Some(set(name)?.to_string_lossy().into_owned())
}

fn set(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        let message = terminal_lines(&error.to_string());
        match error {
            ConfigError::Mistake { hint, .. } => Failure::failed(message).hint(terminal(&hint)),
            ConfigError::Unreadable { .. } | ConfigError::TooLarge(_) => {
                Failure::failed(message).hint(format!("docs/configuration.md has the {} keys", KEYS.len()))
            }
        }
    }
}
