//! The page of a plan in a browser: what a reviewer sees, at a desk, at night, on a telephone and on paper.

use crate::browser::Browser;
use crate::env::has_program;
use crate::service::Service;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Says what of the page cannot be seen or read. A drawing wider than the screen is moved in its own frame.
const LOOK: &str = r#"() => {
    const faults = [], paper = matchMedia("print").matches, wide = document.documentElement.clientWidth;
    const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
    const ground = (one) => {
        const box = one.closest(".box");
        if (box) return parts(getComputedStyle(box.querySelector("rect")).fill);
        for (; one; one = one.parentElement) {
            const colour = parts(getComputedStyle(one).backgroundColor);
            if (colour[3] !== 0) return colour;
        }
        return [255, 255, 255];
    };
    const look = (one) => {
        const say = (what) => faults.push(`${one.textContent.trim().slice(0, 60)}: ${what}`);
        const place = one.getBoundingClientRect(), style = getComputedStyle(one);
        if (!one.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return say("hidden");
        if (!place.width || !place.height) return say("without size");
        const frame = one.closest(".graph");
        if (frame && !paper) {
            const [from, inner] = [frame.getBoundingClientRect(), frame.scrollWidth];
            if (getComputedStyle(frame).overflowX !== "auto") say("cannot be moved into sight");
            if (place.right - from.left + frame.scrollLeft > inner + 1) say("beyond the drawing");
        } else if (place.left < 0 || place.right > wide + 1) say(`beyond the edge: ${place.right} of ${wide}`);
        const box = one.closest(".box")?.querySelector("rect").getBoundingClientRect();
        if (box && (place.right > box.right + 1 || place.bottom > box.bottom + 1)) say("wider than its box");
        const [a, b] = [light(parts(one.closest("svg") ? style.fill : style.color)), light(ground(one))];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < 4.5) say(`contrast ${contrast.toFixed(2)}`);
    };
    const all = (what) => [...document.querySelectorAll(what)];
    const folded = all("details:not([open])");
    if (document.documentElement.scrollWidth > wide) faults.push("the page is wider than the screen");
    all("h1, h2, h3, .summary a, .count, .change code, .change .symbol, .meaning, .causes li").forEach(look);
    all(".graph .box text, .legend li, .legend .symbol, details > summary").forEach(look);
    if (!paper) folded.forEach((one) => { one.open = true; });
    all("th, td:not(:empty), .stay code, ol.steps li, ol.steps .faint").forEach(look);
    if (!paper) folded.forEach((one) => { one.open = false; });
    return faults;
}"#;

/// The addresses of all changes and the words of all steps, as they stand in the page.
const WORDS: &str = r#"() => [
    [...document.querySelectorAll(".change code, .stay code")].map((one) => one.textContent),
    [...document.querySelectorAll("ol.steps li")].map((one) => one.firstChild.textContent.trim()),
    document.querySelectorAll(".graph .box").length,
]"#;

fn texts(value: &Value) -> Vec<String> {
    let texts = value.as_array().expect("a list").iter();
    texts.map(|text| text.as_str().expect("text").to_owned()).collect()
}

#[test]
fn the_page_of_a_plan_can_be_read_by_day_by_night_on_a_telephone_and_on_paper() {
    if !has_program("chromium") || !has_program("pdftotext") {
        return;
    }
    let Some(service) = Service::deployed(2, "") else { return };
    service.release("healthy", "1.1.0");
    let env = &service.bed.env;
    let plan: Value = env.run(&["plan", "--json", "--html", "plan.html"]).ok().json();
    let page = env.workspace().join("plan.html");
    let Some(mut browser) = Browser::open(env, &page) else { return };

    let host = &plan["hosts"][0];
    let said = browser.ask(WORDS);
    let addresses = host["changes"].as_array().expect("changes").iter();
    let addresses: BTreeSet<&str> = addresses.filter_map(|change| change["address"].as_str()).collect();
    let steps = host["steps"].as_array().expect("steps").len();
    let (shown, words) = (texts(&said[0]), texts(&said[1]));
    assert_eq!(shown.iter().map(String::as_str).collect::<BTreeSet<_>>(), addresses);
    assert!(steps > 10, "an upgrade of two containers: {plan}");
    assert_eq!((words.len(), &said[2]), (steps, &json!(steps)), "each step in words and in the drawing");

    for theme in ["light", "dark"] {
        for (media, width) in [("screen", 1280), ("screen", 420), ("print", 718)] {
            let features = json!([{ "name": "prefers-color-scheme", "value": theme }]);
            browser.tell("Emulation.setEmulatedMedia", json!({ "media": media, "features": features }));
            let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
            browser.tell("Emulation.setDeviceMetricsOverride", size);
            assert_eq!(browser.ask(LOOK), json!([]), "{theme}, {media}, {width} pixels wide");
        }
    }
    let grounds = ["light", "dark"].map(|theme| {
        let features = json!([{ "name": "prefers-color-scheme", "value": theme }]);
        browser.tell("Emulation.setEmulatedMedia", json!({ "media": "screen", "features": features }));
        browser.ask("() => getComputedStyle(document.body).backgroundColor")
    });
    assert_ne!(grounds[0], grounds[1], "the themes differ");

    // What would be wrong is found.
    let spoil = |style: &str| format!("() => {{ document.querySelector('.causes li').style = '{style}' }}");
    for (style, fault) in
        [("visibility: hidden", "hidden"), ("color: var(--paper)", "contrast"), ("width: 90rem", "beyond")]
    {
        browser.ask(&spoil(style));
        assert!(browser.ask(LOOK).to_string().contains(fault), "{style}");
    }
    browser.ask(&spoil(""));

    browser.tell("Emulation.setEmulatedMedia", json!({ "media": "", "features": [] }));
    let printed = browser.tell("Page.printToPDF", json!({}))["data"].as_str().expect("a PDF").to_owned();
    env.write("plan.pdf.base64", printed);
    let script = "base64 -d plan.pdf.base64 > plan.pdf && pdftotext plan.pdf -";
    let paper = env.program("sh", &["-c", script]).run().ok();
    // Lines end anywhere on paper, and pdftotext takes a hyphen there for one of hyphenation.
    let bare = |text: &str| text.replace('-', "").split_whitespace().collect::<String>();
    let paper = bare(paper.stdout());
    for text in shown.iter().chain(&words) {
        assert!(paper.contains(&bare(text)), "not on paper: {text}");
    }

    let complaints = ["Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"];
    let heard = |methods: &[&str]| -> Vec<Value> {
        let those = browser.events.iter().filter(|event| methods.iter().any(|one| event["method"] == *one));
        those.map(|event| event["params"].clone()).collect()
    };
    assert_eq!(heard(&complaints), Vec::<Value>::new());
    let asked = heard(&["Network.requestWillBeSent"]);
    let asked: Vec<&Value> = asked.iter().map(|event| &event["request"]["url"]).collect();
    assert_eq!(asked, [&json!(format!("file://{}", page.display()))], "nothing else is asked for");
}
