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
        let heads = self.columns.iter().map(|c| aligned(c.head, c).add_attribute(Attribute::Bold));
        grid.set_header(heads);
        for row in &self.rows {
            grid.add_row(
                row.iter().zip(&self.columns).map(|(cell, column)| coloured(cell, column)),
            );
        }
        let wrapped = |text: &str| textwrap::fill(&lines(text), usize::from(width)) + "\n";
        let mut out = format!("{}{}\n", wrapped(&self.title), grid.trim_fmt());
        for note in &self.notes {
            out.push_str(&wrapped(note));
        }
        out
    }
}

fn aligned(text: &str, column: &Column) -> GridCell {
    let align = if column.figures { CellAlignment::Right } else { CellAlignment::Left };
    GridCell::new(lines(text)).set_alignment(align)
}

fn coloured(cell: &Cell, column: &Column) -> GridCell {
    let grid = aligned(&cell.text, column);
    match cell.tone {
        Tone::Plain => grid,
        Tone::Flagged => grid.fg(Color::Yellow),
        Tone::Wrong => grid.fg(Color::Red),
    }
}
