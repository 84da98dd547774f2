//! The metrics that an expression of PromQL asks for.

/// Words of the language that look like names.
const WORDS: [&str; 15] = [
    "and",
    "or",
    "unless",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "offset",
    "bool",
    "inf",
    "nan",
    "start",
    "end",
];

/// Words after which a list of labels in parentheses comes.
const BEFORE_LABELS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// The names, in order and each once. What stands in `absent(…)` is not asked for: it is expected
/// to be missing.
pub(super) fn metrics(expression: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let tokens = tokens(expression);
    let mut at = 0_usize;
    // How deep parentheses are inside of one that is not looked into.
    let mut skipped = 0_usize;
    while let Some(token) = tokens.get(at) {
        let next = tokens.get(at.saturating_add(1));
        match token.as_str() {
            "(" if skipped > 0 => skipped = skipped.saturating_add(1),
            ")" if skipped > 0 => skipped = skipped.saturating_sub(1),
            word if skipped == 0 && is_name(word) => {
                let lower = word.to_ascii_lowercase();
                let is_call = next.is_some_and(|next| next == "(");
                // `sum by (a) (b)`: what stands before such a list sums up.
                let sums_up = next.is_some_and(|next| next == "by" || next == "without");
                let is_skipped = BEFORE_LABELS.contains(&lower.as_str())
                    || lower == "absent"
                    || lower == "absent_over_time";
                if is_call && is_skipped {
                    skipped = 1;
                    at = at.saturating_add(1);
                } else if !is_call
                    && !sums_up
                    && !WORDS.contains(&lower.as_str())
                    && !found.iter().any(|one| one == word)
                {
                    found.push(word.to_owned());
                }
            }
            _ => {}
        }
        at = at.saturating_add(1);
    }
    found
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == ':')
}

/// Names, numbers and parentheses; selectors of labels, ranges and texts are left out.
fn tokens(expression: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word = String::new();
    let mut quote: Option<char> = None;
    let mut is_escaped = false;
    let mut depth = 0_usize;
    for c in expression.chars() {
        if let Some(open) = quote {
            if is_escaped {
                is_escaped = false;
            } else if c == '\\' {
                is_escaped = true;
            } else if c == open {
                quote = None;
            }
            continue;
        }
        let is_word = c.is_ascii_alphanumeric() || c == '_' || c == ':' || c == '.';
        if is_word && depth == 0 {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            found.push(std::mem::take(&mut word));
        }
        match c {
            '"' | '\'' | '`' => quote = Some(c),
            '{' | '[' => depth = depth.saturating_add(1),
            '}' | ']' => depth = depth.saturating_sub(1),
            '(' | ')' if depth == 0 => found.push(c.to_string()),
            _ => {}
        }
    }
    if !word.is_empty() {
        found.push(word);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::metrics;

    #[test]
    fn metrics_are_told_from_functions_labels_and_words() {
        for (expression, expected) in [
            ("up == 0", vec!["up"]),
            ("max by (role) (lane_seconds{role=\"x (y)\"}) > 60", vec!["lane_seconds"]),
            (
                "sum(rate(a_total[5m])) / sum(rate(b_total{x=~\"c|d\"}[5m])) > 0.5",
                vec!["a_total", "b_total"],
            ),
            ("vector(1)", vec![]),
            ("absent(gone_metric) or present > bool 5m", vec!["present"]),
            ("(a or 0 * b) and on (api) group_left (x) c offset 5m", vec!["a", "b", "c"]),
            ("gx:rate5m > 1e3 and time() - stamp < Inf", vec!["gx:rate5m", "stamp"]),
            ("a{b='it\\'s {x'} > a", vec!["a"]),
            ("sum without(instance) (z)", vec!["z"]),
        ] {
            assert_eq!(metrics(expression), expected, "{expression}");
        }
    }
}
