//! What Docker Compose writes on the containers that it makes. It finds them by these labels alone: neither a
//! rename nor another network hides one from it (measured with 2.26.1 and 2.40.3).

use super::Container;
use serde_json::Value;

/// The labels of Docker Compose on a container (docker/compose, `pkg/api/labels.go`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComposeLabels<'a> {
    /// The project.
    pub project: &'a str,
    /// The service.
    pub service: &'a str,
    /// It was made by `docker compose run`, and not by `up`.
    pub one_off: bool,
    /// Its files as the caller of Compose named them, absolute paths; empty if it does not say.
    pub config_files: &'a str,
}

impl Container {
    /// The labels of Compose, if it has them.
    pub fn compose(&self) -> Option<ComposeLabels<'_>> {
        let labels = self.inspect.compare("/Config/Labels").and_then(Value::as_object)?;
        let text = |name: &str| labels.get(&format!("com.docker.compose.{name}")).and_then(Value::as_str);
        Some(ComposeLabels {
            project: text("project")?,
            service: text("service")?,
            one_off: text("oneoff").is_some_and(|text| text.eq_ignore_ascii_case("true")),
            config_files: text("project.config_files").unwrap_or_default(),
        })
    }
}

impl ComposeLabels<'_> {
    /// Each of its files. The label joins them with commas, and a path may hold one: then it begins with no `/`
    /// and belongs to the one before.
    pub fn files(&self) -> Vec<String> {
        let mut files: Vec<String> = Vec::new();
        for part in self.config_files.split(',').filter(|part| !part.is_empty()) {
            match files.last_mut().filter(|_| !part.starts_with('/')) {
                Some(last) => {
                    last.push(',');
                    last.push_str(part);
                }
                None => files.push(part.to_owned()),
            }
        }
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_within_a_path_is_not_between_two() {
        for (label, files) in [
            ("", vec![]),
            ("/srv/shop/compose.yaml", vec!["/srv/shop/compose.yaml"]),
            ("/srv/a.yaml,/srv/b.yaml", vec!["/srv/a.yaml", "/srv/b.yaml"]),
            ("/srv/a,b/compose.yaml,/srv/c.yaml", vec!["/srv/a,b/compose.yaml", "/srv/c.yaml"]),
        ] {
            let labels = ComposeLabels { project: "p", service: "s", one_off: false, config_files: label };
            assert_eq!(labels.files(), files, "{label}");
        }
    }
}
