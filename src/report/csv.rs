//! A table as CSV (RFC 4180): numbers in full precision, text unchanged except for what a spreadsheet would run as a formula.

use super::table::{Cell, Table};
use crate::text::lines;

impl Table {
    /// A header, then one line per row. Title and notes are omitted.
    pub fn to_csv(&self) -> String {
        let heads = self.columns.iter().map(|column| column.head.to_string());
        records(std::iter::once(heads.collect())) + &self.rows_to_csv()
    }

    /// The same without the header, to append to a table with the same columns.
    pub fn rows_to_csv(&self) -> String {
        let text = |cell: &Cell| cell.digits().unwrap_or_else(|| text(&cell.text));
        records(self.rows.iter().map(|row| row.iter().map(text).collect()))
    }
}

fn records(all: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    for cells in all {
        writer.write_record(cells).expect("rows are as long as heads, and memory takes them");
    }
    let bytes = writer.into_inner().expect("memory takes it");
    String::from_utf8(bytes).expect("text was written")
}

/// Text of a cell. An apostrophe before a formula makes it text, since a formula from an untrusted file may send data out (CSV
/// injection). Numbers are unchanged.
fn text(text: &str) -> String {
    let text = lines(text);
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if is_formula && text.trim().parse::<f64>().is_err() { format!("'{text}") } else { text }
}
