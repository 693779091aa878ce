//! The page that documents tables, from their declarations. Pure.

use std::fmt::Write;

use super::table::{Source, Table};

/// Returns the page over sections of tables: a heading, what the section is, its tables.
pub fn page(sections: &[(&str, &str, Vec<&Table>)]) -> String {
    let mut page = String::from(
        "# Tables\n\nGenerated from the declarations in `src/`. Every column may be NULL, which means \"not known\" or \
         \"does not apply\", never 0. Days and times are UTC.\n",
    );
    for (heading, about, tables) in sections {
        let _ = write!(page, "\n## {heading}\n\n{about}\n");
        for table in tables {
            describe(&mut page, table);
        }
    }
    page
}

fn describe(page: &mut String, table: &Table) {
    let _ = write!(page, "\n### {}\n\n{}\n\n", table.name, table.doc);
    let _ = match table.source {
        Source::State(read) => writeln!(page, "Read by `{read}`. Key: {}.\n", key(table)),
        Source::Period { read, column } => {
            writeln!(page, "Read by `{read}`, kept by `{column}`. Key: {}.\n", key(table))
        }
        Source::Analysis => writeln!(page, "Computed. Key: {}.\n", key(table)),
    };
    page.push_str("| column | holds | meaning |\n|---|---|---|\n");
    for column in table.columns {
        let read = column.read.map(|read| format!(" Read by `{read}`.")).unwrap_or_default();
        let doc = column.doc.replace('|', "\\|");
        let _ = writeln!(page, "| `{}` | {} | {doc}{read} |", column.name, column.kind.unit());
    }
}

fn key(table: &Table) -> String {
    table.key.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ")
}
