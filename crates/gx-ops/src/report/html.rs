//! One page without parts elsewhere, to be read on a telephone as well.

use super::words::{self, escape};
use crate::rules::{Audit, Group, Issue};

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884}\
*{box-sizing:border-box}\
body{font:16px/1.45 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem}\
h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;margin:2rem 0 .5rem}\
p{margin:.4rem 0}\
article{border:1px solid var(--line);border-left:.4rem solid;border-radius:.3rem;\
margin:1rem 0;padding:.7rem .9rem;overflow-wrap:anywhere}\
article h3{font-size:1rem;margin:0 0 .3rem}\
.critical{border-left-color:#b00020}.high{border-left-color:#d9480f}\
.medium{border-left-color:#b08800}.low{border-left-color:#4a7a9c}\
.mark{font-size:.8rem;font-weight:700;text-transform:uppercase;letter-spacing:.04em}\
dl{margin:.4rem 0}dt{font-size:.8rem;opacity:.75}dd{margin:0 0 .4rem}\
code{font:.85em ui-monospace,monospace}\
details{margin:.4rem 0}summary{cursor:pointer}\
li{margin:.3rem 0}ul{padding-left:1.2rem}\
@media print{article{break-inside:avoid}}";

pub(super) fn render(audit: &Audit) -> String {
    let taken = escape(&audit.taken.to_string());
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Audit of {taken}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>Audit of {taken}</h1>\n<p>{}</p>\n<p>{}</p>\n",
        escape(&words::counts(audit)),
        escape(&words::rules(audit))
    );
    for group in &audit.groups {
        page.push_str(&cause(group));
    }
    let missing = words::missing(audit);
    if !missing.is_empty() {
        page.push_str("<h2>Not known</h2>\n<ul>\n");
        for fact in missing {
            page.push_str(&format!(
                "<li>{}<br><code>{}</code><br>{}</li>\n",
                escape(&fact.told()),
                escape(&fact.how),
                escape(&fact.rules.join(", "))
            ));
        }
        page.push_str("</ul>\n");
    }
    if !audit.excluded.is_empty() {
        page.push_str("<h2>Excluded</h2>\n<ul>\n");
        for one in &audit.excluded {
            page.push_str(&format!(
                "<li>{} on {}: {} ({}, until {})</li>\n",
                escape(&one.rule),
                escape(&one.object.to_string()),
                escape(&one.reason),
                escape(&one.owner),
                one.until.date()
            ));
        }
        page.push_str("</ul>\n");
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn cause(group: &Group) -> String {
    let Some(head) = group.head() else { return String::new() };
    let own = group.issues.iter().take_while(|issue| issue.object == head.object).count();
    let (own, rest) = group.issues.split_at(own);
    let mut text = format!(
        "<article class=\"{severity}\">\n<h3>{}</h3>\n<p class=\"mark\">{severity}</p>\n",
        escape(&group.cause.to_string()),
        severity = group.severity
    );
    for issue in own {
        text.push_str(&told(issue, issue.object == group.cause));
    }
    if !rest.is_empty() {
        let word = if rest.len() == 1 { "consequence" } else { "consequences" };
        text.push_str(&format!("<details><summary>{} {word}</summary>\n<ul>\n", rest.len()));
        for issue in rest {
            text.push_str(&format!(
                "<li>{} {} {}: {}</li>\n",
                issue.finding.severity,
                escape(&issue.finding.rule),
                escape(&issue.finding.subject),
                escape(&issue.finding.evidence)
            ));
        }
        text.push_str("</ul>\n</details>\n");
    }
    text.push_str("</article>\n");
    text
}

/// Text in which what stands between backticks is code.
fn marked(text: &str) -> String {
    let mut parts = text.split('`');
    let mut marked = parts.next().map(escape).unwrap_or_default();
    let mut is_code = true;
    for part in parts {
        let part = escape(part);
        marked.push_str(&if is_code { format!("<code>{part}</code>") } else { part });
        is_code = !is_code;
    }
    marked
}

fn told(issue: &Issue, is_cause: bool) -> String {
    let mut text = format!(
        "<p><strong>{} {}</strong></p>\n<dl>\n",
        escape(&issue.finding.rule),
        escape(&issue.title)
    );
    let field = issue.field.clone().unwrap_or_default();
    let page = issue.runbook.as_ref().map(|page| format!("`docs/{page}`")).unwrap_or_default();
    let field = if field.is_empty() { field } else { format!("`{field}`") };
    // The cause stands above all of its issues already.
    let subject = if is_cause { "" } else { issue.finding.subject.as_str() };
    let rows = [
        ("What", subject),
        ("Seen", issue.finding.evidence.as_str()),
        ("Why it matters", issue.why.as_str()),
        ("To do", issue.finding.remedy.as_ref()),
        ("Where", field.as_str()),
        ("When nothing is done", issue.otherwise.as_str()),
        ("Runbook", page.as_str()),
    ];
    for (name, value) in rows.into_iter().filter(|(_, value)| !value.is_empty()) {
        text.push_str(&format!("<dt>{name}</dt><dd>{}</dd>\n", marked(value)));
    }
    text.push_str("</dl>\n");
    text
}
