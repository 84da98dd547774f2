//! One's own money: what is there, what came and went, and paying somebody.

use clap::Args;
use gx_types::{AccountId, Amount, AmountError, ParseError};
use serde_json::{Value, json};

use crate::api::{Api, part, put, with_query};
use crate::failure::{Failure, Result};
use crate::giving::{Order, SETTLED, Settling, no, unsettled};
use crate::options::Job;
use crate::out::{Parts, text};

const BALANCE: &Parts = &[
    ("account", "/userId"),
    ("balance", "/balance"),
    ("available", "/availableBalance"),
    ("frozen", "/frozenAmount"),
    ("currency", "/currency"),
    ("as of", "/lastUpdated"),
];

const MOVEMENTS: &Parts = &[
    ("TIME", "/timestamp"),
    ("TYPE", "/type"),
    ("AMOUNT", "/amount"),
    ("FEE", "/fee"),
    ("BALANCE", "/balanceAfter"),
    ("FROM", "/from"),
    ("TO", "/to"),
    ("REMARK", "/description"),
];

/// An amount in GX, such as 25 or 0.5.
pub(crate) fn amount(text: &str) -> std::result::Result<Amount, AmountError> {
    Amount::from_gx_text(text)
}

/// An account id, whose check characters tell most mistakes.
pub(crate) fn account(text: &str) -> std::result::Result<AccountId, String> {
    let id: AccountId = text.parse().map_err(|error: ParseError| error.to_string())?;
    match id.layout() {
        Err(error) if !id.is_reserved() => Err(format!("no account has this id: {error}")),
        _ => Ok(id),
    }
}

#[derive(Debug, Args)]
pub struct Balance {
    /// Right after this block instead of now.
    #[arg(long, value_name = "NUMBER")]
    as_of_block: Option<u64>,
}

impl Job for Balance {
    fn run(&self, api: &mut Api) -> Result<()> {
        let path = format!("/api/v1/wallets/{}/balance", part(&api.session()?.id));
        let block = self.as_of_block.map(|block| block.to_string());
        let reply = api.get(&with_query(&path, &[("asOfBlock", block)]))?;
        api.out.record(&reply, BALANCE)
    }
}

#[derive(Debug, Args)]
pub struct History {
    /// How many at most, from 1 to 100.
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    limit: u32,
    /// Goes on where a list ended.
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
    /// Only these: TRANSFER, SENT, RECEIVED, FEE, TAX, LOAN and so on.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// With this account only.
    #[arg(long, value_name = "ACCOUNT", value_parser = account)]
    with: Option<AccountId>,
    /// From this time on, as 2026-01-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Until this time.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Prints a table for spreadsheets instead.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl Job for History {
    fn run(&self, api: &mut Api) -> Result<()> {
        let path = format!("/api/v1/wallets/{}/transactions", part(&api.session()?.id));
        let path = with_query(
            &path,
            &[
                ("limit", Some(self.limit.to_string())),
                ("cursor", self.cursor.clone()),
                ("type", self.kind.clone()),
                ("counterparty", self.with.map(|account| account.to_string())),
                ("from", self.from.clone()),
                ("to", self.to.clone()),
            ],
        );
        if self.csv {
            let table = api.document(&path, "text/csv")?;
            return api.out.line(table.replace('\r', "").trim_end());
        }
        let page = api.get(&path)?;
        api.out.page(&page, MOVEMENTS)
    }
}

#[derive(Debug, Args)]
pub struct Send {
    /// Account that is paid; quoted, as it has blanks in it.
    #[arg(value_parser = account)]
    to: AccountId,
    /// In GX, such as 25 or 0.5; the fee comes on top.
    #[arg(value_parser = amount)]
    amount: Amount,
    /// What it is for, readable by everybody on the ledger.
    #[arg(long, value_name = "TEXT")]
    remark: Option<String>,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Send {
    fn run(&self, api: &mut Api) -> Result<()> {
        let mut body = json!({ "toUserId": self.to, "amount": self.amount.to_gx() });
        if let Some(remark) = &self.remark {
            put(&mut body, "remark", remark);
        }
        // What is repeated was confirmed, and may be settled: then a quote says nothing of it.
        if self.settling.giving.idempotency_key.is_none() || !self.settling.giving.yes {
            let quote = quoted(api, &body)?;
            self.settling.giving.confirm(&question(&quote, self.to.as_str()))?;
        }
        let reply = self.settling.give(api, Order::post("/api/v1/transfers", body))?;
        api.out.record(&reply, SETTLED)
    }
}

/// What a payment would come to. One that would be refused is refused here.
pub(crate) fn quoted(api: &mut Api, body: &Value) -> Result<Value> {
    let quote = api.ask("/api/v1/transfers/quote", body)?;
    match text(&quote, "/allowed").as_str() {
        "yes" => Ok(quote),
        _ => {
            let code = text(&quote, "/refusal/code");
            Err(Failure::refused(&code, text(&quote, "/refusal/message")))
        }
    }
}

/// The question before a payment.
pub(crate) fn question(quote: &Value, to: &str) -> String {
    let [amount, fee, total, after, tax] =
        ["/amount", "/fee/feeAmount", "/totalDebit", "/balanceAfter", "/taxDue"]
            .map(|at| text(quote, at));
    let tax = match tax.chars().any(|c| ('1'..='9').contains(&c)) {
        true => format!(", velocity tax {tax}"),
        false => String::new(),
    };
    format!("Pay {amount} GX to {to}? The fee is {fee}{tax}; {total} leave, and {after} stay.")
}

#[derive(Debug, Args)]
pub struct Status {
    /// Id of the command.
    id: String,
}

impl Job for Status {
    fn run(&self, api: &mut Api) -> Result<()> {
        let reply = api.get(&format!("/api/v1/commands/{}", part(&self.id)))?;
        api.out.record(&reply, SETTLED)?;
        // Scripts tell by the exit status what became of it.
        match text(&reply, "/status").as_str() {
            "committed" => Ok(()),
            "refused" | "dead" => Err(no(&reply)),
            open => Err(unsettled(&self.id, &format!("and {open} so far"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use gx_types::AccountType;

    use super::*;

    #[test]
    fn mistyped_accounts_are_told_from_others() {
        assert!(account("SYSTEM_CHARITABLE_POOL").is_ok() && account("treasury_DE").is_ok());
        let id = AccountId::from_entropy("DE".parse().unwrap(), AccountType::Individual, [7; 16]);
        assert_eq!(account(id.as_str()), Ok(id));
        let mistyped = id.as_str().replace("7777", "7778");
        for wrong in [&*mistyped, "nobody", "DE", "", "ada@example.org"] {
            assert!(account(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_question_says_everything_that_leaves() {
        let mut quote = json!({
            "amount": "25.00", "fee": { "feeAmount": "0.0375" }, "taxDue": "0.00",
            "totalDebit": "25.0375", "balanceAfter": "474.9625",
        });
        let plain = question(&quote, "DE 1");
        assert_eq!(
            plain,
            "Pay 25.00 GX to DE 1? The fee is 0.0375; 25.0375 leave, and 474.9625 stay."
        );
        put(&mut quote, "taxDue", "1.50");
        assert!(question(&quote, "DE 1").contains("fee is 0.0375, velocity tax 1.50; "));
    }
}
