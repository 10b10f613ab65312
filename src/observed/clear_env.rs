//! What was in the environment of a container of ours in clear.

use super::Container;
use crate::desired::Spec;
use serde_json::Value;
use std::collections::BTreeMap;

impl Container {
    /// The variables that were declared in clear when it was made: whose value has the fingerprint that its
    /// labels say. A secret has that of its id, so it is never among them, and neither is what an image brought.
    pub fn clear_env(&self) -> BTreeMap<String, String> {
        let Some(labels) = &self.ours else { return BTreeMap::new() };
        let env = self.inspect.compare("/Config/Env").and_then(Value::as_array);
        let pairs = env.into_iter().flatten().filter_map(|pair| pair.as_str()?.split_once('='));
        let clear = pairs.filter_map(|(name, value)| {
            let field = format!("env.{name}");
            let print = Spec::field_fingerprint(&field, Value::from(value));
            (labels.fields.get(&field) == Some(&print)).then(|| (field, value.to_owned()))
        });
        clear.collect()
    }
}
