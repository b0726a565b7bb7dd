//! A table as comma-separated values (RFC 4180), for machines: numbers with all their digits, text as it is.

use super::table::{Table, exact};

impl Table {
    /// A line of heads, then a line a row. Title and notes are for people and stay out.
    pub fn to_csv(&self) -> String {
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        let mut write = |cells: Vec<String>| {
            writer.write_record(cells).expect("rows are as long as heads, and memory takes them");
        };
        write(self.columns.iter().map(|c| c.head.to_string()).collect());
        for row in &self.rows {
            write(row.iter().map(|c| c.number.map_or_else(|| c.text.clone(), exact)).collect());
        }
        let bytes = writer.into_inner().expect("memory takes it");
        String::from_utf8(bytes).expect("text was written")
    }
}
