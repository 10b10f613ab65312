//! Networks and volumes: calls whose answer alone does not say that all is well.

use super::call::{CallFailure, Caller};
use crate::engine::{Engine, EngineError, ErrorKind};
use crate::observed::Label;
use crate::plan::Action;
use crate::problem::{Code, Problem};
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl<E: Engine> Caller<'_, E> {
    /// Makes a network; one that was made by a call whose answer was lost is the same.
    pub(super) async fn create_network(&self, name: &str, body: &Value) -> Result<(), EngineError> {
        match self.engine.create_network(body).await {
            Err(_) if matches!(self.engine.network(name).await, Ok(Some(found)) if is(&found.labels, body)) => {
                Ok(())
            }
            other => other,
        }
    }

    /// Removes a network; fine if it is gone.
    pub(super) async fn remove_network(&self, id: &str) -> Result<(), EngineError> {
        match self.engine.remove_network(id).await {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// Makes a volume. The Engine answers with one that is there already, whatever it is.
    pub(super) async fn create_volume(
        &self,
        action: &Action,
        name: &str,
        body: &Value,
    ) -> Result<(), CallFailure> {
        match self.engine.make_volume(body).await {
            Ok(made) if is(&made.labels, body) => Ok(()),
            Ok(_) => {
                let what = format!("{action}: the host is not as the plan expects it");
                let problem = Problem::new(Code::Stale, what)
                    .cause(format!("volume {name} was created since the plan was made; it was not touched"))
                    .hint("plan again: 'pillarbox plan'");
                Err(problem.into())
            }
            Err(error) => Err(self.failed(action, &error)),
        }
    }

    /// A volume of that name with other labels is not ours: nothing is put into it.
    pub(super) async fn create_own_volume(
        &self,
        action: &Action,
        name: &str,
        labels: &BTreeMap<String, String>,
        memory: bool,
    ) -> Result<Vec<String>, CallFailure> {
        if let Some(whose) = labels.get(Label::SECRETS) {
            let there = self.engine.volumes(Label::SECRETS, whose).await;
            let there = there.map_err(|error| self.failed(action, &error))?;
            if there.iter().any(|volume| volume.name == name) {
                // What is in it, and who has it mounted, is not known.
                let what = format!("{action}: the host is not as the plan expects it");
                let problem = Problem::new(Code::Stale, what).cause("there is one, and it is in use");
                return Err(problem.hint("plan again: 'pillarbox plan'").into());
            }
        }
        let made = match memory {
            // tmpfs: what is in it is gone when no container has it mounted.
            true => {
                let options = json!({ "type": "tmpfs", "device": "tmpfs", "o": "mode=0755" });
                let body =
                    json!({ "Name": name, "Labels": labels, "Driver": "local", "DriverOpts": options });
                self.engine.make_volume(&body).await
            }
            false => self.engine.create_volume(name, labels).await,
        };
        match made {
            Ok(made) if made.labels == *labels => Ok(Vec::new()),
            Ok(_) => {
                let what = format!("{action} failed on host {}", self.host);
                let problem = Problem::failed(what)
                    .cause("a volume of that name exists that is not managed by pillarbox");
                Err(problem.hint(format!("look at it: 'docker volume inspect {name}'")).into())
            }
            Err(error) => Err(self.failed(action, &error)),
        }
    }
}

/// Whether what is there carries the labels that a body wants.
fn is(found: &BTreeMap<String, String>, body: &Value) -> bool {
    let same = |label: &str| found.get(label).map(String::as_str) == body["Labels"][label].as_str();
    let wanted = |label: &&str| body["Labels"][*label].is_string();
    [Label::WORKSPACE, Label::SPEC].iter().all(wanted)
        && [Label::WORKSPACE, Label::WORKSPACE_ID, Label::SPEC].into_iter().all(same)
}
