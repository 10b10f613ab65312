//! `pillarbox registry check [IMAGE…]`.

use crate::cli::output::credentials as table;
use crate::cli::{Context, Exit};
use crate::cli::{NewHostsArgs, Selection, on_engines};
use crate::name::ImageRef;
use crate::problem::{Code, Problem, Problems, Result, quoted};
use crate::session::{Answers, Pipeline, Vault, Verdict, declared};
use serde_json::json;

/// Does each host get in with its credentials: asks the registries through the hosts' Engines
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Shows every credential of a host's pillar to its registry, and asks for the images that its \
                        states name. Nothing is pulled. At Docker Hub a question for an image counts as a pull: \
                        there only images named here are asked for."
)]
pub(super) struct RegistryCheckArgs {
    /// Ask for these images alone
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
    #[command(flatten)]
    selection: Selection,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    new_hosts: NewHostsArgs,
}

pub(super) fn run(args: &RegistryCheckArgs, ctx: &Context) -> Result<Exit> {
    let usage = |problem| Problem { code: Code::Usage, ..problem };
    let (mut images, mut wrong) = (Vec::new(), Vec::new());
    for image in &args.images {
        match ImageRef::parse(image) {
            Ok(image) => images.push(image),
            Err(problems) => wrong.extend(problems.map(usage).into_vec()),
        }
    }
    Problems::check(wrong)?;
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let chosen = args.selection.chosen(ctx, &vault)?;
    chosen.say_paused(ctx);
    let declared = declared(&vault, &chosen.terms)?;
    let hosts = on_engines(async |interrupt| {
        Pipeline::new(&vault, args.new_hosts.beside(args.yes), interrupt)
            .check_logins(declared, &images)
            .await
    })?;
    let mut wrong = hosts.problems();
    let answers = hosts.ready;
    let found = answers.iter().flat_map(|host| &host.asked).filter_map(|asked| asked.problems.as_ref());
    for problem in found.flat_map(Problems::iter) {
        // A helper or a box that fails does so for every host in the same words.
        if !wrong.contains(problem) {
            wrong.push(problem.clone());
        }
    }
    if ctx.out.json {
        let object = json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "hosts": answers.iter().map(table::json).collect::<Vec<_>>(),
        });
        ctx.out.object_of(object, !wrong.is_empty());
    } else {
        ctx.out.data(table::text(&answers, ctx.out.width()));
        if let Some(image) = spared(&answers) {
            ctx.out.say(format_args!(
                "at Docker Hub a question for an image counts as a pull; to ask all the same: \
                 pillarbox registry check {}",
                quoted(&image.to_string())
            ));
        }
        if !answers.is_empty() && answers.iter().all(|host| host.asked.is_empty()) {
            ctx.out.say("there is nothing to ask for");
        }
    }
    Problems::check(wrong).map(|()| Exit::Done)
}

/// An image that was not asked for although a state names it.
fn spared(answers: &[Answers]) -> Option<&ImageRef> {
    let mut asked = answers.iter().flat_map(|host| &host.asked);
    asked.find_map(|one| one.image.as_ref().filter(|_| matches!(one.verdict, Verdict::NotAsked(_))))
}
