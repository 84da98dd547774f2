//! `docs/contract.md`: every command, event, query, parameter and refusal code of the contract.
//!
//! All of it comes from gx-contract: nothing is told here that the code does not know.

mod schema;

use std::fmt::Write;

use gx_contract::params::{Parameter, ParameterValue};
use gx_contract::{ActorRule, Command, CommandDescription, Event, Gate, Query, Refusal};
use schemars::SchemaGenerator;

use schema::{Shape, cell};

const HEAD: &str = "# The contract

Every command, event, query, parameter and refusal code, made from the code by `cargo xtask gen`.
Arguments are a JSON object; fields stand in the order in which they are written and signed.
Amounts are decimal strings of Qirat, a millionth of a GX; times are milliseconds since 1970 in UTC.

A command is checked in this order: its id is new, the role of the submitting service, the system \
is bootstrapped and not paused, the actor is known and allowed, the actor's signature \
([account keys](account-keys.md)), the actor is neither frozen nor locked nor deceased, the other \
party exists and is not frozen; then the arguments; then the rule itself against the state.
The codes of a command below stand in the order in which they are checked: of two that fit, the \
first is given.
A refused command changes nothing.
";

/// The page as Markdown.
pub(crate) fn page() -> String {
    let mut generator = SchemaGenerator::default();
    let commands = Command::schemas(&mut generator);
    let events = Event::schemas(&mut generator);
    let queries = Query::descriptions(&mut generator);
    let mut page = HEAD.to_owned();
    section(&mut page, "Commands", "");
    for (described, (_, arguments)) in Command::descriptions().iter().zip(&commands) {
        command(&mut page, described, &Shape::of(arguments, &generator));
    }
    let postings = "An event that moves coins lists its postings; their changes sum to zero, \
                    bootstrap excepted.\n";
    section(&mut page, "Events", postings);
    for (name, fields) in &events {
        let shape = Shape::of(fields, &generator);
        let _ = write!(page, "\n### {name}\n\n{}\n{}", shape.description(), shape.fields());
    }
    section(&mut page, "Queries", "A query needs no role and no actor.\n");
    for query in &queries {
        let arguments = Shape::of(&query.arguments, &generator);
        let answer = Shape::of(&query.answer, &generator);
        let (name, text) = (query.name, arguments.description());
        let _ = write!(page, "\n### {name}\n\n{text}\n{}", arguments.fields());
        let _ = write!(page, "\nAnswer: {}\n{}", answer.type_name(), answer.fields());
    }
    section(&mut page, "Types", "What fields are made of, besides texts and numbers.\n");
    let shown: Vec<&str> = commands.iter().chain(&events).filter_map(|c| name_of(&c.1)).collect();
    let asked = queries.iter().flat_map(|query| [&query.arguments, &query.answer]);
    let asked: Vec<&str> = asked.filter_map(name_of).collect();
    for (name, fields) in generator.definitions() {
        if shown.contains(&name.as_str()) || asked.contains(&name.as_str()) {
            continue;
        }
        let shape = Shape::defined(fields);
        let _ = write!(page, "\n### {name}\n\n{}\n{}", shape.description(), shape.body());
    }
    parameters(&mut page);
    refusals(&mut page);
    page
}

fn section(page: &mut String, title: &str, text: &str) {
    let gap = if text.is_empty() { "" } else { "\n" };
    let _ = write!(page, "\n## {title}\n{gap}{text}");
}

/// The name under which a schema is defined.
fn name_of(schema: &schemars::Schema) -> Option<&str> {
    schema.get("$ref")?.as_str()?.rsplit('/').next()
}

fn command(page: &mut String, described: &CommandDescription, arguments: &Shape<'_>) {
    let _ = write!(page, "\n### {}\n\n{}\n\n", described.name, arguments.description());
    for gate in &described.gates {
        let _ = writeln!(page, "- Given by {}", given_by(gate));
    }
    let names = |names: &[String]| names.join(", ");
    let codes: Vec<String> = described.refusals.iter().map(|code| format!("`{code}`")).collect();
    let events: Vec<String> = described.events.iter().map(|event| format!("`{event}`")).collect();
    let more = if described.runs_actions { ", and those of the action" } else { "" };
    let _ = writeln!(page, "- Refusals, in order: {}{more}", names(&codes));
    let _ = writeln!(page, "- Events: {}{more}", names(&events));
    page.push_str(&arguments.fields());
}

fn given_by(gate: &Gate) -> String {
    let actor = match gate.actor {
        ActorRule::Bootstrap => "the system or the admin whom it names",
        ActorRule::SuperAdmin => "a super admin",
        ActorRule::Admin => "an admin",
        ActorRule::AdminOrSystem => "an admin or scheduled work",
        ActorRule::User => "a user, signed if the account has a key",
    };
    let mut text = format!("{actor}, through a service of role `{}`", gate.role);
    if gate.needs_two_admins() {
        text.push_str("; **two admins**: another approves it by `ApproveAction`");
    }
    match gate.taken() {
        (true, _) => text.push_str("; before anything else"),
        (_, true) => text.push_str("; also while the system is paused"),
        (false, false) => {}
    }
    if gate.taken_from_frozen() {
        text.push_str("; also from a frozen account");
    }
    text
}

fn parameters(page: &mut String) {
    let text = "Changed by two super admins (`UpdateSystemParameter`), a week after their \
                decision, or at once by a vote (`SubmitProposal`).\n\
                The first command that is applied when a week is over has the events of the \
                change before its own.\n";
    section(page, "Parameters", text);
    page.push_str("\n| Id | Unit | Default | Smallest | Largest | Meaning |\n");
    page.push_str("|---|---|---|---|---|---|\n");
    for parameter in Parameter::all() {
        let (min, max) = parameter.bounds();
        let [default, min, max] = [parameter.default_value(), min, max].map(ParameterValue::get);
        let unit = format!("{:?}", parameter.unit());
        let meaning = cell(parameter.description());
        let _ =
            writeln!(page, "| `{parameter}` | {unit} | {default} | {min} | {max} | {meaning} |");
    }
}

fn refusals(page: &mut String) {
    let text = "In order of precedence. After a passing one, the same command may be applied \
                later under a new id without anybody changing it.\n";
    section(page, "Refusal codes", text);
    page.push_str("\n| Code | Kind | Passing | Meaning |\n|---|---|---|---|\n");
    for code in Refusal::ALL {
        let passing = if code.transient() { "yes" } else { "" };
        let (kind, meaning) = (code.kind().name(), cell(code.describe()));
        let _ = writeln!(page, "| `{code}` | {kind} | {passing} | {meaning} |");
    }
}

#[cfg(test)]
mod tests {
    use gx_contract::{Command, Event, Query, Refusal};

    #[test]
    fn everything_that_has_a_name_stands_on_the_page() {
        let page = super::page();
        let headings = Command::NAMES.iter().chain(Event::NAMES).chain(Query::NAMES);
        for name in headings {
            assert_eq!(page.matches(&format!("\n### {name}\n")).count(), 1, "{name}");
        }
        for code in Refusal::ALL {
            assert!(page.contains(&format!("| `{code}` |")), "{code}");
        }
        assert!(page.contains("| `votingDays` | Days | 14 |"));
    }

    #[test]
    fn fields_stand_in_the_order_in_which_they_are_signed() {
        let page = super::page();
        let (_, transfer) = page.split_once("### TokenomicsContract:Transfer\n").unwrap();
        let fields = ["`from`", "`to`", "`amount`", "`remark`"];
        let places = fields.map(|field| transfer.find(&format!("| {field} |")).unwrap());
        assert!(places.is_sorted());
    }
}
