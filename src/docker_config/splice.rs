//! Changes of a text, remembered so that they can be undone to the byte.

use serde::{Deserialize, Serialize};

/// One change: what stood at a byte of the old text, and what stands there now. What `wire` makes is written to
/// a file of its own, and holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Splice {
    /// The byte in the text before the change.
    pub at: usize,
    /// What stood there.
    pub removed: String,
    /// What stands there now.
    pub inserted: String,
}

/// The text after changes that do not overlap and stand in order; `None` where the text is another one.
pub fn apply(text: &str, splices: &[Splice]) -> Option<String> {
    // Of its full size from the start: a text may hold secrets, and growing would leave copies behind.
    let room = splices.iter().map(|splice| splice.inserted.len()).sum::<usize>();
    let (mut out, mut from) = (String::with_capacity(text.len() + room), 0);
    for splice in splices {
        out.push_str(text.get(from..splice.at)?);
        from = splice.at + splice.removed.len();
        if text.get(splice.at..from)? != splice.removed {
            return None;
        }
        out.push_str(&splice.inserted);
    }
    out.push_str(text.get(from..)?);
    Some(out)
}

/// The text before changes; `None` where the text is not what they made.
pub fn undo(text: &str, splices: &[Splice]) -> Option<String> {
    let mut backwards = Vec::with_capacity(splices.len());
    let (mut grown, mut shrunk) = (0, 0);
    for splice in splices {
        backwards.push(Splice {
            at: (splice.at + grown).checked_sub(shrunk)?,
            removed: splice.inserted.clone(),
            inserted: splice.removed.clone(),
        });
        grown += splice.inserted.len();
        shrunk += splice.removed.len();
    }
    apply(text, &backwards)
}
