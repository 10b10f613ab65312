//! `NAME=value` in one text, of which the value may be secret and the name not.

use crate::state::{Segment, Text};

/// The name, and the value if there is one; `None` if the name is not clear.
pub(super) fn split(text: &Text, by: char) -> Option<(String, Option<Text>)> {
    let mut segments = text.segments().iter();
    let first = match segments.next() {
        None => "",
        Some(Segment::Clear(first)) => first,
        Some(Segment::Secret(_)) => return None,
    };
    match first.split_once(by) {
        Some((name, rest)) => {
            let rest = std::iter::once(Segment::Clear(rest.to_owned())).chain(segments.cloned());
            Some((name.to_owned(), Some(Text::from_segments(rest))))
        }
        None if segments.next().is_some() => None,
        None => Some((first.to_owned(), None)),
    }
}
