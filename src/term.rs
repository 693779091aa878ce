//! The only module that prints. stdout is data, stderr is talk.
//!
//! Text from an account must come here already escaped by its sink; nothing here reads AWS or files.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, TableComponent};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinHandle;

use crate::error::Failure;
use crate::model::Event;
use crate::model::text::terminal_lines;

/// How talkative stderr is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Voice {
    /// Only failures (`-qq`).
    Failures,
    /// Failures and warnings (`-q`).
    Warnings,
    /// What happens, in short.
    Normal,
    /// Every gap and request as well (`-v`).
    Verbose,
}

/// The terminal, or the pipe that stands in its place.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    voice: Voice,
    /// Draw progress on stderr.
    progress: bool,
    /// Bold and colour on stderr.
    styled: bool,
    /// Draws with ASCII alone.
    ascii: bool,
}

impl Term {
    /// Returns the terminal as it is: progress and style only where stderr is one, and `NO_COLOR` is unset.
    pub fn new(voice: Voice, no_progress: bool, no_color: bool) -> Self {
        let tty = io::stderr().is_terminal();
        let progress = tty && !no_progress && voice >= Voice::Normal;
        Term { voice, progress, styled: tty && !no_color, ascii: false }
    }

    /// Returns the terminal that shows no more than its locale can: `locale` is the first of `LC_ALL`, `LC_CTYPE` and
    /// `LANG` that is set. Where none is, nothing is known, and what most terminals can show is shown.
    #[must_use]
    pub fn in_locale(self, locale: Option<&str>) -> Self {
        let is_utf8 = |locale: &str| ["UTF-8", "UTF8"].iter().any(|name| locale.to_uppercase().ends_with(name));
        Term { ascii: locale.is_some_and(|locale| !is_utf8(locale)), ..self }
    }

    /// Returns true when a person looks at stdout, not a pipe.
    pub fn is_watched() -> bool {
        io::stdout().is_terminal()
    }

    /// Writes data to stdout, with a line end. A reader that went away (`| head`) is no failure.
    ///
    /// # Errors
    /// stdout cannot be written, a full disk for instance.
    pub fn data(self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        // What a pipe gets does not depend on the terminal that it was typed in.
        let drawn = (self.ascii && Term::is_watched()).then(|| ascii(text));
        let text = drawn.as_deref().unwrap_or(text);
        let line_end = if text.ends_with('\n') { "" } else { "\n" };
        match write!(out, "{text}{line_end}").and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::failed("cannot write to standard output").caused_by(error))
            }
            _ => Ok(()),
        }
    }

    /// Writes CSV to stdout: as it is into a pipe or file, with every control character shown as a code on a terminal.
    ///
    /// # Errors
    /// As [`Term::data`].
    pub fn csv(self, text: &str) -> Result<(), Failure> {
        if Term::is_watched() { self.data(&terminal_lines(&text.replace("\r\n", "\n"))) } else { self.data(text) }
    }

    /// Says what happens.
    pub fn status(self, text: &str) {
        self.say(Voice::Normal, text);
    }

    /// Says what happens in more detail than most want.
    pub fn detail(self, text: &str) {
        self.say(Voice::Verbose, text);
    }

    /// Says that something is not as it should be.
    pub fn warn(self, text: &str) {
        self.say(Voice::Warnings, &format!("{} {text}", self.bold("warning:")));
    }

    /// Says which command to type next.
    pub fn hint(self, text: &str) {
        self.say(Voice::Normal, &format!("{} {text}", self.bold("hint:")));
    }

    /// Says why a verb failed: the failure, its causes, an empty line, its hints.
    pub fn failure(self, failure: &Failure) {
        let mut text = format!("{} {failure}", self.bold("error:"));
        let mut source = std::error::Error::source(failure);
        while let Some(cause) = source {
            let _ = write!(text, "\n  caused by: {}", terminal_lines(&cause.to_string()));
            source = cause.source();
        }
        if !failure.hints.is_empty() {
            text.push('\n');
        }
        for hint in &failure.hints {
            let _ = write!(text, "\n{} {hint}", self.bold("hint:"));
        }
        self.say(Voice::Failures, &text);
    }

    fn say(self, least: Voice, text: &str) {
        if self.voice >= least {
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    fn bold(self, word: &str) -> String {
        if self.styled { format!("\u{1b}[1m{word}\u{1b}[0m") } else { word.to_owned() }
    }

    /// Draws a scan's events until its channel closes: a spinner on a terminal, a line for each collector elsewhere.
    pub fn watch(self, mut events: Receiver<Event>) -> JoinHandle<()> {
        let bar = self.spinner();
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                self.draw(&bar, &event);
            }
            bar.finish_and_clear();
        })
    }

    fn spinner(self) -> ProgressBar {
        let target = if self.progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {prefix}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    fn draw(self, bar: &ProgressBar, event: &Event) {
        match event {
            Event::Started { what } => bar.set_message(what.clone()),
            Event::Progress { what, done, total: Some(total) } => bar.set_message(format!("{what} {done}/{total}")),
            Event::Progress { what, done, total: None } => bar.set_message(format!("{what} {done}")),
            Event::Finished { what, rows, took } => bar.suspend(|| {
                let time =
                    if self.voice >= Voice::Verbose { format!(" in {} s", took.as_secs()) } else { String::new() };
                self.status(&format!("{what}: {rows} rows{time}"));
            }),
            Event::Gap(gap) => bar.suspend(|| self.detail(&gap_line(gap))),
            Event::Ahead { what, requests, usd } => {
                let ahead = format!("{what}: {} more requests, {}", span(&requests.0, &requests.1), dollars(usd));
                bar.suspend(|| self.status(&ahead));
            }
            Event::Spent { requests, usd } => bar.set_prefix(format!("· {requests} requests, {}", usd.human())),
        }
    }
}

/// Returns the text with what leanlake draws in ASCII, each sign as wide as it was; names stay as they are.
fn ascii(text: &str) -> String {
    let plain = |sign: char| match sign {
        '─' | '–' | '╌' => '-',
        '═' => '=',
        '│' | '┆' => '|',
        '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' | '╞' | '╡' | '╪' | '✔' => '+',
        '✘' => 'x',
        '·' | '…' => '.',
        other => other,
    };
    text.chars().map(plain).collect()
}

fn span<T: std::fmt::Display + PartialEq>(low: &T, high: &T) -> String {
    if low == high { low.to_string() } else { format!("{low} to {high}") }
}

fn dollars(usd: &(crate::model::Money, crate::model::Money)) -> String {
    span(&usd.0.human(), &usd.1.human())
}

fn gap_line(gap: &crate::model::Coverage) -> String {
    let place = [gap.account_id.as_deref(), gap.region.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let resource = gap.resource.as_ref().map(|r| format!(" `{}`", r.terminal())).unwrap_or_default();
    let reason = gap.reason.as_ref().map_or_else(|| gap.state.as_str().to_owned(), crate::model::Untrusted::terminal);
    format!("gap: {} {place}{resource}: {reason}", gap.read)
}

/// Which way a column's cells lean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table of text for people: cells must be escaped by their sink already.
pub struct TextTable(comfy_table::Table);

impl TextTable {
    /// Returns an empty table with these columns.
    pub fn new(columns: &[(&str, Align)]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_preset(UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
        // A line below the head and one around the whole; none between rows.
        table.remove_style(TableComponent::HorizontalLines);
        table.remove_style(TableComponent::MiddleIntersections);
        table.remove_style(TableComponent::LeftBorderIntersections);
        table.remove_style(TableComponent::RightBorderIntersections);
        table.set_header(columns.iter().map(|(name, _)| Cell::new(name).add_attribute(Attribute::Bold)));
        for (at, (_, align)) in columns.iter().enumerate() {
            if let (Align::Right, Some(column)) = (align, table.column_mut(at)) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        TextTable(table)
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.add_row(cells.into_iter().map(Cell::new).collect::<Vec<_>>());
    }
}

impl std::fmt::Display for TextTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.trim_fmt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_without_utf_8_gets_ascii_as_wide_as_it_was() {
        let mut table = TextTable::new(&[("call", Align::Left), ("", Align::Left)]);
        table.row(["ListBuckets".to_owned(), "✔ allowed … ü".to_owned()]);
        let (drawn, plain) = (table.to_string(), ascii(&table.to_string()));
        assert!(!drawn.is_ascii() && plain.replace('ü', "u").is_ascii(), "{plain}");
        assert!(plain.contains("+ allowed . ü"), "{plain}");
        assert_eq!(drawn.chars().count(), plain.chars().count());
    }

    #[test]
    fn only_a_locale_that_is_set_and_is_not_utf_8_asks_for_ascii() {
        let ascii = |locale| Term::new(Voice::Normal, true, true).in_locale(locale).ascii;
        assert_eq!([None, Some("C.UTF-8"), Some("de_DE.utf8")].map(ascii), [false; 3]);
        assert_eq!([Some("C"), Some("POSIX"), Some("de_DE.ISO-8859-1")].map(ascii), [true; 3]);
    }
}
