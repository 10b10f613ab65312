//! Plan files: a plan as JSON with the options it was made under. `apply FILE` plans afresh under the
//! same options and carries out the fresh plan, if the file says the same; so a file can stop an
//! apply, but never put a step into one.

use crate::name::HostName;
use crate::plan::{FORMAT_VERSION, Plan, compare};
use crate::problem::{Code, Problem, Problems, Result, escaped};
use crate::rollout::BatchSizes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Differences of a stale plan that are named.
const MOVED_SHOWN: usize = 4;

/// Options that decide what a plan says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanOptions {
    /// `--prune`.
    #[serde(default)]
    pub prune: bool,
    /// `--fix-drift`.
    #[serde(default)]
    pub fix_drift: bool,
    /// `--only`: these resources and what they require; all where it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// `--batch-size`; as the groups say where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<BatchSizes>,
    /// `--service`: globs of services that are planned with what they require; all where it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// `--offline`; such a plan is not stored.
    #[serde(skip)]
    pub offline: bool,
}

/// A plan read from a file: unknown fields are kept out, everything else is compared as it is.
#[derive(Clone, Debug)]
pub struct StoredPlan {
    /// Options it was made under.
    pub options: PlanOptions,
    /// Names of its hosts.
    pub hosts: Vec<String>,
    plan: Value,
}

/// A plan with its options, as it is stored and printed by `--json`.
pub fn to_json(plan: &Plan, options: &PlanOptions) -> Value {
    let mut value = serde_json::json!(plan);
    value["options"] = serde_json::json!(options);
    value
}

impl StoredPlan {
    /// Reads a plan file.
    ///
    /// # Errors
    /// Where it is not one, or one of another major version.
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        let wrong = || Problem::failed(format!("`{}` is not a plan file", escaped(file)));
        let plan: Value = serde_json::from_str(text).map_err(|error| wrong().because(&error))?;
        let version = plan["format_version"].as_str().unwrap_or_default();
        if version.split('.').next() != FORMAT_VERSION.split('.').next() {
            let why = format!("its format_version is `{}`, this is {FORMAT_VERSION}", escaped(version));
            return Err(wrong().cause(why).hint("make it again: pillarbox plan -o FILE").into());
        }
        let options = match plan.get("options") {
            Some(options) => {
                serde_json::from_value(options.clone()).map_err(|error| wrong().because(&error))?
            }
            None => PlanOptions::default(),
        };
        let hosts = plan["hosts"].as_array().ok_or_else(|| wrong().cause("it has no list `hosts`"))?;
        let hosts = hosts.iter().filter_map(|host| host["host"].as_str().map(ToOwned::to_owned)).collect();
        Ok(Self { options, hosts, plan })
    }

    /// Its hosts, if the inventory has them all.
    ///
    /// # Errors
    /// [`Code::Stale`] with those that it has not.
    pub fn known_hosts<T>(&self, inventory: &BTreeMap<HostName, T>) -> Result<Vec<String>> {
        let known = |host: &String| inventory.keys().any(|name| name.as_str() == host);
        let gone = self.hosts.iter().filter(|host| !known(host)).map(|host| {
            Problem::new(
                Code::Stale,
                format!(
                    "the stored plan names a host that is not in the inventory any more: {}",
                    escaped(host)
                ),
            )
        });
        Problems::check(gone.collect()).map(|()| self.hosts.clone())
    }

    /// Says whether a fresh plan is the stored one.
    ///
    /// # Errors
    /// [`Code::Stale`] with everything that moved.
    pub fn check(&self, fresh: &Plan) -> Result<()> {
        compare(&self.plan, fresh).map_err(in_one)
    }
}

/// Many small differences as one problem: a reader looks at a new plan next, not at a long list.
fn in_one(problems: Problems) -> Problems {
    if problems.code() != Code::Stale {
        return problems;
    }
    let moved: Vec<String> = problems
        .iter()
        .map(|problem| {
            let what = problem.what.strip_prefix("the plan is stale: ").unwrap_or(&problem.what);
            std::iter::once(what)
                .chain(problem.causes.iter().map(String::as_str))
                .collect::<Vec<_>>()
                .join(": ")
        })
        .collect();
    let more = moved.len().saturating_sub(MOVED_SHOWN);
    let stale = Problem::new(Code::Stale, "the stored plan no longer fits; nothing was changed");
    let mut stale = moved.into_iter().take(MOVED_SHOWN).fold(stale, Problem::cause);
    if more > 0 {
        stale = stale.cause(format!("and {more} more differences"));
    }
    stale.hint("store a new one and look at it: pillarbox plan -o FILE").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::WorkspaceName;
    use crate::plan::{Action, Cause, Change, HostPlan, PlanBody, Step, Target, Verb};

    fn plan(cause: Cause, id: &str) -> Plan {
        let action =
            Action::Stop { container: Target::Id(id.to_owned()), name: "nginx".to_owned(), timeout: None };
        Plan::new(
            WorkspaceName::parse("shop").expect("a name"),
            vec![HostPlan::new(
                HostName::parse("web1").expect("a name"),
                "unix:///run/docker.sock".to_owned(),
                "ID".to_owned(),
                PlanBody {
                    changes: vec![Change {
                        address: "container nginx".to_owned(),
                        actions: vec![Verb::Remove],
                        cause: vec![cause],
                        before: None,
                        after: None,
                        files: Vec::new(),
                    }],
                    steps: vec![Step {
                        id: 1,
                        group: "remove nginx".to_owned(),
                        action,
                        needs: Vec::new(),
                        cause: Cause::Unwanted,
                        expects: Vec::new(),
                        undo: Vec::new(),
                    }],
                    ..PlanBody::default()
                },
            )],
        )
    }

    fn stored(plan: &Plan) -> StoredPlan {
        let text = to_json(plan, &PlanOptions { prune: true, ..PlanOptions::default() }).to_string();
        StoredPlan::parse(&text, "plan.json").expect("a plan file")
    }

    #[test]
    fn a_plan_reads_back_as_itself_with_its_options() {
        let fresh = plan(Cause::Unwanted, "1");
        let stored = stored(&fresh);
        assert_eq!(stored.check(&fresh), Ok(()));
        assert_eq!((stored.options.prune, stored.hosts.as_slice()), (true, &["web1".to_owned()][..]));
    }

    #[test]
    fn whatever_moved_makes_it_stale() {
        let stored = stored(&plan(Cause::Unwanted, "1"));
        for fresh in [plan(Cause::Undeclared, "1"), plan(Cause::Unwanted, "2")] {
            assert_eq!(stored.check(&fresh).expect_err("stale").code(), Code::Stale);
        }
    }

    #[test]
    fn a_step_written_into_a_file_stops_the_apply() {
        let fresh = plan(Cause::Unwanted, "1");
        let mut text = to_json(&fresh, &PlanOptions::default());
        let mut step = text["hosts"][0]["steps"][0].clone();
        step["action"]["container"]["id"] = "stranger".into();
        text["hosts"][0]["steps"].as_array_mut().expect("steps").push(step);
        let stored = StoredPlan::parse(&text.to_string(), "plan.json").expect("a plan file");
        assert!(stored.check(&fresh).is_err());
    }

    #[test]
    fn what_is_no_plan_file_is_refused() {
        for text in ["", "{}", "[]", r#"{"format_version":"2.0","hosts":[]}"#, r#"{"format_version":"1.0"}"#]
        {
            assert!(StoredPlan::parse(text, "plan.json").is_err(), "{text}");
        }
    }
}
