//! `pillarbox plan`.

use crate::cli::output::{html, plan as print, unreachable};
use crate::cli::{BatchSizeArgs, NewHostsArgs, ReachArgs, Selection, on_engines};
use crate::cli::{Context, Exit};
use crate::plan::{Plan, Verb};
use crate::problem::{Code, Problem, Problems, Result, escaped};
use crate::session::{FailedHost, MadeFor, Pipeline, PlanOptions, Vault, declared, to_json};
use crate::store;
use std::path::{Path, PathBuf};

/// Show what would change, and why; changes nothing
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  pillarbox plan
  pillarbox plan --host 'web*' -o plan.json    # then: pillarbox apply plan.json
  pillarbox plan --html plan.html              # to look at, or to attach to a review
  pillarbox plan --detailed-exitcode           # 2: changes, 4: nothing but held changes")]
pub(in crate::cli) struct PlanArgs {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    options: OptionArgs,
    #[command(flatten)]
    new_hosts: NewHostsArgs,
    #[command(flatten)]
    reach: ReachArgs,
    /// Store the plan in a file, for `apply FILE`; it holds no secret
    #[arg(short, long, value_name = "FILE", conflicts_with = "offline")]
    output: Option<PathBuf>,
    /// Write the plan as a page for a browser, with its steps drawn; `-`: to standard output
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Exit with 2 if there are changes, 4 if all of them are held
    #[arg(long)]
    detailed_exitcode: bool,
}

/// Options that decide what a plan says.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct OptionArgs {
    /// Remove containers of this workspace that no state declares any more
    #[arg(long)]
    prune: bool,
    /// Replace containers that were changed by hand
    #[arg(long)]
    fix_drift: bool,
    /// Only this resource and what it requires, `nginx` or `'container nginx'`, or the id of its state; may be given
    /// several times
    #[arg(long, value_name = "RESOURCE", conflicts_with = "prune")]
    only: Vec<String>,
    /// Only services whose name matches, and what they require; what else would change on their hosts is named and not
    /// done
    #[arg(long, value_name = "GLOB", conflicts_with_all = ["prune", "only"])]
    service: Vec<String>,
    /// Ask no registry what tags stand for: the image that is on the host counts; digests are pulled all the same
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    batches: BatchSizeArgs,
}

impl OptionArgs {
    pub(super) fn options(&self) -> PlanOptions {
        PlanOptions {
            prune: self.prune,
            fix_drift: self.fix_drift,
            only: self.only.clone(),
            services: self.service.clone(),
            offline: self.offline,
            batch_size: self.batches.batch_size.clone(),
        }
    }
}

impl PlanArgs {
    /// Whether the page takes the place of the plan on standard output.
    fn page_is_data(&self) -> bool {
        self.html.as_deref() == Some(Path::new("-"))
    }
}

/// Two things cannot be written to one place.
fn check(args: &PlanArgs, ctx: &Context) -> Result<()> {
    let wrong = |what: &str| Err(Problem::new(Code::Usage, what).into());
    if args.page_is_data() && ctx.out.json {
        return wrong("`--html -` and `--json` both want standard output");
    }
    let (page, plan) = (args.html.as_deref(), args.output.as_deref());
    if page.is_some()
        && page.map(|file| ctx.session.absolute(file)) == plan.map(|file| ctx.session.absolute(file))
    {
        return wrong("`--html` and `--output` name the same file");
    }
    Ok(())
}

pub(in crate::cli) fn run(args: &PlanArgs, ctx: &Context) -> Result<Exit> {
    check(args, ctx)?;
    let workspace = ctx.session.workspace()?;
    let vault = Vault::load(&ctx.session, &workspace)?;
    let chosen = args.selection.chosen(ctx, &vault)?;
    let declared = declared(&vault, &chosen.terms)?;
    let options = args.options.options();
    args.reach.begin();
    let mut planned = on_engines(async |interrupt| {
        Pipeline::new(&vault, args.new_hosts.beside(false), interrupt)
            .plan(declared, &options, MadeFor::Showing)
            .await
    })?;
    planned.plan.paused = chosen.paused;
    let left_out = if args.reach.skip_unreachable { planned.leave_out_unreachable() } else { Vec::new() };
    let plan = &planned.plan;
    let wrong = [planned.problems(), planned.without_image()].concat();
    if wrong.is_empty() {
        if args.page_is_data() {
            ctx.out.bytes(html::page(plan).as_bytes());
        } else {
            show(ctx, plan, &options, &left_out);
        }
        if let Some(file) = args.html.as_deref().filter(|_| !args.page_is_data()) {
            store::write_private(&ctx.session.absolute(file), html::page(plan).as_bytes())?;
            ctx.out.say(format_args!("written: {}", escaped(&file.display().to_string())));
        }
        if let Some(file) = &args.output {
            let json = to_json(plan, &options);
            store::write_private(&ctx.session.absolute(file), format!("{json:#}\n").as_bytes())?;
            let shown = file.display().to_string();
            ctx.out.say(format_args!(
                "stored; to carry it out: pillarbox apply {}",
                crate::problem::quoted(&shown)
            ));
        }
        return Ok(if args.detailed_exitcode { detailed(plan) } else { Exit::Done });
    }
    partly(args, ctx, plan, &options, &left_out, wrong)
}

/// Prints a plan as data.
fn show(ctx: &Context, plan: &Plan, options: &PlanOptions, left_out: &[FailedHost]) {
    if ctx.out.json {
        ctx.out.object(&data(plan, options, left_out));
    } else {
        ctx.out.data(print::text(plan, print::View::of(&ctx.out)));
        if !left_out.is_empty() {
            ctx.out.data(unreachable::text(left_out));
        }
    }
}

fn data(plan: &Plan, options: &PlanOptions, left_out: &[FailedHost]) -> serde_json::Value {
    let mut object = to_json(plan, options);
    if !left_out.is_empty() {
        object["unreachable"] = unreachable::json(left_out);
    }
    object
}

/// What could be planned is shown; the rest is an error, and neither a plan nor a page is written.
fn partly(
    args: &PlanArgs,
    ctx: &Context,
    plan: &Plan,
    options: &PlanOptions,
    left_out: &[FailedHost],
    wrong: Vec<Problem>,
) -> Result<Exit> {
    if ctx.out.json {
        ctx.out.object_beside_error(data(plan, options, left_out));
    } else if !plan.hosts.is_empty() && !args.page_is_data() {
        show(ctx, plan, options, left_out);
    }
    for file in args.html.iter().filter(|_| !args.page_is_data()).chain(&args.output) {
        ctx.out.say(format_args!("not written: {}", escaped(&file.display().to_string())));
    }
    Problems::check(wrong).map(|()| Exit::Done)
}

/// The exit code of `--detailed-exitcode`.
pub(super) fn detailed(plan: &Plan) -> Exit {
    let held =
        plan.hosts.iter().flat_map(|host| &host.changes).any(|change| change.actions.contains(&Verb::Held));
    match (plan.is_empty(), held) {
        (false, _) => Exit::Changes,
        (true, true) => Exit::Held,
        (true, false) => Exit::Done,
    }
}
