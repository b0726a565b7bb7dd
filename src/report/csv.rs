//! A table as comma-separated values (RFC 4180), for machines: numbers with all their digits, text as it is, but for text that a
//! spreadsheet would compute.

use super::table::{Cell, Table, exact};
use crate::text::lines;

impl Table {
    /// A line of heads, then a line a row. Title and notes are for people and stay out.
    pub fn to_csv(&self) -> String {
        let heads = self.columns.iter().map(|column| column.head.to_string());
        records(std::iter::once(heads.collect())) + &self.rows_to_csv()
    }

    /// The same without the heads, to be written after another table of its kind.
    pub fn rows_to_csv(&self) -> String {
        let text = |cell: &Cell| cell.number.map_or_else(|| text(&cell.text), exact);
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

/// Text of a cell. Spreadsheets compute what begins like a formula, and a formula of a stranger may call out: an apostrophe
/// before it makes it text. Numbers stay numbers.
fn text(text: &str) -> String {
    let text = lines(text);
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if is_formula && text.trim().parse::<f64>().is_err() { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text_and_numbers_stay_numbers() {
        for (given, written) in [
            ("=cmd()", "'=cmd()"),
            ("+1+cmd()", "'+1+cmd()"),
            ("-2+3", "'-2+3"),
            ("@SUM(A1)", "'@SUM(A1)"),
            (" =A1", "' =A1"),
            ("＝A1", "'＝A1"),
            ("\t=A1", "\\t=A1"),
            ("\r=A1", "\\r=A1"),
            ("\n=A1", "'\n=A1"),
            ("-12.5", "-12.5"),
            ("+1e-3", "+1e-3"),
            ("– not known", "– not known"),
            ("a=b", "a=b"),
        ] {
            assert_eq!(text(given), written);
        }
    }
}
