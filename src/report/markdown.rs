//! A table in GitHub-flavoured Markdown.

use super::table::{Column, Table};
use crate::text::lines;

impl Table {
    /// A heading, the table, and its notes as a list.
    pub fn to_markdown(&self) -> String {
        let row = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let rule = |c: &Column| if c.figures { "---:" } else { "---" }.to_string();
        let mut out = format!("### {}\n\n", escaped(&self.title));
        out += &row(self.columns.iter().map(|c| escaped(c.head)).collect());
        out += &row(self.columns.iter().map(rule).collect());
        for cells in &self.rows {
            out += &row(cells.iter().map(|cell| escaped(&cell.text)).collect());
        }
        let gap = if self.notes.is_empty() { "" } else { "\n" };
        let notes = self.notes.iter().map(|note| format!("- {}\n", escaped(note)));
        out + gap + &notes.collect::<String>()
    }
}

/// Escapes Markdown; line breaks become `<br>`.
fn escaped(text: &str) -> String {
    let text = lines(text);
    let mut out = String::new();
    for (at, c) in text.char_indices() {
        let (before, after) = (&text[..at], &text[at + c.len_utf8()..]);
        let escape = match c {
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '#' | '~' | '$' => true,
            // List markers at the start: `- a`, `+ a`, `1. a`, `1) a`.
            '-' | '+' => before.is_empty(),
            '.' | ')' if is_number(before) && after.starts_with(' ') => true,
            // GitHub turns URLs into links: `https://a.b`, `www.a.b`.
            ':' => after.starts_with("//"),
            '.' => before.len() >= 3 && before.as_bytes()[at - 3..].eq_ignore_ascii_case(b"www"),
            _ => false,
        };
        match c {
            '\n' => out.push_str("<br>"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if escape => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
