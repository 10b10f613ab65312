//! HTML that is being written. Markup is text of this program, known when it is compiled; everything
//! else is escaped. So nothing from outside can open a tag or an attribute.

use crate::problem::escaped;
use std::fmt::{Display, Write as _};

/// A piece of a page.
#[derive(Clone, Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Markup of this program.
    pub(super) fn markup(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text from anywhere, between tags or in a quoted attribute.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for c in escaped(text).chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
        self
    }

    /// A number.
    pub(super) fn number<N: Number>(&mut self, number: N) -> &mut Self {
        let _ = write!(self.0, "{number}");
        self
    }

    /// Bytes so far.
    pub(super) fn length(&self) -> usize {
        self.0.len()
    }

    /// The whole.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// What is written as digits.
pub(super) trait Number: Display + Copy {}
impl Number for i32 {}
impl Number for u32 {}
impl Number for usize {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a browser makes of it.
    fn read(html: &str) -> String {
        let names = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
        names.iter().fold(html.to_owned(), |text, (name, by)| text.replace(name, by))
    }

    proptest! {
        #[test]
        fn any_text_stays_text_and_reads_as_it_was(text in r#"([<>&"'=/ !;#-]|[a-z]|\PC|\p{Cc}){0,60}"#) {
            let mut html = Html::default();
            html.text(&text);
            let html = html.finish();
            prop_assert!(!html.contains(['<', '>', '"', '\'']), "{}", html);
            prop_assert!(!html.chars().any(char::is_control), "{}", html);
            prop_assert_eq!(read(&html), escaped(&text));
        }
    }
}
