//! How a declaration reacts to others: `watch` and `onchanges`.

use super::Address;
use crate::problem::Place;

/// The requisites of an item, except `require`, which is only order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requisites {
    /// Resources that a container watches.
    pub watch: Vec<Watch>,
    /// An existing resource is changed only together with one of these.
    pub onchanges: Vec<Address>,
}

/// One `watch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The declaration that is watched.
    pub id: String,
    /// Its resources on this host; empty if it is left out here.
    pub things: Vec<Address>,
    /// What is done.
    pub reaction: Reaction,
    /// The line that says so.
    pub place: Place,
}

/// The reaction of a container when a resource that it watches is new; of several, the last in this order wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reaction {
    /// Its first process gets a signal, `SIGHUP`.
    Signal(String),
    /// It is stopped, with its signal and timeout, and started again.
    Restart,
    /// It is replaced.
    Replace,
}
