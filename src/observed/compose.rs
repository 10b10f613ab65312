//! What Docker Compose writes on the containers that it makes. It finds them by these labels alone: neither a
//! rename nor another network hides one from it (measured with 2.26.1 and 2.40.3).

use std::collections::BTreeMap;

/// The labels of Docker Compose on a container (docker/compose, `pkg/api/labels.go`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComposeLabels {
    /// The project.
    pub project: String,
    /// The service.
    pub service: String,
    /// Which container of the service it is, from 1; 0 where it does not say.
    pub number: u32,
    /// It was made by `docker compose run`, and not by `up`.
    pub one_off: bool,
    /// Its files as the caller of Compose named them; empty where it does not say.
    config_files: String,
}

impl ComposeLabels {
    /// Those among all labels of a container. Without `oneoff` it was made from an image that Compose built, which
    /// hands on the other labels, and not by Compose.
    pub fn read(labels: &BTreeMap<String, String>) -> Option<Self> {
        let text = |name: &str| labels.get(&format!("com.docker.compose.{name}")).cloned();
        Some(Self {
            project: text("project")?,
            service: text("service")?,
            number: text("container-number").and_then(|text| text.parse().ok()).unwrap_or_default(),
            one_off: text("oneoff")?.eq_ignore_ascii_case("true"),
            config_files: text("project.config_files").unwrap_or_default(),
        })
    }

    /// Each of its files, absolute paths where Compose ran. The label joins them with commas, and a path may hold
    /// one: then what follows begins with no `/` and belongs to it.
    pub fn files(&self) -> Vec<String> {
        let mut files: Vec<String> = Vec::new();
        for part in self.config_files.split(',').filter(|part| !part.is_empty()) {
            if part.starts_with('/') {
                files.push(part.to_owned());
            } else if let Some(last) = files.last_mut() {
                last.push(',');
                last.push_str(part);
            }
        }
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Option<ComposeLabels> {
        let named =
            |(name, value): &(&str, &str)| (format!("com.docker.compose.{name}"), (*value).to_owned());
        ComposeLabels::read(&pairs.iter().map(named).collect())
    }

    #[test]
    fn a_comma_within_a_path_is_not_between_two() {
        for (label, files) in [
            ("", vec![]),
            ("/srv/shop/compose.yaml", vec!["/srv/shop/compose.yaml"]),
            ("/srv/a.yaml,/srv/b.yaml", vec!["/srv/a.yaml", "/srv/b.yaml"]),
            ("/srv/a,b/compose.yaml,/srv/c.yaml", vec!["/srv/a,b/compose.yaml", "/srv/c.yaml"]),
            // Read from standard input.
            ("-", vec![]),
        ] {
            let pairs =
                [("project", "p"), ("service", "s"), ("oneoff", "False"), ("project.config_files", label)];
            assert_eq!(labels(&pairs).expect("labels").files(), files, "{label}");
        }
    }

    #[test]
    fn labels_that_came_with_an_image_make_no_container_of_compose() {
        let built = [("project", "p"), ("service", "s"), ("version", "2.40.3")];
        assert_eq!(labels(&built), None);
        let made = [("project", "p"), ("service", "s"), ("oneoff", "True"), ("container-number", "2")];
        let made = labels(&made).expect("labels");
        assert_eq!((made.number, made.one_off), (2, true));
    }
}
