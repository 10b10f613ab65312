//! Plan files: a plan as JSON with the options it was made under. `apply FILE` plans afresh under the
//! same options and carries out the fresh plan, if the file says the same; so a file can stop an
//! apply, but never put a step into one.

use crate::plan::{FORMAT_VERSION, HostPlan, Plan};
use crate::problem::{Code, Problem, Problems, Result, escaped};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Options that decide what a plan says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct PlanOptions {
    /// `--prune`.
    #[serde(default)]
    pub prune: bool,
    /// `--fix-drift`.
    #[serde(default)]
    pub fix_drift: bool,
}

/// A plan read from a file: unknown fields are kept out, everything else is compared as it is.
#[derive(Clone, Debug)]
pub(in crate::cli) struct StoredPlan {
    /// Options it was made under.
    pub options: PlanOptions,
    /// Names of its hosts.
    pub hosts: Vec<String>,
    plan: Value,
}

/// A plan with its options, as it is stored and printed by `--json`.
pub(in crate::cli) fn to_json(plan: &Plan, options: &PlanOptions) -> Value {
    let mut value = serde_json::json!(plan);
    value["options"] = serde_json::json!(options);
    value
}

impl StoredPlan {
    /// Reads a plan file.
    ///
    /// # Errors
    /// Where it is not one, or one of another major version.
    pub(in crate::cli) fn parse(text: &str, file: &str) -> Result<Self> {
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

    /// Says whether a fresh plan is the stored one.
    ///
    /// # Errors
    /// [`Code::Stale`] with everything that moved.
    pub(in crate::cli) fn check(&self, fresh: &Plan) -> Result<()> {
        let mut moved = Vec::new();
        if self.plan["workspace"] != serde_json::json!(fresh.workspace) {
            moved.push(format!("it was made for the workspace {}", shown(&self.plan["workspace"])));
        }
        for host in &fresh.hosts {
            let stored = self.plan["hosts"].as_array().into_iter().flatten();
            match stored.filter(|stored| stored["host"] == host.host.as_str()).collect::<Vec<_>>().as_slice()
            {
                [stored] => moved.extend(moved_on(stored, host)),
                [] => moved.push(format!("{}: it is not in the stored plan", host.host)),
                _ => moved.push(format!("{}: it is in the stored plan twice", host.host)),
            }
        }
        if moved.is_empty() {
            return Ok(());
        }
        let stale = moved.into_iter().fold(
            Problem::new(Code::Stale, "the stored plan no longer fits; nothing was changed"),
            Problem::cause,
        );
        Problems::check(vec![
            stale.hint("look at what would change now, and store it again: pillarbox plan -o FILE"),
        ])
    }
}

/// What differs on one host, in words.
fn moved_on(stored: &Value, host: &HostPlan) -> Vec<String> {
    let fresh = serde_json::json!(host);
    let name = &host.host;
    let differs = |field: &str| stored[field] != fresh[field];
    let mut moved = Vec::new();
    if differs("engine") {
        moved.push(format!(
            "{name}: its engine was {}, it is {}",
            shown(&stored["engine"]),
            shown(&fresh["engine"])
        ));
    }
    if differs("engine_id") {
        moved.push(format!("{name}: another Engine answers there"));
    }
    let list = |value: &Value, field: &str| value[field].as_array().cloned().unwrap_or_default();
    let (old, new) = (list(stored, "changes"), list(&fresh, "changes"));
    let of = |all: &[Value], address: &Value| all.iter().find(|one| one["address"] == *address).cloned();
    for change in &old {
        match of(&new, &change["address"]) {
            Some(now) if now == *change => {}
            Some(now) => moved.push(format!(
                "{name}: {}: it was `{}`, it is `{}`",
                shown(&change["address"]),
                cause(change),
                cause(&now)
            )),
            None => {
                moved.push(format!("{name}: {}: nothing is planned for it now", shown(&change["address"])))
            }
        }
    }
    for change in new.iter().filter(|change| of(&old, &change["address"]).is_none()) {
        moved.push(format!("{name}: {}: it is new: {}", shown(&change["address"]), cause(change)));
    }
    // The same words for other steps: a container was made anew, a secret has another id.
    if moved.is_empty() && (differs("steps") || differs("receivers")) {
        let (old, new) = (list(stored, "steps"), list(&fresh, "steps"));
        let first = new.iter().zip(&old).find(|(new, old)| new != old).map(|(new, _)| new);
        let group = first.or(new.last()).or(old.last()).map(|step| shown(&step["group"]));
        moved.push(format!(
            "{name}: what it would act on is not the same any more: {}",
            group.unwrap_or_default()
        ));
    }
    moved
}

fn shown(value: &Value) -> String {
    escaped(value.as_str().unwrap_or("nothing"))
}

fn cause(change: &Value) -> String {
    let causes = change["cause"].as_array().into_iter().flatten();
    causes.map(shown).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::{HostName, WorkspaceName};
    use crate::plan::{Action, Cause, Change, Step, Target, Verb};

    fn plan(cause: Cause, id: &str) -> Plan {
        let action =
            Action::Stop { container: Target::Id(id.to_owned()), name: "nginx".to_owned(), timeout: None };
        Plan {
            format_version: FORMAT_VERSION.to_owned(),
            workspace: WorkspaceName::parse("shop").expect("a name"),
            hosts: vec![HostPlan {
                host: HostName::parse("web1").expect("a name"),
                engine: "unix:///run/docker.sock".to_owned(),
                engine_id: "ID".to_owned(),
                changes: vec![Change {
                    address: "container nginx".to_owned(),
                    actions: vec![Verb::Remove],
                    cause: vec![cause],
                    before: None,
                    after: None,
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
                receivers: Vec::new(),
                notes: Vec::new(),
            }],
        }
    }

    fn stored(plan: &Plan) -> StoredPlan {
        let text = to_json(plan, &PlanOptions { prune: true, fix_drift: false }).to_string();
        StoredPlan::parse(&text, "plan.json").expect("a plan file")
    }

    fn why(stored: &StoredPlan, fresh: &Plan) -> Vec<String> {
        let problems = stored.check(fresh).expect_err("stale");
        assert_eq!(problems.code(), Code::Stale);
        problems.into_vec().remove(0).causes
    }

    #[test]
    fn a_plan_reads_back_as_itself_with_its_options() {
        let fresh = plan(Cause::Unwanted, "1");
        let stored = stored(&fresh);
        assert_eq!(stored.check(&fresh), Ok(()));
        assert_eq!((stored.options.prune, stored.hosts.as_slice()), (true, &["web1".to_owned()][..]));
    }

    #[test]
    fn whatever_moved_is_named() {
        let stored = stored(&plan(Cause::Unwanted, "1"));
        assert_eq!(
            why(&stored, &plan(Cause::Undeclared, "1")),
            ["web1: container nginx: it was `declared absent`, it is `no state declares it any more`"]
        );
        assert_eq!(
            why(&stored, &plan(Cause::Unwanted, "2")),
            ["web1: what it would act on is not the same any more: remove nginx"]
        );
        let mut other = plan(Cause::Unwanted, "1");
        other.hosts[0].engine_id = "OTHER".to_owned();
        assert_eq!(why(&stored, &other), ["web1: another Engine answers there"]);
        let mut other = plan(Cause::Unwanted, "1");
        other.hosts[0].steps.clear();
        other.hosts[0].changes.clear();
        assert_eq!(why(&stored, &other), ["web1: container nginx: nothing is planned for it now"]);
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
