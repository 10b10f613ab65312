//! `~/.config/pillarbox/config.toml`: what holds for one person, whatever the current folder is.

use super::context::Session;
use crate::pillar::Value;
use crate::pillar::document::plain_tree;
use crate::pillar::fields::Fields;
use crate::problem::{Problem, Problems, Result, escaped};
use crate::store::{self, PersonalPaths};
use std::path::PathBuf;

const KEYS: [&str; 2] = ["workspace", "runs"];

/// What is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `workspace`: the one that the credential helper answers from. Absolute.
    pub workspace: Option<PathBuf>,
    /// `runs.keep`: so many records of runs are kept, however old they are.
    pub runs_keep: u16,
    /// `runs.days`: those that are younger are kept, however many they are.
    pub runs_days: u16,
}

impl Default for Config {
    fn default() -> Self {
        Self { workspace: None, runs_keep: 200, runs_days: 400 }
    }
}

impl Session {
    /// Reads it; without a file, or a home folder, nothing is set.
    ///
    /// # Errors
    /// All that is wrong in it.
    pub fn config(&self) -> Result<Config> {
        let Ok(paths) = self.paths() else { return Ok(Config::default()) };
        match store::read_trusted(&paths.config)? {
            Some(text) => Config::parse(&text, &paths),
            None => Ok(Config::default()),
        }
    }
}

impl Config {
    fn parse(text: &str, paths: &PersonalPaths) -> Result<Self> {
        let tree = plain_tree(&paths.config.display().to_string(), text)?;
        let mut problems = Vec::new();
        let mut config = Self::default();
        if let Some(mut fields) = Fields::of(&tree, "config.toml", &KEYS, &mut problems)
            && let Some((written, place)) = fields.text("workspace")
        {
            let path = paths.expand(written, "".as_ref());
            if path.is_absolute() {
                config.workspace = Some(path);
            } else {
                fields.problem(
                    Problem::failed(format!("`workspace` is the relative path `{}`", escaped(written)))
                        .at(place)
                        .hint("write the whole path, or one that begins with `~/`"),
                );
            }
        }
        if let Some(runs) = tree.at(["runs"])
            && let Some(mut fields) = Fields::of(runs, "[runs]", &["keep", "days"], &mut problems)
        {
            let mut number = |key: &str, into: &mut u16| match fields.get(key).map(|node| (&node.value, node))
            {
                None => {}
                Some((Value::Integer(number), _)) if u16::try_from(*number).is_ok() => {
                    *into = u16::try_from(*number).unwrap_or_default();
                }
                Some((_, node)) => {
                    let what = format!("`{key}` in [runs] must be a number from 0 to {}", u16::MAX);
                    fields.problem(Problem::failed(what).at(&node.place));
                }
            };
            number("keep", &mut config.runs_keep);
            number("days", &mut config.runs_days);
        }
        Problems::check(problems)?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config> {
        let environment = store::Environment { home: Some("/home/alice".into()), ..Default::default() };
        Config::parse(text, &PersonalPaths::of(&environment).expect("a home"))
    }

    #[test]
    fn the_workspace_is_a_whole_path_or_below_the_home_folder() {
        let workspace = |text: &str| parse(text).expect("sound").workspace;
        assert_eq!(workspace(""), None);
        assert_eq!(workspace("workspace = \"/srv/shop\""), Some("/srv/shop".into()));
        assert_eq!(workspace("workspace = \"~/shop\" # ours"), Some("/home/alice/shop".into()));
        assert!(parse("workspace = \"shop\"").is_err());
        assert!(parse("workspace = 1").is_err());
    }

    #[test]
    fn how_many_records_of_runs_are_kept_is_a_number() {
        let kept = |text: &str| parse(text).map(|config| (config.runs_keep, config.runs_days));
        assert_eq!(kept(""), Ok((200, 400)));
        assert_eq!(kept("[runs]\nkeep = 0\ndays = 7"), Ok((0, 7)));
        for wrong in [
            "[runs]\nkeep = -1",
            "[runs]\ndays = \"7\"",
            "[runs]\ndays = 70000",
            "[runs]\nkep = 1",
            "runs = 1",
        ] {
            assert!(kept(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_slip_in_a_key_is_an_error_with_the_nearest_one() {
        let problems = parse("worksapce = \"/srv/shop\"").expect_err("unknown");
        let problem = problems.iter().next().expect("one");
        assert!(problem.hints[0].contains("did you mean `workspace`?"), "{problem:?}");
        assert!(problem.place.as_ref().is_some_and(|place| place.file.ends_with("config.toml")));
    }
}
