//! Every form shows the same sums, and nothing that somebody wrote gets out of its place.

use gx_store::tokenomics::history::EntryKind;
use gx_types::CommandId;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::*;

fn account() -> AccountId {
    AccountId::treasury("DE".parse().unwrap())
}

fn entry(number: i64, change_qirat: i64, balance: u64, remark: &str) -> Entry {
    let amount = Amount::from_qirat(change_qirat.unsigned_abs());
    Entry {
        entry: number,
        kind: if change_qirat < 0 { EntryKind::Sent } else { EntryKind::Received },
        command_id: CommandId::from_u128(7),
        block: 3,
        at: TimeMs(1_700_000_000_000),
        counterparty: Some(AccountId::treasury("IN".parse().unwrap())),
        change_qirat,
        amount,
        fee: Amount::from_qirat(if change_qirat < 0 { 1 } else { 0 }),
        balance: Amount::from_qirat(balance),
        remark: Some(remark.to_owned()),
    }
}

fn statement(entries: Vec<Entry>) -> Option<Statement> {
    let time = (TimeMs(1_699_000_000_000), TimeMs(1_701_000_000_000));
    Statement::of(account(), time, Amount::from_qirat(1_000_000), entries, TimeMs(1))
}

/// The texts of the elements with this name.
fn texts(xml: &[u8], name: &str) -> Vec<String> {
    let mut reader = Reader::from_reader(xml);
    let (mut found, mut open, mut depth) = (Vec::new(), false, 0_i32);
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => {
                depth += 1;
                open = tag.name().as_ref() == name.as_bytes();
                if open {
                    found.push(String::new());
                }
            }
            Event::End(_) => {
                depth -= 1;
                open = false;
            }
            Event::Text(text) if open => {
                found.last_mut().unwrap().push_str(&text.decode().unwrap());
            }
            Event::GeneralRef(name) if open => {
                let name = name.decode().unwrap();
                let known = quick_xml::escape::resolve_predefined_entity(&name).unwrap();
                found.last_mut().unwrap().push_str(known);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "every element is closed");
    found
}

#[test]
fn the_sums_lead_from_the_first_balance_to_the_last() {
    let good = statement(vec![
        entry(1, 2_500_000, 3_500_000, "salary"),
        entry(2, -300_001, 3_199_999, "rent"),
    ]);
    let good = good.unwrap();
    assert_eq!(good.closing, Amount::from_qirat(3_199_999));
    assert_eq!((good.credits.count, good.debits.count), (1, 1));
    assert!(statement(vec![entry(1, 1, 5, "a balance that is not so")]).is_none());
    assert!(statement(vec![entry(1, -2_000_000, 0, "more than there is")]).is_none());
    assert_eq!(statement(Vec::new()).unwrap().closing, Amount::from_qirat(1_000_000));
}

#[test]
fn accounting_software_reads_what_adds_up() {
    let long = "x".repeat(200);
    let statement = statement(vec![
        entry(1, 2_500_000, 3_500_000, "<b>&\"salary\"</b> \u{1}"),
        entry(2, -300_001, 3_199_999, &long),
    ]);
    let xml = camt::write(&statement.unwrap()).unwrap();
    let number = |text: &String| text.parse::<i64>().unwrap();
    let amounts: Vec<i64> = texts(&xml, "Amt").iter().map(number).collect();
    // Balances, the net sum, and of each entry its own amount, perhaps a fee, and its details.
    let (opening, closing, net) = (amounts[0], amounts[1], amounts[2]);
    assert_eq!((opening, closing), (1_000_000, 3_199_999));
    assert_eq!(opening + net, closing);
    let sums: Vec<i64> = texts(&xml, "Sum").iter().map(number).collect();
    assert_eq!(sums, [2_800_001, 2_500_000, 300_001]);
    assert_eq!(texts(&xml, "NbOfNtries"), ["2", "1", "1"]);
    let remarks = texts(&xml, "Ustrd");
    assert_eq!(remarks[0], "<b>&\"salary\"</b> \u{fffd}");
    let lengths: Vec<usize> = remarks.iter().map(String::len).collect();
    assert_eq!(lengths[1..], [140, 60]);
    assert!(texts(&xml, "MsgId")[0].len() <= 35);
}

#[test]
fn paper_has_as_many_pages_as_it_takes() {
    let many = (1..=60).map(|n| entry(n, 1, 1_000_000 + n as u64, "gr\u{fc}n \u{0905} (x)"));
    let paper = pdf::write(&statement(many.collect()).unwrap());
    assert!(paper.starts_with(b"%PDF-") && paper.trim_ascii_end().ends_with(b"%%EOF"));
    let text = String::from_utf8_lossy(&paper);
    assert!(text.contains("page 2 of 2") && text.contains("/Count 2"), "{text}");
    let umlaut = hex::encode(b"gr\xfcn ? (x)");
    assert!(text.to_lowercase().contains(&umlaut), "letters of Western Europe are shown");
    let empty = pdf::write(&statement(Vec::new()).unwrap());
    assert!(String::from_utf8_lossy(&empty).contains("page 1 of 1"));
}
