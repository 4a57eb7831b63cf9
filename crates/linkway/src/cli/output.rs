//! How lists are printed: a table for people, or JSON.

use std::io::{self, Write};

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;

/// The option of every list.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Output {
    /// How to print it.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "table")]
    pub(crate) output: Format,
}

/// The formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns, for people.
    Table,
    /// JSON, for programs.
    Json,
}

impl Output {
    /// Print `items`: as JSON, or as a table of `rows` under `headings`.
    pub(crate) fn list<T: Serialize, const N: usize>(
        self,
        items: &[T],
        headings: [&str; N],
        row: impl Fn(&T) -> [String; N],
    ) -> Result<()> {
        match self.output {
            Format::Json => json(&items),
            Format::Table => text(&table(headings, items.iter().map(row))),
        }
    }
}

/// Print a value as JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<()> {
    text(&(serde_json::to_string_pretty(value)? + "\n"))
}

/// Print text. A reader that has gone away (`| head`) is no error.
pub(crate) fn text(text: &str) -> Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}

/// Columns as wide as their widest cell, under headings.
pub(crate) fn table<const N: usize>(headings: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = std::iter::once(headings.map(str::to_owned)).chain(rows).collect();
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    });
    let mut text = String::new();
    for row in &rows {
        let line: String = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}  ")).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a".to_owned(), "1".to_owned()], ["longer".to_owned(), "22".to_owned()]];
        assert_eq!(table(["NAME", "N"], rows.into_iter()), "NAME    N\na       1\nlonger  22\n");
    }
}
