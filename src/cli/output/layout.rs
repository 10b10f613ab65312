//! Words put into lines of a terminal's width.

/// Breaks text at spaces so that no line is longer than `width` columns, if any width is given; a
/// single word that is longer stands alone. At least one line.
pub(in crate::cli) fn wrap(text: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width else { return vec![text.to_owned()] };
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let used = columns(&lines[last]);
        if used > 0 && used + 1 + columns(word) > width {
            lines.push(word.to_owned());
        } else {
            if used > 0 {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines
}

/// Cuts text to a number of columns; the cut is shown.
pub(in crate::cli) fn cut(text: &str, width: Option<usize>) -> String {
    match width {
        Some(width) if columns(text) > width => {
            text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
        }
        _ => text.to_owned(),
    }
}

/// Columns that a text takes; every character counts one.
pub(in crate::cli) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// Text with spaces after it up to a number of columns.
pub(in crate::cli) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn wrapping_loses_no_word_and_keeps_the_width(words in prop::collection::vec("[a-zü]{1,12}", 1..20), width in 12_usize..60) {
            let text = words.join(" ");
            let lines = wrap(&text, Some(width));
            prop_assert_eq!(lines.join(" "), text);
            prop_assert!(lines.iter().all(|line| columns(line) <= width));
        }
    }

    #[test]
    fn a_cut_is_shown() {
        assert_eq!(cut("äbcdef", Some(4)), "äbc…");
        assert_eq!(cut("äbcd", Some(4)), "äbcd");
    }
}
