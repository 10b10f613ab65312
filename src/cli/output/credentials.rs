//! What registries said to the credentials of each host, one line for each question.

use super::style;
use super::table::Table;
use crate::problem::escaped;
use crate::session::{Answers, Asked, Verdict};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One row and the style of its answer.
struct CredentialRow {
    cells: [String; 5],
    answer: anstyle::Style,
}

/// The column that says what it came to.
const ANSWER: usize = 3;

/// On a narrow terminal: where the entry stands, then what was asked for.
const LEAST_NEEDED: [usize; 2] = [4, 2];

/// The table with its footer; empty where nothing was asked.
pub(in crate::cli) fn text(answers: &[Answers], width: Option<usize>) -> String {
    let rows: Vec<CredentialRow> =
        answers.iter().flat_map(|host| host.asked.iter().map(|one| row(host.host.as_str(), one))).collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = ["HOST", "CREDENTIAL", "ASKED FOR", "ANSWER", "FROM"].map(ToOwned::to_owned);
    let all = std::iter::once(&head).chain(rows.iter().map(|row| &row.cells));
    let table = Table::new(all, &LEAST_NEEDED, width).uncut();
    let line = |cells: &[String; 5], answer: anstyle::Style| {
        let padded = table.cells(cells).into_iter().map(|(at, cell)| {
            let style = if at == ANSWER { answer } else { style::PLAIN };
            let text = cell.trim_end();
            format!("{style}{text}{style:#}{}", &cell[text.len()..])
        });
        format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
    };
    let mut text = line(&head, style::PLAIN);
    rows.iter().for_each(|row| text.push_str(&line(&row.cells, row.answer)));
    let _ = write!(text, "\n{}", footer(answers));
    text
}

fn row(host: &str, asked: &Asked) -> CredentialRow {
    let entry = asked.entry.as_ref();
    let what = match (&asked.image, entry) {
        (Some(image), _) => image.to_string(),
        (None, Some(entry)) => entry.how.clone(),
        (None, None) => String::new(),
    };
    let answer = match &asked.verdict {
        Verdict::RateLimited(Some(until)) => format!("rate-limited until {}", time(*until)),
        verdict => verdict.word().to_owned(),
    };
    CredentialRow {
        cells: [
            host.to_owned(),
            entry.map_or_else(|| "anonymous".to_owned(), |entry| escaped(&entry.scope)),
            what,
            answer,
            entry.map(|entry| entry.place.to_string()).unwrap_or_default(),
        ],
        answer: match asked.verdict {
            Verdict::Works => style::GOOD,
            Verdict::NotAsked(_) => style::FAINT,
            Verdict::RateLimited(_) => style::WARNING,
            _ => style::ERROR,
        },
    }
}

fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default()
}

/// `2 hosts, 5 asked: 4 work, 1 refused; 1 not asked`.
fn footer(answers: &[Answers]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut works = 0;
    let mut unasked = 0;
    for verdict in answers.iter().flat_map(|host| &host.asked).map(|one| &one.verdict) {
        match verdict {
            Verdict::Works => works += 1,
            Verdict::NotAsked(_) => unasked += 1,
            other => *counts.entry(other.word()).or_default() += 1,
        }
    }
    let asked = works + counts.values().sum::<usize>();
    let hosts = match answers.len() {
        1 => "1 host".to_owned(),
        more => format!("{more} hosts"),
    };
    let said: Vec<String> = std::iter::once(format!("{works} {}", if works == 1 { "works" } else { "work" }))
        .chain(counts.iter().map(|(word, count)| format!("{count} {word}")))
        .collect();
    let mut text = format!("{hosts}, {asked} asked: {}", said.join(", "));
    if unasked > 0 {
        let _ = write!(text, "; {unasked} not asked");
    }
    text.push('\n');
    text
}

/// A host for JSON.
pub(in crate::cli) fn json(host: &Answers) -> Value {
    let one = |asked: &Asked| {
        let entry = asked.entry.as_ref();
        let until = match asked.verdict {
            Verdict::RateLimited(Some(until)) => Some(time(until)),
            _ => None,
        };
        let why = match asked.verdict {
            Verdict::NotAsked(why) => Some(why),
            _ => None,
        };
        json!({
            "entry": entry.map(|entry| &entry.scope),
            "how": entry.map(|entry| &entry.how),
            "place": entry.map(|entry| json!({ "file": &*entry.place.file, "line": entry.place.line })),
            "image": asked.image.as_ref().map(ToString::to_string),
            "answer": asked.verdict.word(),
            "why": why,
            "until": until,
            "digest": asked.digest.as_ref().map(|digest| digest.as_str()),
        })
    };
    json!({ "host": host.host.as_str(), "asked": host.asked.iter().map(one).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::{HostName, ImageRef};
    use crate::problem::Place;
    use crate::session::EntryShown;

    fn asked(scope: Option<&str>, image: Option<&str>, verdict: Verdict) -> Asked {
        Asked {
            entry: scope.map(|scope| EntryShown {
                scope: scope.to_owned(),
                how: "user bot".to_owned(),
                place: Place::new("pillar/registries/x.toml", 3),
            }),
            image: image.map(|image| ImageRef::parse(image).expect("a reference")),
            verdict,
            digest: None,
            problems: None,
        }
    }

    #[test]
    fn a_table_says_what_each_credential_is_worth_on_each_host() {
        let host = HostName::parse("web1").expect("a name");
        let all = vec![
            asked(Some("docker.io"), None, Verdict::RateLimited(Some(1_795_412_026))),
            asked(Some("ghcr.io/acme"), None, Verdict::Works),
            asked(Some("ghcr.io/acme"), Some("ghcr.io/acme/api:1.4.0"), Verdict::Refused),
            asked(Some("quay.io"), None, Verdict::Expired),
            asked(None, Some("nginx:1"), Verdict::NotAsked("a question at Docker Hub counts as a pull")),
        ];
        let text = text(&[Answers { host, asked: all }], None);
        let plain = anstream::adapter::strip_str(&text).to_string();
        insta::assert_snapshot!(plain, @r"
        HOST  CREDENTIAL    ASKED FOR               ANSWER                                   FROM
        web1  docker.io     user bot                rate-limited until 2026-11-23T05:33:46Z  pillar/registries/x.toml:3
        web1  ghcr.io/acme  user bot                works                                    pillar/registries/x.toml:3
        web1  ghcr.io/acme  ghcr.io/acme/api:1.4.0  refused                                  pillar/registries/x.toml:3
        web1  quay.io       user bot                expired                                  pillar/registries/x.toml:3
        web1  anonymous     nginx:1                 not asked

        1 host, 4 asked: 1 works, 1 expired, 1 rate-limited, 1 refused; 1 not asked
        ");
        assert_eq!(super::text(&[], None), "");
    }
}
