//! The names of metrics in a PromQL expression, for tests of what rules and dashboards name.

/// Words of the language where a metric could stand.
const WORDS: [&str; 15] = [
    "and",
    "bool",
    "by",
    "group_left",
    "group_right",
    "ignoring",
    "inf",
    "nan",
    "offset",
    "on",
    "or",
    "start",
    "end",
    "unless",
    "without",
];

/// Functions that may say by which labels before what they are given.
const SUMS: [&str; 7] = ["avg", "bottomk", "count", "max", "min", "sum", "topk"];

/// After these a list of labels follows in parentheses.
const BEFORE_LABELS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// The metrics that an expression reads, in order, each as often as it stands there.
pub(crate) fn metrics(expr: &str) -> Vec<String> {
    let chars: Vec<char> = expr.chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    let mut before = String::new();
    while let Some(&c) = chars.get(at) {
        match c {
            '{' => at = after(&chars, at, '}'),
            '[' => at = after(&chars, at, ']'),
            '"' => at = after(&chars, at + 1, '"'),
            '(' if BEFORE_LABELS.contains(&before.as_str()) => {
                before.clear();
                at = after(&chars, at, ')');
            }
            c if c.is_ascii_digit() => {
                let rest = chars.get(at..).unwrap_or_default();
                at += rest.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '.').count();
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let rest = chars.get(at..).unwrap_or_default();
                let is_part = |c: &&char| c.is_ascii_alphanumeric() || "_:".contains(**c);
                let word: String = rest.iter().take_while(is_part).collect();
                at += word.chars().count();
                let next = chars.get(at..).unwrap_or_default().iter().find(|c| **c != ' ');
                let is_label_list = BEFORE_LABELS.contains(&word.as_str());
                let is_known = WORDS.contains(&word.as_str()) || SUMS.contains(&word.as_str());
                if !is_known && next != Some(&'(') {
                    found.push(word.clone());
                }
                before = if is_label_list { word } else { String::new() };
            }
            ' ' => at += 1,
            _ => {
                before.clear();
                at += 1;
            }
        }
    }
    found
}

/// The place behind the next such sign, outside of texts.
fn after(chars: &[char], from: usize, sign: char) -> usize {
    let (mut at, mut quoted) = (from, false);
    while let Some(&c) = chars.get(at) {
        at += 1;
        if c == sign && (sign == '"' || !quoted) {
            return at;
        }
        if c == '"' {
            quoted = !quoted;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::metrics;

    #[test]
    fn metrics_are_told_from_functions_labels_and_words() {
        let expr = "1 - sum by (api, le) (rate(a_total{x=~\"b|c}\"}[5m])) / on (api) \
            max by (api) (gx:d:rate5m) > bool 14.4 * 0.0005 and on () e unless time() - f > 800e6";
        assert_eq!(metrics(expr), ["a_total", "gx:d:rate5m", "e", "f"]);
        assert_eq!(metrics("absent(up{job=\"gx\"})"), ["up"]);
        assert_eq!(metrics("vector(1)"), Vec::<String>::new());
    }
}
