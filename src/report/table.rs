//! The table that every report is made of, and its rendering for a terminal.

use comfy_table::LineStyle;
use comfy_table::Table as Grid;
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement};

/// A table with a heading and remarks. A cell may have several lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What the table is of.
    pub title: String,
    /// Column heads.
    pub columns: Vec<Column>,
    /// Cells, a row each.
    pub rows: Vec<Vec<String>>,
    /// Remarks below the table.
    pub notes: Vec<String>,
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its head.
    pub head: &'static str,
    /// Whether it holds figures, which stand to the right.
    pub figures: bool,
}

impl Table {
    /// Text for a terminal `width` characters wide; `styled` makes heads bold.
    pub fn to_terminal(&self, width: u16, styled: bool) -> String {
        let mut grid = Grid::new();
        // Rows of several lines want a rule between them.
        let tall = self.rows.iter().flatten().any(|cell| cell.contains('\n'));
        let style = comfy_table::presets::UTF8_HORIZONTAL_ONLY;
        let style = if tall { style } else { style.row_separator(LineStyle::none()) };
        grid.load_style(style)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
        if styled {
            grid.enforce_styling();
        } else {
            grid.force_no_tty();
        }
        let cell = |text: &str, column: &Column| {
            let align = if column.figures { CellAlignment::Right } else { CellAlignment::Left };
            Cell::new(text).set_alignment(align)
        };
        grid.set_header(
            self.columns.iter().map(|c| cell(c.head, c).add_attribute(Attribute::Bold)),
        );
        for row in &self.rows {
            grid.add_row(row.iter().zip(&self.columns).map(|(text, c)| cell(text, c)));
        }
        let mut out = format!("{}\n{}\n", self.title, grid.trim_fmt());
        for note in &self.notes {
            out.push_str(note);
            out.push('\n');
        }
        out
    }
}
