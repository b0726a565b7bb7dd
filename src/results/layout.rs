//! Layout of the document: short values and columns of numbers are written in one line.

use serde::Serialize;
use serde_json::Value;

/// Maximum width of a value that is written in one line.
const WIDTH: usize = 100;

/// Serializes the document.
pub fn text(document: &impl Serialize) -> String {
    let mut text = String::new();
    lay_out(&serde_json::to_value(document).expect("documents are plain data"), 0, &mut text);
    text.push('\n');
    text
}

fn lay_out(value: &Value, depth: usize, text: &mut String) {
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', depth));
    };
    let inline = value.to_string();
    let is_column = |items: &[Value]| items.iter().all(|item| !item.is_object());
    match value {
        _ if inline.len() <= WIDTH => text.push_str(&inline),
        Value::Object(members) => {
            text.push('{');
            for (i, (name, value)) in members.iter().enumerate() {
                text.push_str(if i > 0 { "," } else { "" });
                line(text, depth + 1);
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                lay_out(value, depth + 1, text);
            }
            line(text, depth);
            text.push('}');
        }
        Value::Array(items) if !is_column(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                text.push_str(if i > 0 { "," } else { "" });
                line(text, depth + 1);
                lay_out(item, depth + 1, text);
            }
            line(text, depth);
            text.push(']');
        }
        _ => text.push_str(&inline),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn short_values_and_columns_are_written_in_one_line() {
        let column: Vec<u32> = (0..60).collect();
        let value = json!({"a": column, "b": [{"c": "x".repeat(60)}, {"c": "y".repeat(60)}], "d": {"e": 1}});
        let mut text = String::new();
        lay_out(&value, 0, &mut text);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].starts_with(" \"a\":[0,1,2,") && lines[1].ends_with("59],"), "{text}");
        assert_eq!((lines.len(), lines[3].starts_with("  {\"c\":\"x")), (8, true), "{text}");
        assert_eq!(lines[6], " \"d\":{\"e\":1}", "{text}");
    }
}
