//! The table that every report is made of. A cell has the text that people read and, where it stands for one, the number in base SI
//! that machines read and tables are sorted by. Terminal, Markdown, CSV and HTML are four ways to write the same table down.

/// A table with a heading and remarks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What the table is of.
    pub title: String,
    /// Column heads.
    pub columns: Vec<Column>,
    /// Cells, a row each.
    pub rows: Vec<Vec<Cell>>,
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

impl Column {
    /// A column of words.
    pub fn words(head: &'static str) -> Column {
        Column { head, figures: false }
    }

    /// A column of figures.
    pub fn figures(head: &'static str) -> Column {
        Column { head, figures: true }
    }
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// What people read; it may have several lines.
    pub text: String,
    /// The number that it stands for, in base SI: joules for one hash, not for 10¹² of them.
    pub number: Option<f64>,
    /// How it is to be taken.
    pub tone: Tone,
    /// Where it comes from, for those who ask.
    pub about: Option<String>,
}

/// How a cell is to be taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As it stands.
    #[default]
    Plain,
    /// With a flag: true, and easily taken for more than it is.
    Flagged,
    /// Not at all: invalid, failed.
    Wrong,
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell { text, ..Cell::default() }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        text.to_string().into()
    }
}

impl Cell {
    /// A number, in base SI, as machines read it.
    pub fn exact(number: Option<f64>) -> Cell {
        Cell { text: number.map(exact).unwrap_or_default(), number, ..Cell::default() }
    }

    /// The same with the number that it stands for.
    pub fn worth(self, number: Option<f64>) -> Cell {
        Cell { number, ..self }
    }

    /// The same, to be taken so.
    pub fn toned(self, tone: Tone) -> Cell {
        Cell { tone, ..self }
    }

    /// The same with where it comes from.
    pub fn about(self, about: impl Into<String>) -> Cell {
        Cell { about: Some(about.into()), ..self }
    }
}

/// Cells of plain text.
pub fn cells<T: Into<Cell>>(texts: impl IntoIterator<Item = T>) -> Vec<Cell> {
    texts.into_iter().map(Into::into).collect()
}

/// All digits of a number, as few as give it back: `2.95e-11`, `120`.
pub fn exact(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        format!("{number}")
    } else {
        format!("{number:?}")
    }
}
