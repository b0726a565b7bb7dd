//! A table in Markdown, as GitHub reads it.

use super::table::{Column, Table};
use std::fmt::Write;

impl Table {
    /// A heading, the table, and its notes as a list.
    pub fn to_markdown(&self) -> String {
        let mut out = format!("### {}\n\n", escaped(&self.title));
        let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        out += &row(self.columns.iter().map(|c| escaped(c.head)).collect());
        let rule = |c: &Column| if c.figures { "---:" } else { "---" }.to_string();
        out += &row(self.columns.iter().map(rule).collect());
        for cells in &self.rows {
            out += &row(cells.iter().map(|cell| escaped(&cell.text)).collect());
        }
        if !self.notes.is_empty() {
            out.push('\n');
        }
        for note in &self.notes {
            let _ = writeln!(out, "- {}", escaped(note));
        }
        out
    }
}

/// Text that Markdown takes for nothing but text; further lines of it stay in their cell.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' => out.push_str("<br>"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '#' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}
