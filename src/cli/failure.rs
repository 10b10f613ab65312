//! The one printer of problems: `error:`, `caused by:`, `hint:` on standard error; with `--json` an
//! object on standard output too.

mod many;

pub(super) use many::of_many;

use super::output::style;
use crate::problem::{Place, Problem, Problems, escaped_lines};
use std::fmt::Write as _;

/// All problems as people read them, the place first.
pub(super) fn text(problems: &Problems) -> String {
    text_of(&problems.iter().collect::<Vec<_>>())
}

fn text_of(problems: &[&Problem]) -> String {
    let mut out = String::new();
    for problem in problems {
        let (error, cause, hint) = (style::ERROR, style::CAUSE, style::HINT);
        let _ = write!(out, "{error}error:{error:#} ");
        if let Some(place) = &problem.place {
            let _ = write!(out, "{place}: ");
        }
        let _ = writeln!(out, "{}", hanging(&problem.what, "  "));
        for why in &problem.causes {
            let _ = writeln!(out, "  {cause}caused by:{cause:#} {}", hanging(why, "    "));
        }
        for what in &problem.hints {
            let _ = writeln!(out, "  {hint}hint:{hint:#} {}", hanging(what, "    "));
        }
    }
    out
}

/// The object that stands on standard output instead of data.
pub(super) fn json(problems: &Problems) -> serde_json::Value {
    let place = |place: &Place| serde_json::json!({ "file": &*place.file, "line": place.line });
    let one = |problem: &Problem| {
        let mut object = serde_json::json!({
            "code": problem.code.word(),
            "what": problem.what,
            "place": problem.place.as_ref().map(place),
            "causes": problem.causes,
            "hints": problem.hints,
        });
        if let Some(host) = &problem.host {
            object["host"] = host.as_ref().into();
        }
        object
    };
    serde_json::json!({
        "format_version": crate::plan::FORMAT_VERSION,
        "error": {
            "code": problems.code().word(),
            "problems": problems.iter().map(one).collect::<Vec<_>>(),
        },
    })
}

/// Lines after the first are moved to the right, so that they do not read as problems of their own; whatever
/// stands in a problem, it moves no cursor.
fn hanging(text: &str, indent: &str) -> String {
    escaped_lines(text.trim_end()).replace('\n', &format!("\n{indent}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    fn problems() -> Problems {
        let found = vec![
            Problem::failed("unknown key `depoly`")
                .at(&Place::new("pillar/apps.toml", 12))
                .hint("did you mean `deploy`?"),
            Problem::new(Code::Refused, "web1: the registry refused the credential")
                .cause("unauthorized: authentication required")
                .cause("status 401"),
        ];
        Problems::check(found).expect_err("there are some")
    }

    #[test]
    fn the_place_comes_first_then_causes_then_hints() {
        let text = anstream::adapter::strip_str(&text(&problems())).to_string();
        insta::assert_snapshot!(text, @r"
        error: pillar/apps.toml:12: unknown key `depoly`
          hint: did you mean `deploy`?
        error: web1: the registry refused the credential
          caused by: unauthorized: authentication required
          caused by: status 401
        ");
    }

    #[test]
    fn json_carries_the_deciding_code_and_every_problem() {
        insta::assert_snapshot!(serde_json::to_string_pretty(&json(&problems())).expect("JSON"), @r#"
        {
          "format_version": "1.0",
          "error": {
            "code": "refused",
            "problems": [
              {
                "code": "failed",
                "what": "unknown key `depoly`",
                "place": {
                  "file": "pillar/apps.toml",
                  "line": 12
                },
                "causes": [],
                "hints": [
                  "did you mean `deploy`?"
                ]
              },
              {
                "code": "refused",
                "what": "web1: the registry refused the credential",
                "place": null,
                "causes": [
                  "unauthorized: authentication required",
                  "status 401"
                ],
                "hints": []
              }
            ]
          }
        }
        "#);
    }
}
