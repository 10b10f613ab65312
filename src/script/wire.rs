//! The input and output of the child process: JSON, one document in and lines out.

use crate::state::Encoder;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that is run in one child process.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Request {
    /// Every file that may be run or loaded: path in the workspace (`states/nginx.star`) and text.
    pub files: BTreeMap<String, String>,
    /// For whom.
    pub hosts: Vec<Host>,
}

/// A host and the files that are run for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Host {
    /// Its name in the inventory.
    pub name: String,
    /// Files of [`Request::files`], in order.
    pub runs: Vec<String>,
    /// Its pillar without `registries`, a table.
    pub pillar: Given,
    /// `host`, a table.
    pub host: Given,
    /// `grains`: the same by the names of Salt as well.
    pub grains: Given,
    /// Whether `host` has the facts that only the host's Engine knows.
    pub asked: bool,
}

/// A value in the input of a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Given {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// The bits of a number with a fraction: JSON has no infinity.
    Float(u64),
    /// True or false.
    Boolean(bool),
    /// A list.
    List(Vec<Given>),
    /// A table.
    Table(BTreeMap<String, Given>),
    /// A secret, by its number in the pillar ([`super::secrets`]).
    Secret(usize),
}

/// A line of the child's answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Line {
    /// This file is now run for this host (by its index); if the child ends now, this file is the cause.
    Begin {
        /// Index into [`Request::hosts`].
        host: usize,
        /// The file.
        file: String,
    },
    /// Its result.
    End(Outcome),
    /// The end of the answer.
    Done,
}

/// The result of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// Its states.
    Ran(Ran),
    /// It used a fact that only the host's Engine knows.
    NeedsFacts,
    /// Its errors.
    Failed(Vec<Fault>),
    /// This program has no interpreter.
    NotBuiltIn,
}

/// The result of a file that succeeded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ran {
    /// What `run` returned.
    pub states: Value,
    /// Paths of clear values of the pillar that it read, in order.
    pub read: Vec<Vec<String>>,
    /// What it printed, and notes for the user.
    pub notes: Vec<String>,
}

/// A value that `run` returned, with its place in the file if that is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Value {
    /// File and line.
    pub at: Option<(String, u32)>,
    /// What it is.
    pub part: Part,
}

/// The data of a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Part {
    /// `None`.
    None,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// The bits of a number with a fraction.
    Float(u64),
    /// Text: pieces in order.
    Text(Vec<Piece>),
    /// A list or tuple.
    List(Vec<Value>),
    /// A dict in its order.
    Table(Vec<(String, Value)>),
}

/// A piece of text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Piece {
    /// As it reads.
    Clear(String),
    /// A secret by its number, and what is put on it when it is opened.
    Secret(usize, Vec<Encoder>),
}

/// An error in a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The error in one sentence.
    pub what: String,
    /// File and line, if they are known.
    pub at: Option<(String, u32)>,
    /// Why, from near to far.
    pub causes: Vec<String>,
    /// What to do.
    pub hints: Vec<String>,
}
