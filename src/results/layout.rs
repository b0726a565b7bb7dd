//! How the document is laid out: indented, but numbers side by side, since a row has thousands of readings.

use super::wire::Document;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;
use std::io::{Result, Write};

/// The document as it is written.
pub fn text(document: &Document) -> String {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, Layout::default());
    document.serialize(&mut serializer).expect("documents are plain data");
    text.push(b'\n');
    String::from_utf8(text).expect("JSON is text")
}

/// Each field of an object has a line, each object of an array begins one.
#[derive(Default)]
struct Layout(Vec<Open>);

/// What is open, from the outermost.
enum Open {
    Object { empty: bool },
    Array { of_objects: bool },
}

impl Layout {
    fn line<W: ?Sized + Write>(&self, writer: &mut W) -> Result<()> {
        let is_indented = |open: &&Open| !matches!(open, Open::Array { of_objects: false });
        let depth = self.0.iter().filter(is_indented).count();
        write!(writer, "\n{:1$}", "", 2 * depth)
    }
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> Result<()> {
        self.0.push(Open::Array { of_objects: false });
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> Result<()> {
        if let Some(Open::Array { of_objects: true }) = self.0.pop() {
            self.line(writer)?;
        }
        writer.write_all(b"]")
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> Result<()> {
        if let Some(Open::Array { of_objects }) = self.0.last_mut() {
            *of_objects = true;
            self.line(writer)?;
        }
        self.0.push(Open::Object { empty: true });
        writer.write_all(b"{")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> Result<()> {
        if let Some(Open::Object { empty }) = self.0.last_mut() {
            *empty = false;
        }
        writer.write_all(if first { b"" } else { b"," })?;
        self.line(writer)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> Result<()> {
        writer.write_all(b": ")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> Result<()> {
        if let Some(Open::Object { empty: false }) = self.0.pop() {
            self.line(writer)?;
        }
        writer.write_all(b"}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_stand_side_by_side_and_objects_below_each_other() {
        let value = json!({"a": [1, 2.5], "b": [{"c": [[1], []]}, {}], "d": {}, "e": []});
        let mut text = Vec::new();
        let mut serializer = Serializer::with_formatter(&mut text, Layout::default());
        value.serialize(&mut serializer).unwrap();
        let text = String::from_utf8(text).unwrap();
        let expected = "{\n  \"a\": [1,2.5],\n  \"b\": [\n    {\n      \"c\": [[1],[]]\n    },\n    {}\n  ],\n  \
                        \"d\": {},\n  \"e\": []\n}";
        assert_eq!(text, expected);
    }
}
