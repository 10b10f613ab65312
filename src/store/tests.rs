//! Tests of the store on real folders, with faults put between any two steps.

mod faults;
pub(super) use faults::Faults;
