//! MastoWatch's rules, as its `GET /rules` gives them, written as ours.
//!
//! Its words mean other things: a hit counts only when the weight reaches the rule's own threshold, keywords are looked
//! for in raw HTML, some of its behaviours read what no server sends. What is meant is taken over, and what had to be
//! changed is said. Every imported rule begins in shadow, whatever it was.

use std::fmt::Write as _;

use serde_json::Value;

/// Rules that were taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// A file for the rules folder.
    pub toml: String,
    /// How many rules are in it.
    pub rules: usize,
    /// What was changed or left out, and why, each with the rule's name.
    pub notes: Vec<String>,
}

/// Why nothing could be taken over.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The text is no JSON.
    #[error("no JSON")]
    Json(#[from] serde_json::Error),
    /// It is JSON of something else.
    #[error("no list of MastoWatch's rules: an array, or an object with `rules`")]
    Shape,
}

/// Reads the answer of MastoWatch's `GET /rules`, an object with `rules`, or a list of its rows.
///
/// # Errors
/// When it is neither. A rule that cannot be taken over is left out and noted.
pub fn from_mastowatch(json: &str) -> Result<Imported, ImportError> {
    let value: Value = serde_json::from_str(json)?;
    let rules = value
        .get("rules")
        .unwrap_or(&value)
        .as_array()
        .ok_or(ImportError::Shape)?;
    let mut all = Imported {
        toml:
            "# Taken over from MastoWatch. Every rule is in shadow: play it over what is stored before it goes live.\n"
                .to_owned(),
        rules: 0,
        notes: Vec::new(),
    };
    let mut ids = std::collections::BTreeSet::new();
    for (number, rule) in rules.iter().enumerate() {
        let name = text(rule, "name").unwrap_or("unnamed");
        let mut id = id_of(name);
        // Another name may read like one with its number.
        while !ids.insert(id.clone()) {
            let _ = write!(id, "-{}", number + 1);
        }
        let mut notes = Vec::new();
        match one(rule, &id, name, number, &mut notes) {
            // What we write is checked as what people write is.
            Ok(toml) => {
                match crate::Ruleset::compile(&[crate::Source::new("mastowatch.toml", &toml)], &crate::Sets::default())
                {
                    Ok(_) => {
                        all.toml.push('\n');
                        all.toml.push_str(&toml);
                        all.rules += 1;
                    }
                    Err(problems) => notes.push(format!("left out: {}; {}", problems[0].message, problems[0].next)),
                }
            }
            Err(why) => notes.push(format!("left out: {why}")),
        }
        all.notes
            .extend(notes.into_iter().map(|note| format!("{name}: {note}")));
    }
    Ok(all)
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key)?.as_str().filter(|text| !text.trim().is_empty())
}

fn id_of(name: &str) -> String {
    let mut id = String::new();
    for c in name.chars().take(50) {
        if c.is_ascii_alphanumeric() {
            id.push(c.to_ascii_lowercase());
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
    }
    let id = id.trim_end_matches('-');
    if id.is_empty() {
        "rule".to_owned()
    } else {
        id.to_owned()
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn one(rule: &Value, id: &str, name: &str, number: usize, notes: &mut Vec<String>) -> Result<String, String> {
    let first = condition(rule, text(rule, "pattern").ok_or("it has no pattern")?, notes)?;
    let when = match (text(rule, "boolean_operator"), text(rule, "secondary_pattern")) {
        (Some(operator), Some(second)) => {
            let second = condition(rule, second, notes)?;
            match operator.to_ascii_uppercase().as_str() {
                "AND" => {
                    notes.push(
                        "both patterns must now be in one status with its account; they could be anywhere".to_owned(),
                    );
                    format!("{{ all = [{first}, {second}] }}")
                }
                "OR" => format!("{{ any = [{first}, {second}] }}"),
                other => return Err(format!("{other:?} is no operator")),
            }
        }
        _ => first,
    };
    let weight = rule.get("weight").and_then(Value::as_f64).unwrap_or(1.0);
    let threshold = rule.get("trigger_threshold").and_then(Value::as_f64).unwrap_or(1.0);
    let is_behaviour = text(rule, "detector_type") == Some("behavioral");
    if weight < threshold && !is_behaviour {
        notes.push(format!(
            "weighs {weight} and asked for {threshold} of itself, so it never counted; now it adds {weight} to what others add"
        ));
    }
    let weight = if weight > 0.0 { weight } else { 0.1 };
    let (action, unknown) = match text(rule, "action_type").unwrap_or("report") {
        "report" => ("report", None),
        "warn" => ("warn", None),
        "silence" => ("silence", None),
        "suspend" => ("suspend", None),
        "disable" => ("disable", None),
        "sensitive" => ("sensitive", None),
        "domain_block" => ("report", Some("domain_block is for blocklists here; it reports")),
        _ => ("report", Some("an action nobody knows; it reports")),
    };
    notes.extend(unknown.map(str::to_owned));
    if action != "report" {
        notes.push(format!(
            "asks for `{action}`; nothing but a person does that until the rule allows it"
        ));
    }
    let mut toml = format!(
        "[[rules]]\nid = {}\nname = {}\nstate = \"shadow\"\nweight = {weight}\naction = \"{action}\"\n",
        quoted(id),
        quoted(&format!(
            "{} ({})",
            name.chars().take(100).collect::<String>(),
            number + 1
        )),
    );
    if let Some(description) = text(rule, "description") {
        let _ = writeln!(toml, "description = {}", quoted(description));
    }
    if let Some(warning) = text(rule, "action_warning_text") {
        let _ = writeln!(
            toml,
            "tell = {}",
            quoted(&warning.chars().take(500).collect::<String>())
        );
    }
    let seconds = rule
        .get("action_duration_seconds")
        .and_then(Value::as_u64)
        .filter(|seconds| *seconds > 0);
    if let Some(seconds) = seconds
        && matches!(action, "silence" | "suspend" | "disable" | "sensitive")
    {
        let after = humantime::format_duration(std::time::Duration::from_secs(seconds.min(315_360_000)));
        let _ = writeln!(toml, "undo_after = \"{after}\"");
    }
    let _ = writeln!(toml, "when = {when}");
    Ok(toml)
}

fn condition(rule: &Value, pattern: &str, notes: &mut Vec<String>) -> Result<String, String> {
    let options = rule.get("match_options");
    let option = |key: &str, default: bool| {
        options
            .and_then(|options| options.get(key))
            .and_then(Value::as_bool)
            .unwrap_or(default)
    };
    match text(rule, "detector_type").unwrap_or_default() {
        "keyword" => {
            let words: Vec<String> = pattern
                .split(',')
                .map(str::trim)
                .filter(|word| !word.is_empty())
                .map(quoted)
                .collect();
            if pattern.split(',').count() > words.len() {
                notes.push("an empty word in its list matched everybody; it is left out".to_owned());
            }
            if words.is_empty() {
                return Err("its list holds no word".to_owned());
            }
            let mut more = fields(rule);
            if option("case_sensitive", false) {
                more.push_str(", case = true");
            }
            if !option("word_boundaries", true) {
                more.push_str(", whole_word = false");
            }
            Ok(format!("{{ keywords = [{}]{more} }}", words.join(", ")))
        }
        "regex" => Ok(format!("{{ regex = [{}]{} }}", quoted(pattern), fields(rule))),
        "media" => Ok(media(pattern)),
        "behavioral" => behaviour(rule, pattern.trim()),
        other => Err(format!("{other:?} is no kind of rule")),
    }
}

fn fields(rule: &Value) -> String {
    let known = ["username", "display_name", "bio", "content"];
    let named: Vec<&str> = rule
        .get("target_fields")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|field| known.into_iter().find(|known| field.as_str() == Some(known)))
        .collect();
    let named = if named.is_empty() { known.to_vec() } else { named };
    let named: Vec<String> = named.into_iter().map(quoted).collect();
    format!(", in = [{}]", named.join(", "))
}

/// Alt text, type, or a hash; its hashes were of addresses and never of files, so only those of files can hit now.
fn media(pattern: &str) -> String {
    let pattern = pattern.trim().to_lowercase();
    if pattern.len() == 64 && pattern.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return format!("{{ media_hashes = [\"sha256:{pattern}\"] }}");
    }
    let pattern = quoted(&pattern);
    format!("{{ keywords = [{pattern}], in = [\"alt_text\", \"media_type\"], whole_word = false }}")
}

/// What its behaviours were meant to find. Its thresholds are counts.
fn behaviour(rule: &Value, name: &str) -> Result<String, String> {
    let threshold = rule.get("trigger_threshold").and_then(Value::as_f64).unwrap_or(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a count that a person typed, and `as` stays within i64"
    )]
    let least = (threshold.ceil() as i64).clamp(1, 1_000_000);
    Ok(match name {
        "rapid_posting" => format!("{{ counter = \"posts\", window = \"1h\", at_least = {least} }}"),
        "daily_posting" => format!("{{ counter = \"posts\", window = \"24h\", at_least = {least} }}"),
        "interaction_spam" => format!("{{ counter = \"distinct_mentions\", window = \"24h\", at_least = {least} }}"),
        "automation_disclosure" => "{ any = [{ all = [{ not = { is = \"bot\" } }, { fact = \"recent_posts\", at_least = 20 }, \
             { fact = \"recent_duplicates\", above = 50 }] }, { all = [{ is = \"bot\" }, { any = [\
             { counter = \"posts\", window = \"1h\", above = 1 }, { counter = \"posts\", window = \"24h\", above = 24 }] }] }] }"
            .to_owned(),
        "link_spam" => "{ all = [{ fact = \"recent_posts\", at_least = 20 }, { fact = \"recent_with_links\", is = 100 }, { any = [\
             { fact = \"recent_link_domains\", is = 1 }, { fact = \"recent_duplicates\", above = 50 }] }] }"
            .to_owned(),
        other => return Err(format!("nobody knows the behaviour {other:?}")),
    })
}
