//! Layout of the document: short values and columns of numbers are written in one line.

use serde::Serialize;
use serde_json::{Value, json};

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
    let inline = value.to_string();
    let (open, close, members): (_, _, Vec<(String, &Value)>) = match value {
        _ if inline.len() <= WIDTH => return text.push_str(&inline),
        Value::Object(members) => {
            let name = |name: &String| format!("{}:", json!(name));
            ('{', '}', members.iter().map(|(member, value)| (name(member), value)).collect())
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            ('[', ']', items.iter().map(|item| (String::new(), item)).collect())
        }
        _ => return text.push_str(&inline),
    };
    text.push(open);
    for (i, (name, value)) in members.iter().enumerate() {
        let comma = if i > 0 { "," } else { "" };
        *text += &format!("{comma}\n{:1$}{name}", "", depth + 1);
        lay_out(value, depth + 1, text);
    }
    *text += &format!("\n{:1$}{close}", "", depth);
}

#[cfg(test)]
mod tests {
    use super::*;

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
