//! `pillarbox registry check [IMAGE…]`.

use crate::cli::deploy::{self, Answers, Asked, PlanOptions, Selection, Survey};
use crate::cli::vault::{self, Vault};
use crate::cli::{Context, Exit};
use crate::name::ImageRef;
use crate::problem::{Code, Problem, Problems, Result, escaped};
use serde_json::json;

/// Does each host get in with its credentials: asks the registries through the hosts' Engines
#[derive(clap::Args, Debug)]
#[command(
    after_help = "A registry can only be asked for an image. Nothing is pulled; at Docker Hub each question \
                        counts as a pull."
)]
pub(super) struct Args {
    /// Images to ask for [default: those that the states of each host name]
    #[arg(value_name = "IMAGE")]
    images: Vec<String>,
    #[command(flatten)]
    selection: Selection,
    /// Send credentials to hosts that were not known on this machine
    #[arg(short, long)]
    yes: bool,
}

pub(super) fn run(args: &Args, ctx: &Context) -> Result<Exit> {
    let usage = |problem| Problem { code: Code::Usage, ..problem };
    let (mut images, mut wrong) = (Vec::new(), Vec::new());
    for image in &args.images {
        match ImageRef::parse(image) {
            Ok(image) => images.push(image),
            Err(problems) => wrong.extend(problems.map(usage).into_vec()),
        }
    }
    Problems::check(wrong)?;
    let workspace = vault::workspace(ctx)?;
    let vault = Vault::load(ctx, &workspace)?;
    let wishes = deploy::wishes(&vault, &args.selection.host)?;
    let survey = Survey { options: PlanOptions::default(), offline: false, yes: args.yes };
    let (answers, mut wrong) = deploy::run(async |interrupt| {
        let asking = async { Ok(deploy::ask(ctx, &vault, wishes, &images, &survey, interrupt).await) };
        deploy::unless_interrupted(interrupt, asking).await
    })?;
    if ctx.out.json {
        let object = json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "hosts": answers.iter().map(json_of).collect::<Vec<_>>(),
        });
        if wrong.is_empty() && answers.iter().all(|host| host.asked.iter().all(|asked| asked.answer.is_ok()))
        {
            ctx.out.object(&object);
        } else {
            ctx.out.object_beside_error(object);
        }
    } else {
        print(ctx, &answers);
    }
    for problem in answers.into_iter().flat_map(|host| host.asked).filter_map(|asked| asked.answer.err()) {
        wrong.extend(problem.into_vec());
    }
    Problems::check(wrong).map(|()| Exit::Done)
}

fn print(ctx: &Context, answers: &[Answers]) {
    let mut rows: Vec<[String; 4]> = Vec::new();
    for host in answers {
        for asked in &host.asked {
            let entry = asked.entry.as_deref().map_or_else(|| "anonymous".to_owned(), escaped);
            rows.push([host.host.to_string(), entry, word(asked).to_owned(), asked.image.to_string()]);
        }
        for entry in &host.unasked {
            let hint = "no state names an image of it".to_owned();
            rows.push([host.host.to_string(), escaped(entry), "not asked".to_owned(), hint]);
        }
    }
    let wide = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let (hosts, entries, words) = (wide(0), wide(1), wide(2));
    for [host, entry, word, rest] in &rows {
        ctx.out.data(format_args!("{host:hosts$}  {entry:entries$}  {word:words$}  {rest}"));
    }
    if answers.iter().any(|host| !host.unasked.is_empty()) {
        ctx.out.say("to ask for an image that no state names: pillarbox registry check IMAGE");
    }
    if rows.is_empty() && !answers.is_empty() {
        ctx.out.say("there is nothing to ask for");
    }
}

/// `works`, or the word for what is wrong.
fn word(asked: &Asked) -> &'static str {
    match asked.answer.as_ref().map_err(Problems::code) {
        Ok(_) => "works",
        Err(Code::Refused) => "refused",
        Err(Code::NoIdentity) => "not opened",
        Err(Code::Seal) => "does not hold",
        Err(_) => "failed",
    }
}

fn json_of(host: &Answers) -> serde_json::Value {
    let one = |asked: &Asked| {
        json!({
            "image": asked.image.to_string(),
            "entry": asked.entry,
            "answer": word(asked),
            "digest": asked.answer.as_ref().ok(),
        })
    };
    json!({
        "host": host.host.as_str(),
        "asked": host.asked.iter().map(one).collect::<Vec<_>>(),
        "not_asked": host.unasked,
    })
}
