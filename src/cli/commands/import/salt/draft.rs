//! What would be written; nothing is yet.

use super::SaltArgs;
use super::hosts::{self, REGISTRIES};
use super::input::Input;
use super::pillar::{self, PillarChange};
use super::states::{self, Written};
use super::tree::Tree;
use crate::cli::Context;
use crate::highstate::{self, GivenFiles, LeftOut, PillarLeaf};
use crate::inventory::FILE;
use crate::problem::{Problem, Problems, Result, escaped};
use crate::session::Vault;

/// What would be written, and what is left out.
pub(super) struct Draft {
    pub(super) minions: usize,
    /// States that are imported.
    pub(super) states: usize,
    /// Files that are new, below the workspace.
    pub(super) files: Vec<(String, Vec<u8>)>,
    /// Files that are there already, as they would be written.
    pub(super) same: usize,
    pub(super) pillar: Vec<PillarChange>,
    /// Values of the pillar that are there already.
    pub(super) there: usize,
    pub(super) left_out: Vec<LeftOut>,
    /// Values of the pillar that are left out.
    pub(super) values_left_out: Vec<PillarLeaf>,
    pub(super) grains_left_out: Vec<(String, &'static str)>,
    /// Hosts that get the states.
    pub(super) hosts: Vec<String>,
    /// `pillarbox.toml` before and after.
    pub(super) before: String,
    pub(super) inventory: String,
}

impl Draft {
    pub(super) fn of(vault: &Vault<'_>, args: &SaltArgs, ctx: &Context) -> Result<Self> {
        let input = Input::read(args, ctx)?;
        let (seal, clear) = (pillar::keys(&args.seal)?, pillar::keys(&args.clear)?);
        let mut pillars: Vec<Vec<PillarLeaf>> = Vec::new();
        for minion in &input.minions {
            let answer = input.pillar_of(minion.name.as_deref());
            let leaves = answer.map(|answer| highstate::leaves(&input.pillars.0, answer, &seal, &clear));
            pillars.push(leaves.transpose()?.unwrap_or_default());
        }
        pillar::known(&[seal, clear].concat(), &pillars)?;
        let absolute =
            |paths: &[std::path::PathBuf]| paths.iter().map(|path| ctx.session.absolute(path)).collect();
        let tree = Tree { sources: absolute(&args.tree), rendered: absolute(&args.rendered) };
        let tree = (!args.keep_mounts).then_some(tree);
        let mut given = GivenFiles::default();
        let written = states::written(&input, tree.as_ref(), pillars, &mut given);
        let (left_out, values_left_out) = said_once(&written);
        let states: usize = written.iter().map(|written| written.count).sum();
        let role = |minions: &[String]| {
            let mut roles =
                minions.iter().map(|minion| input.grains_of(Some(minion)).map(|grains| &grains.roles));
            let first = roles.next()??;
            roles.all(|other| other == Some(first)).then(|| first.first().cloned())?
        };
        let texts: Vec<_> =
            written.iter().map(|written| (written.name.clone(), written.texts.clone())).collect();
        let mut placed = highstate::placed(&texts, role);
        let hosts = hosts::hosts(args, &input)?;
        let workspace = vault.workspace();
        let before = workspace.read(FILE)?;
        hosts::free_names(&before, &hosts, &mut placed.groups)?;
        let named: Vec<_> = written.into_iter().map(|written| (written.name, written.leaves)).collect();
        let host_of = |minion: &str| {
            let host = hosts.iter().find(|host| host.minion.as_deref() == Some(minion));
            host.map_or_else(|| minion.to_owned(), |host| host.name.clone())
        };
        let shares = highstate::shares(&named, &placed.groups, host_of);
        let (pillar, there) = pillar::changes(vault, &shares)?;
        let stems = shares.keys().map(|file| file.strip_suffix(".toml").unwrap_or(file).to_owned());
        // Where `registry import` puts the credentials that Salt had in the same pillar.
        let has_registries = values_left_out.iter().any(|leaf| highstate::is_registries(&leaf.key));
        let stems: Vec<String> =
            has_registries.then(|| REGISTRIES.to_owned()).into_iter().chain(stems).collect();
        let inventory = hosts::inventory(&before, &input, &hosts, &placed, &stems)?;
        let wanted = placed
            .files
            .iter()
            .map(|(path, text)| (format!("states/{path}.toml"), text.as_bytes().to_vec()))
            .chain(given.iter().map(|(path, bytes)| (format!("files/{path}"), bytes.to_vec())));
        let (mut files, mut same, mut problems) = (Vec::new(), 0, Vec::new());
        for (path, bytes) in wanted {
            match vault.source(&path)? {
                None => files.push((path, bytes)),
                Some(there) if there.bytes() == bytes => same += 1,
                Some(_) => problems.push(
                    Problem::failed(format!("{} is there already and says otherwise", escaped(&path))).hint(
                        "nothing is overwritten: compare it, move it away, and run the same command again",
                    ),
                ),
            }
        }
        Problems::check(problems)?;
        let mut grains_left_out: Vec<(String, &'static str)> =
            input.grains.iter().flat_map(|(_, grains)| grains.left_out.iter().cloned()).collect();
        grains_left_out.sort();
        grains_left_out.dedup();
        Ok(Self {
            minions: input.minions.len(),
            states,
            files,
            same,
            pillar,
            there,
            left_out,
            values_left_out,
            grains_left_out,
            hosts: hosts.into_iter().map(|host| host.name).collect(),
            before,
            inventory,
        })
    }

    pub(super) fn is_changed(&self) -> bool {
        !self.files.is_empty() || !self.pillar.is_empty() || self.inventory != self.before
    }

    /// Whether something of containers is left out.
    pub(super) fn is_missing(&self) -> bool {
        self.left_out.iter().any(|one| one.is_missing)
    }

    /// How many values are sealed.
    pub(super) fn sealed(&self) -> usize {
        self.pillar.iter().map(|change| change.sealed.len()).sum()
    }
}

/// What is left out of several minions is said once.
fn said_once(written: &[Written]) -> (Vec<LeftOut>, Vec<PillarLeaf>) {
    let mut seen = std::collections::HashSet::new();
    let states = written.iter().flat_map(|written| &written.left_out);
    let states = states
        .filter(|one| seen.insert((one.id.clone(), one.word.clone(), one.why.clone())))
        .cloned()
        .collect();
    let mut seen = std::collections::HashSet::new();
    let values = written.iter().flat_map(|written| &written.leaves).filter(|leaf| leaf.left_out.is_some());
    let values = values.filter(|leaf| seen.insert(leaf.key.clone())).cloned().collect();
    (states, values)
}
