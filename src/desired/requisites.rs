//! What a declaration does because of others: `watch` and `onchanges`.

use super::Address;
use crate::problem::Place;

/// The requisites of an item, but for `require`, which is order alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requisites {
    /// Things whose change makes a container do something.
    pub watch: Vec<Watch>,
    /// Only what follows a change of one of these things is done to what is there.
    pub onchanges: Vec<Address>,
}

/// One `watch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The declaration that is watched.
    pub id: String,
    /// What it stands for on this host; empty where it is left out here.
    pub things: Vec<Address>,
    /// What is done.
    pub reaction: Reaction,
    /// The line that says so.
    pub place: Place,
}

/// What a container does when something that it watches was made anew; the last one that is wanted wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reaction {
    /// Its first process gets a signal, `SIGHUP`.
    Signal(String),
    /// It is stopped, with its signal and timeout, and started again.
    Restart,
    /// It is replaced.
    Replace,
}
