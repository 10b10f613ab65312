//! The files that Salt's commands wrote.

use super::SaltArgs;
use crate::cli::Context;
use crate::highstate::{self, Grains, Minion};
use crate::problem::{Problem, Result, escaped};
use crate::secret::Secret;
use crate::store;
use serde_json::Value;
use std::path::Path;

/// What was read.
pub(super) struct Input {
    pub(super) minions: Vec<Minion>,
    /// The file of the pillar as it is shown, and each minion's values.
    pub(super) pillars: (String, Vec<(Option<String>, Value)>),
    pub(super) grains: Vec<(Option<String>, Grains)>,
}

impl Input {
    pub(super) fn read(args: &SaltArgs, ctx: &Context) -> Result<Self> {
        let mut minions: Vec<Minion> = Vec::new();
        for path in &args.files {
            let (shown, text) = text(path, ctx)?;
            let text = plain(&shown, &text)?;
            let more = match path.extension().and_then(|extension| extension.to_str()) {
                Some("sls" | "yaml" | "yml") => vec![highstate::sls(&shown, &name(path), text)?],
                _ => highstate::rendered(&shown, text)?,
            };
            for minion in more {
                match minions.iter_mut().find(|before| before.name == minion.name) {
                    Some(before) => before.states.extend(minion.states),
                    None => minions.push(minion),
                }
            }
        }
        let mut pillars = (String::new(), Vec::new());
        if let Some(path) = &args.pillar {
            let (shown, text) = text(path, ctx)?;
            let answers = highstate::answers(&shown, plain(&shown, &text)?)?;
            pillars = (shown, answers);
        }
        let mut grains = Vec::new();
        if let Some(path) = &args.grains {
            let (shown, text) = text(path, ctx)?;
            for (minion, answer) in highstate::answers(&shown, plain(&shown, &text)?)? {
                grains.push((minion, highstate::grains(&answer)));
            }
        }
        Ok(Self { minions, pillars, grains })
    }

    /// The grains of a minion.
    pub(super) fn grains_of(&self, minion: Option<&str>) -> Option<&Grains> {
        let own = self.grains.iter().find(|(name, grains)| match minion {
            None => name.is_none(),
            Some(minion) => name.as_deref() == Some(minion) || grains.id.as_deref() == Some(minion),
        });
        own.map(|(_, grains)| grains)
    }

    /// The pillar of a minion; that of the machine itself counts for all where it is the only one.
    pub(super) fn pillar_of(&self, minion: Option<&str>) -> Option<&Value> {
        let all = &self.pillars.1;
        let own = all.iter().find(|(name, _)| name.as_deref() == minion);
        let only = || all.first().filter(|(name, _)| all.len() == 1 && (name.is_none() || minion.is_none()));
        own.or_else(only).map(|(_, value)| value)
    }
}

/// A file, and how it is shown. It may hold secrets.
fn text(path: &Path, ctx: &Context) -> Result<(String, Secret)> {
    let full = ctx.session.absolute(path);
    Ok((escaped(&path.display().to_string()), store::read_secret(&full)?))
}

fn plain<'s>(shown: &str, secret: &'s Secret) -> Result<&'s str> {
    Ok(secret.reveal_text().ok_or_else(|| {
        Problem::failed(format!("{shown} is not UTF-8 text")).hint("write it with Salt's --out json")
    })?)
}

/// What Salt would call a file of states, by its name alone.
fn name(path: &Path) -> String {
    let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    match stem(path).as_deref() {
        Some("init") => path.parent().and_then(stem).unwrap_or_else(|| "init".to_owned()),
        Some(name) => name.to_owned(),
        None => "states".to_owned(),
    }
}
