//! A table for a terminal.

use super::table::{Cell, Column, Table, Tone};
use crate::text::lines;
use comfy_table::Cell as GridCell;
use comfy_table::Table as Grid;
use comfy_table::{Attribute, CellAlignment, Color, ContentArrangement, LineStyle};

impl Table {
    /// Renders for a terminal `width` characters wide; `styled` adds bold headers, and colours for flagged and invalid cells.
    pub fn to_terminal(&self, width: u16, styled: bool) -> String {
        let mut grid = Grid::new();
        // Separate rows if one has several lines.
        let multiline = self.rows.iter().flatten().any(|cell| cell.text.contains('\n'));
        let style = comfy_table::presets::UTF8_HORIZONTAL_ONLY;
        let style = if multiline { style } else { style.row_separator(LineStyle::none()) };
        grid.load_style(style)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
        if styled {
            grid.enforce_styling();
        } else {
            grid.force_no_tty();
        }
        let aligned = |text: &str, column: &Column| {
            let align = if column.figures { CellAlignment::Right } else { CellAlignment::Left };
            GridCell::new(lines(text)).set_alignment(align)
        };
        let heads = self.columns.iter().map(|column| aligned(column.head, column));
        grid.set_header(heads.map(|head| head.add_attribute(Attribute::Bold)));
        let coloured = |(cell, column): (&Cell, &Column)| match cell.tone {
            Tone::Plain => aligned(&cell.text, column),
            Tone::Flagged => aligned(&cell.text, column).fg(Color::Yellow),
            Tone::Wrong => aligned(&cell.text, column).fg(Color::Red),
        };
        for row in &self.rows {
            grid.add_row(row.iter().zip(&self.columns).map(coloured));
        }
        let wrapped = |text: &str| textwrap::fill(&lines(text), usize::from(width)) + "\n";
        let notes: String = self.notes.iter().map(|note| wrapped(note)).collect();
        format!("{}{}\n{notes}", wrapped(&self.title), grid.trim_fmt())
    }
}
