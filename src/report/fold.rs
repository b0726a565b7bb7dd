//! Text in lines that fit.

/// The text with its lines broken at spaces, so that none is wider than `width` unless a word is.
pub fn fold(text: &str, width: usize) -> String {
    let mut out = String::new();
    for line in text.split('\n') {
        let mut used = 0;
        for (i, word) in line.split(' ').enumerate() {
            let long = word.chars().count();
            if i > 0 && used + 1 + long > width {
                out.push('\n');
                used = 0;
            } else if i > 0 {
                out.push(' ');
                used += 1;
            }
            out.push_str(word);
            used += long;
        }
        out.push('\n');
    }
    out.pop();
    out
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn lines_fit_and_nothing_is_lost() {
        let text = "a bb ccc dddd\nee ffffffffff g";
        assert_eq!(fold(text, 6), "a bb\nccc\ndddd\nee\nffffffffff\ng");
        assert_eq!(fold(text, 80), text);
        assert_eq!(fold("", 5), "");
    }
}
