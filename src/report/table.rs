//! The table that every report is made of. A cell has text for people and, if it is numeric, the number in base SI units for machines and
//! for sorting. It can be rendered for a terminal or as Markdown, CSV or HTML.

use askama::Template;

/// A table with a title and notes.
#[derive(Clone, Debug, Default, PartialEq, Template)]
#[template(path = "table.html", config = "src/report/html/askama.toml")]
pub struct Table {
    /// The title.
    pub title: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// Cells by row.
    pub rows: Vec<Vec<Cell>>,
    /// Notes below the table.
    pub notes: Vec<String>,
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The header.
    pub head: &'static str,
    /// Whether it holds numbers, which are right-aligned.
    pub figures: bool,
}

/// A column with the cell that a `T` has in it.
pub type Field<T> = (Column, fn(&T) -> Cell);

/// A cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// Displayed text; it may have several lines.
    pub text: String,
    /// The numeric value in base SI units: joules per hash, not per 10¹² hashes.
    pub number: Option<f64>,
    /// Its emphasis.
    pub tone: Tone,
    /// Its explanation, shown on demand.
    pub about: Option<String>,
}

/// Emphasis of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Normal text.
    #[default]
    Plain,
    /// Correct, but easily misread.
    Flagged,
    /// Invalid or failed.
    Wrong,
}

impl Table {
    /// A table with a line for each of `items`, without notes.
    pub fn of<T>(title: impl Into<String>, fields: &[Field<T>], items: &[T]) -> Table {
        let columns = fields.iter().map(|(column, _)| column.clone()).collect();
        let row = |item| fields.iter().map(|(_, cell)| cell(item)).collect();
        let (title, rows) = (title.into(), items.iter().map(row).collect());
        Table { title, columns, rows, notes: Vec::new() }
    }

    /// The table as HTML: sortable with JavaScript, readable without, and on a phone a card for each row. The title is a caption for
    /// screen readers only.
    pub fn to_html(&self) -> String {
        self.render().expect("writing to memory")
    }
}

impl Column {
    /// A text column.
    pub const fn words(head: &'static str) -> Column {
        Column { head, figures: false }
    }

    /// A numeric column.
    pub const fn figures(head: &'static str) -> Column {
        Column { head, figures: true }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell { text: text.into(), ..Cell::default() }
    }
}

impl Cell {
    /// A number in base SI units, in full precision.
    pub fn exact(number: Option<f64>) -> Cell {
        Cell { text: number.map(exact).unwrap_or_default(), number, ..Cell::default() }
    }

    /// Its number in full precision.
    pub fn digits(&self) -> Option<String> {
        self.number.map(exact)
    }

    /// The same with a numeric value.
    pub fn with_number(self, number: Option<f64>) -> Cell {
        Cell { number, ..self }
    }

    /// The same with another emphasis.
    pub fn toned(self, tone: Tone) -> Cell {
        Cell { tone, ..self }
    }
}

/// Cells of plain text.
pub fn cells<T: Into<Cell>>(texts: impl IntoIterator<Item = T>) -> Vec<Cell> {
    texts.into_iter().map(Into::into).collect()
}

/// The shortest text that parses to the same number: `2.95e-11`, `120`.
fn exact(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        format!("{number}")
    } else {
        format!("{number:?}")
    }
}
