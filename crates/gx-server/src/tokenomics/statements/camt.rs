//! Statements as ISO 20022 has them, camt.053.001.08, for accounting software.
//!
//! That standard has amounts of at most five places, one less than a coin has. So amounts are whole
//! Qirat here, under a code of their own: nothing is rounded, and the sums add up.

use std::io;

use gx_store::tokenomics::history::Entry;
use gx_types::{AccountId, Amount, TimeMs};
use quick_xml::Writer;
use quick_xml::escape::partial_escape;
use quick_xml::events::{BytesDecl, BytesText, Event};
use sha2::{Digest, Sha256};

use super::{Statement, Sum};
use crate::calendar::rfc3339;

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08";

/// A millionth of a coin.
const UNIT: &str = "GXQ";

/// Characters that an unstructured line has at most.
const LINE: usize = 140;

type Xml = Writer<Vec<u8>>;

pub(super) fn write(statement: &Statement) -> io::Result<Vec<u8>> {
    let mut xml = Writer::new(Vec::new());
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.create_element("Document").with_attribute(("xmlns", NAMESPACE)).write_inner_content(
        |xml| {
            within(xml, "BkToCstmrStmt", |xml| {
                within(xml, "GrpHdr", |xml| {
                    leaf(xml, "MsgId", &name(statement))?;
                    leaf(xml, "CreDtTm", &rfc3339(statement.as_of.0))
                })?;
                within(xml, "Stmt", |xml| body(xml, statement))
            })
        },
    )?;
    Ok(xml.into_inner())
}

fn within(
    xml: &mut Xml,
    tag: &str,
    content: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    xml.create_element(tag).write_inner_content(content).map(drop)
}

/// An element with a text. What no XML may hold is shown as what can't be shown.
fn leaf(xml: &mut Xml, tag: &str, text: &str) -> io::Result<()> {
    let legal = |character: char| match character {
        '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'.. => character,
        _ => '\u{fffd}',
    };
    let text: String = text.chars().map(legal).collect();
    let text = BytesText::from_escaped(partial_escape(text));
    xml.create_element(tag).write_text_content(text).map(drop)
}

/// The same statement has the same name, of at most 35 characters.
fn name(statement: &Statement) -> String {
    let Statement { account, from, to, as_of, .. } = statement;
    let hash = Sha256::digest(format!("{account}/{}/{}/{}", from.0, to.0, as_of.0));
    let mut name = hex::encode(hash);
    name.truncate(32);
    name
}

fn body(xml: &mut Xml, statement: &Statement) -> io::Result<()> {
    leaf(xml, "Id", &name(statement))?;
    leaf(xml, "CreDtTm", &rfc3339(statement.as_of.0))?;
    within(xml, "FrToDt", |xml| {
        leaf(xml, "FrDtTm", &rfc3339(statement.from.0))?;
        leaf(xml, "ToDtTm", &rfc3339(statement.to.0))
    })?;
    within(xml, "Acct", |xml| {
        account(xml, &statement.account)?;
        leaf(xml, "Ccy", UNIT)
    })?;
    balance(xml, "OPBD", statement.opening, statement.from)?;
    balance(xml, "CLBD", statement.closing, statement.to)?;
    within(xml, "TxsSummry", |xml| summary(xml, statement))?;
    for one in &statement.entries {
        within(xml, "Ntry", |xml| entry(xml, statement, one))?;
    }
    let unit = "Amounts are in Qirat (GXQ), of which a million are one coin (GXC).";
    leaf(xml, "AddtlStmtInf", unit)
}

fn account(xml: &mut Xml, id: &AccountId) -> io::Result<()> {
    within(xml, "Id", |xml| within(xml, "Othr", |xml| leaf(xml, "Id", id.as_str())))
}

fn amount(xml: &mut Xml, amount: Amount) -> io::Result<()> {
    let text = amount.qirat().to_string();
    xml.create_element("Amt")
        .with_attribute(("Ccy", UNIT))
        .write_text_content(BytesText::new(&text))
        .map(drop)
}

const fn direction(is_debit: bool) -> &'static str {
    if is_debit { "DBIT" } else { "CRDT" }
}

fn balance(xml: &mut Xml, code: &str, held: Amount, at: TimeMs) -> io::Result<()> {
    within(xml, "Bal", |xml| {
        within(xml, "Tp", |xml| within(xml, "CdOrPrtry", |xml| leaf(xml, "Cd", code)))?;
        amount(xml, held)?;
        leaf(xml, "CdtDbtInd", direction(false))?;
        within(xml, "Dt", |xml| leaf(xml, "DtTm", &rfc3339(at.0)))
    })
}

fn summary(xml: &mut Xml, statement: &Statement) -> io::Result<()> {
    let Statement { credits, debits, .. } = statement;
    let count = credits.count.saturating_add(debits.count);
    let all = credits.amount.checked_add(debits.amount);
    // The standard has no room for a sum that is larger than there are coins.
    let net = credits.amount.checked_sub(debits.amount);
    let owed = debits.amount.checked_sub(credits.amount);
    within(xml, "TtlNtries", |xml| {
        leaf(xml, "NbOfNtries", &count.to_string())?;
        if let Some(all) = all {
            leaf(xml, "Sum", &all.qirat().to_string())?;
        }
        within(xml, "TtlNetNtry", |xml| {
            amount(xml, net.or(owed).unwrap_or_default())?;
            leaf(xml, "CdtDbtInd", direction(net.is_none()))
        })
    })?;
    let sum = |xml: &mut Xml, sum: &Sum| {
        leaf(xml, "NbOfNtries", &sum.count.to_string())?;
        leaf(xml, "Sum", &sum.amount.qirat().to_string())
    };
    within(xml, "TtlCdtNtries", |xml| sum(xml, credits))?;
    within(xml, "TtlDbtNtries", |xml| sum(xml, debits))
}

fn entry(xml: &mut Xml, statement: &Statement, entry: &Entry) -> io::Result<()> {
    let is_debit = entry.change_qirat < 0;
    let command = entry.command_id.to_string();
    leaf(xml, "NtryRef", &entry.entry.to_string())?;
    amount(xml, Amount::from_qirat(entry.change_qirat.unsigned_abs()))?;
    leaf(xml, "CdtDbtInd", direction(is_debit))?;
    within(xml, "Sts", |xml| leaf(xml, "Cd", "BOOK"))?;
    for date in ["BookgDt", "ValDt"] {
        within(xml, date, |xml| leaf(xml, "DtTm", &rfc3339(entry.at.0)))?;
    }
    leaf(xml, "AcctSvcrRef", &command)?;
    within(xml, "BkTxCd", |xml| {
        within(xml, "Prtry", |xml| {
            leaf(xml, "Cd", entry.kind.as_str())?;
            leaf(xml, "Issr", "GX Protocol")
        })
    })?;
    if !entry.fee.is_zero() {
        within(xml, "Chrgs", |xml| {
            within(xml, "Rcrd", |xml| {
                amount(xml, entry.fee)?;
                leaf(xml, "CdtDbtInd", direction(true))?;
                leaf(xml, "ChrgInclInd", "true")
            })
        })?;
    }
    within(xml, "NtryDtls", |xml| {
        within(xml, "TxDtls", |xml| details(xml, statement, entry, &command))
    })
}

fn details(xml: &mut Xml, statement: &Statement, entry: &Entry, command: &str) -> io::Result<()> {
    let is_debit = entry.change_qirat < 0;
    within(xml, "Refs", |xml| leaf(xml, "AcctSvcrRef", command))?;
    amount(xml, Amount::from_qirat(entry.change_qirat.unsigned_abs()))?;
    leaf(xml, "CdtDbtInd", direction(is_debit))?;
    if let Some(other) = &entry.counterparty {
        let own = &statement.account;
        let (debtor, creditor) = if is_debit { (own, other) } else { (other, own) };
        within(xml, "RltdPties", |xml| {
            within(xml, "DbtrAcct", |xml| account(xml, debtor))?;
            within(xml, "CdtrAcct", |xml| account(xml, creditor))
        })?;
    }
    let remark: Vec<char> = entry.remark.as_deref().unwrap_or_default().chars().collect();
    if !remark.is_empty() {
        within(xml, "RmtInf", |xml| {
            remark
                .chunks(LINE)
                .try_for_each(|line| leaf(xml, "Ustrd", &line.iter().collect::<String>()))
        })?;
    }
    Ok(())
}
