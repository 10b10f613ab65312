//! A secret as an expression sees it: an object without text, order or parts.

use super::log::Log;
use crate::state::{Encoder, SecretRef, Segment, Text};
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Value};
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// A secret, or text joined around secrets. It contains only references; still, an expression that asks
/// for its text, compares it or drops it is refused, because its result would not be what it
/// says.
pub(super) struct Opaque {
    /// Its number in the log.
    number: usize,
    /// Looks that are whole within this one.
    within: Vec<usize>,
    text: Text,
    log: Log,
}

impl Opaque {
    /// A secret at a path.
    pub(super) fn secret(secret: SecretRef, path: String, log: &Log) -> Value {
        Self::text(Text::secret(secret), path, Vec::new(), log)
    }

    /// Text with secrets in it, made from the looks `within`.
    pub(super) fn text(text: Text, path: String, within: Vec<usize>, log: &Log) -> Value {
        let number = log.look(path);
        Value::from_object(Self { number, within, text, log: log.clone() })
    }

    /// The one in a value, if it is one.
    pub(super) fn of(value: &Value) -> Option<&Self> {
        value.downcast_object_ref::<Self>()
    }

    /// The text. Its reads are whole in the result: their numbers go to `whole`.
    pub(super) fn take(&self, whole: &mut Vec<usize>) -> &Text {
        whole.push(self.number);
        whole.extend_from_slice(&self.within);
        &self.text
    }

    /// The same secret with one more encoder; `None` if it is joined text.
    pub(super) fn encoded(&self, encoder: Encoder) -> Option<Value> {
        let [Segment::Secret(secret)] = self.text.segments() else { return None };
        let mut secret = secret.clone();
        secret.encoders.push(encoder);
        let text = Text::secret(secret);
        Some(Value::from_object(Self {
            number: self.number,
            within: self.within.clone(),
            text,
            log: self.log.clone(),
        }))
    }

    /// It was dropped without being looked into.
    pub(super) fn excuse(&self) {
        self.log.excuse(self.number);
        self.within.iter().for_each(|number| self.log.excuse(*number));
    }

    /// It was asked for what it says.
    pub(super) fn peek(&self) {
        self.log.peek(self.number);
        self.within.iter().for_each(|number| self.log.peek(*number));
    }
}

/// Containers print their items by `Debug`, so this counts as asking for the text too.
impl fmt::Debug for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.peek();
        f.write_str("(sealed)")
    }
}

impl Object for Opaque {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        self.peek();
        other.peek();
        Some(self.number.cmp(&other.number))
    }

    /// Never fails: `~` and `upper` panic on an error here (minijinja formats with `to_string`).
    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.peek();
        f.write_str("(sealed)")
    }
}
