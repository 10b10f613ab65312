//! `config.json` and `auth.json`: their entries, and the helpers that they name.

use super::{Ask, Gives, Item, Source};
use crate::docker_config::{HELPER, Stored, helpers, read_auths};
use crate::name::HelperName;
use crate::problem::{Place, Problem, Result};

/// Helpers that make a token each time: valid for hours, so it is the helper that is imported. By the names
/// of their programs: Amazon ECR, Google, Azure.
const SHORT_LIVED: [&str; 6] = ["ecr-login", "gcloud", "gcr", "acr", "acr-env", "acr-linux"];

pub(super) fn read(text: &str, file: &str, source: &mut Source) -> Result<()> {
    for auth in read_auths(text, file)? {
        let gives = match auth.stored {
            Ok(Stored::Basic { username, password }) => Gives::Basic { username, password },
            Ok(Stored::Token(token)) => Gives::Token(token),
            Ok(Stored::Nothing) => continue,
            Err(why) => {
                source.wrong(&auth.key, &auth.place, why);
                continue;
            }
        };
        source.add(Item { key: auth.key, place: auth.place, gives, email: None });
    }
    let named = helpers(text, file)?;
    for (key, name) in named.by_host {
        let line = text.find(&format!("\"{key}\"")).map_or(0, |at| crate::docker_config::line_of(text, at));
        let place = Place::new(file, line);
        match HelperName::parse(&name) {
            _ if name == HELPER || name.is_empty() => {}
            Ok(helper) if SHORT_LIVED.contains(&helper.as_str()) => {
                source.add(Item { key, place, gives: Gives::Helper(helper), email: None });
            }
            Ok(helper) => source.asks.push(Ask { key, place, helper }),
            Err(problems) => {
                problems.into_vec().into_iter().for_each(|problem| source.failed(problem.at(&place)));
            }
        }
    }
    if let Some(name) = named.store.filter(|name| name != HELPER) {
        let place =
            Place::new(file, text.find("credsStore").map_or(0, |at| crate::docker_config::line_of(text, at)));
        match HelperName::parse(&name) {
            Ok(helper) => source.store = Some((helper, place)),
            Err(problems) => {
                problems
                    .into_vec()
                    .into_iter()
                    .for_each(|problem: Problem| source.failed(problem.at(&place)));
            }
        }
    }
    Ok(())
}
