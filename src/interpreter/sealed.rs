//! A secret as a program sees it: an object that can be placed, joined, chosen and encoded.

#![expect(unsafe_code, reason = "the derive macros of starlark write `unsafe impl ProvidesStaticType`")]

use super::encoders::{encode, wrong};
use super::log::Log;
use crate::script::Piece;
use crate::state::Encoder;
use allocative::Allocative;
use starlark::collections::StarlarkHasher;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::values::{
    Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, Value, starlark_value,
};
use starlark::{starlark_module, starlark_simple_value};
use std::cmp::Ordering;
use std::fmt;

/// Text that holds secrets, as pieces. What would look into it fails; where the interpreter cannot fail
/// (`str`, `%`, `if`), that it was asked is logged, and the run is refused.
#[derive(Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(super) struct Sealed {
    #[allocative(skip)]
    pub(super) pieces: Vec<Piece>,
    /// What it is called, `pillar.api.password`.
    pub(super) called: String,
    #[allocative(skip)]
    log: Log,
}

starlark_simple_value!(Sealed);

impl Sealed {
    /// One secret, whole.
    pub(super) fn secret(number: usize, called: String, log: &Log) -> Self {
        Self { pieces: vec![Piece::Secret(number, Vec::new())], called, log: log.clone() }
    }

    /// Clear text and secrets, joined.
    pub(super) fn joined(pieces: Vec<Piece>, called: String, log: &Log) -> Self {
        let mut all: Vec<Piece> = Vec::new();
        for piece in pieces {
            match (all.last_mut(), piece) {
                (Some(Piece::Clear(before)), Piece::Clear(text)) => before.push_str(&text),
                (_, piece) => all.push(piece),
            }
        }
        Self { pieces: all, called, log: log.clone() }
    }

    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    fn with(&self, before: &[Piece], after: &[Piece]) -> Self {
        let pieces = before.iter().chain(&self.pieces).chain(after).cloned().collect();
        Self::joined(pieces, self.called.clone(), &self.log)
    }

    /// Logs it, and returns the error.
    pub(super) fn refuse<T>(&self) -> starlark::Result<T> {
        self.log.peek(&self.called);
        Err(wrong(format!("this looks into the secret `{}`", self.called)))
    }

    /// The same with one more encoder.
    pub(super) fn encoded(&self, encoder: Encoder) -> Option<Self> {
        let [Piece::Secret(number, encoders)] = self.pieces.as_slice() else { return None };
        let mut encoders = encoders.clone();
        encoders.push(encoder);
        let pieces = vec![Piece::Secret(*number, encoders)];
        Some(Self { pieces, called: self.called.clone(), log: self.log.clone() })
    }
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.log.peek(&self.called);
        f.write_str("(sealed)")
    }
}

/// Text that is joined with a secret.
fn beside(value: Value) -> Option<Vec<Piece>> {
    match (value.unpack_str(), Sealed::from_value(value)) {
        (Some(""), _) => Some(Vec::new()),
        (Some(text), _) => Some(vec![Piece::Clear(text.to_owned())]),
        (None, Some(sealed)) => Some(sealed.pieces.clone()),
        (None, None) => None,
    }
}

#[starlark_value(type = "secret")]
impl<'v> StarlarkValue<'v> for Sealed {
    fn add(&self, rhs: Value<'v>, heap: Heap<'v>) -> Option<starlark::Result<Value<'v>>> {
        Some(Ok(heap.alloc(self.with(&[], &beside(rhs)?))))
    }

    fn radd(&self, lhs: Value<'v>, heap: Heap<'v>) -> Option<starlark::Result<Value<'v>>> {
        Some(Ok(heap.alloc(self.with(&beside(lhs)?, &[]))))
    }

    fn collect_repr(&self, collector: &mut String) {
        self.log.peek(&self.called);
        collector.push_str("(sealed)");
    }

    fn name_for_call_stack(&self, _me: Value<'v>) -> String {
        "(sealed)".to_owned()
    }

    fn to_bool(&self) -> bool {
        self.log.peek(&self.called);
        true
    }

    fn write_hash(&self, _hasher: &mut StarlarkHasher) -> starlark::Result<()> {
        self.refuse()
    }

    fn equals(&self, _other: Value<'v>) -> starlark::Result<bool> {
        self.refuse()
    }

    fn compare(&self, _other: Value<'v>) -> starlark::Result<Ordering> {
        self.refuse()
    }

    fn at(&self, _index: Value<'v>, _heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        self.refuse()
    }

    fn slice(
        &self,
        _start: Option<Value<'v>>,
        _stop: Option<Value<'v>>,
        _stride: Option<Value<'v>>,
        _heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        self.refuse()
    }

    fn iterate_collect(&self, _heap: Heap<'v>) -> starlark::Result<Vec<Value<'v>>> {
        self.refuse()
    }

    fn length(&self) -> starlark::Result<i32> {
        self.refuse()
    }

    fn is_in(&self, _other: Value<'v>) -> starlark::Result<bool> {
        self.refuse()
    }

    fn percent(&self, _other: Value<'v>, _heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        self.refuse()
    }

    fn get_methods() -> Option<&'static Methods> {
        Some(METHODS.methods())
    }
}

#[starlark_module]
#[allow(clippy::needless_pass_by_value, reason = "the macro wants values")]
fn methods(builder: &mut MethodsBuilder) {
    fn urlencode<'v>(this: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        encode(this, Encoder::UrlEncode, heap)
    }

    fn b64encode<'v>(this: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        encode(this, Encoder::B64Encode, heap)
    }

    fn tojson<'v>(this: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        encode(this, Encoder::ToJson, heap)
    }
}

starlark::methods_static!(METHODS = methods);
