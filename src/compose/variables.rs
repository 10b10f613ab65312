//! The variables of a project: those of the inventory, then those of the pillar. Never those of the caller's shell:
//! two people would get two plans.

use super::interpolate::Variables;
use crate::pillar::{Node, Value};
use crate::problem::Place;
use crate::state::{SecretRef, Text};
use std::collections::BTreeMap;

/// The variables of one project on one host.
pub(super) struct ProjectVariables<'a> {
    pub(super) project: &'a str,
    pub(super) vars: &'a BTreeMap<String, (Text, Vec<Place>)>,
    pub(super) pillar: &'a Node,
}

impl Variables for ProjectVariables<'_> {
    fn value(&self, name: &str) -> Option<(Text, Vec<Place>)> {
        if let Some(found) = self.vars.get(name) {
            return Some(found.clone());
        }
        if name == "COMPOSE_PROJECT_NAME" {
            return Some((Text::clear(self.project), Vec::new()));
        }
        text(self.pillar.at(["vars", self.project, name])?)
    }

    fn pillar(&self, key: &str) -> Option<(Text, Vec<Place>)> {
        text(self.pillar.at(key.split('.'))?)
    }

    fn hint(&self, name: &str) -> String {
        format!("pillarbox set vars.{}.{name} VALUE", self.project)
    }
}

/// A value of the pillar as a text, with its line; a sealed one as a reference.
fn text(node: &Node) -> Option<(Text, Vec<Place>)> {
    let text = match &node.value {
        Value::String(text) | Value::Datetime(text) => Text::clear(text),
        Value::Integer(number) => Text::clear(number.to_string()),
        Value::Boolean(truth) => Text::clear(truth.to_string()),
        Value::Sealed(sealed) => Text::secret(SecretRef {
            origin: sealed.origin.clone(),
            id: sealed.id.clone(),
            encoders: Vec::new(),
        }),
        // `1.10` without quotes is 1.1: no text that was meant.
        Value::Float(_) | Value::Array(_) | Value::Table(_) => return None,
    };
    Some((text, vec![node.place.clone()]))
}
