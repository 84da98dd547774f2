//! Payment requests: a code that somebody scans, and paying one.

use std::time::{Duration, Instant};

use clap::Args;
use gx_types::Amount;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;

use crate::api::{Api, part, put};
use crate::failure::{Failure, Result};
use crate::giving::{Giving, Order, SETTLED, Settling};
use crate::money::{amount, question, quoted};
use crate::options::Job;
use crate::out::{Parts, text};

const REQUEST: &Parts = &[
    ("code", "/requestCode"),
    ("amount", "/amount"),
    ("for", "/description"),
    ("reference", "/reference"),
    ("status", "/status"),
    ("until", "/expiresAt"),
];

const PATH: &str = "/api/v1/qsend";

/// How often a request that somebody waits for is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub struct Request {
    /// In GX, such as 25 or 0.5.
    #[arg(value_parser = amount)]
    amount: Amount,
    /// What it is for; whoever pays reads it.
    #[arg(long = "for", value_name = "TEXT")]
    description: Option<String>,
    /// A number of your own, such as that of an invoice.
    #[arg(long, value_name = "TEXT")]
    reference: Option<String>,
    /// How many seconds it can be paid, from 60 to 600.
    #[arg(
        long, value_name = "SECONDS", default_value_t = 300,
        value_parser = clap::value_parser!(u32).range(60..=600)
    )]
    valid: u32,
    /// Waits until it is paid or over.
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    giving: Giving,
}

impl Job for Request {
    fn run(&self, api: &mut Api) -> Result<()> {
        let mut body = json!({ "amount": self.amount.to_gx(), "validitySeconds": self.valid });
        for (name, text) in [("description", &self.description), ("reference", &self.reference)] {
            if let Some(text) = text {
                put(&mut body, name, text);
            }
        }
        let made = self.giving.change(api, &Order::post(PATH, body))?;
        api.out.record(&made, REQUEST)?;
        if !api.out.json {
            api.out.line(&picture(&text(&made, "/qrData"))?)?;
        }
        match self.wait {
            true => self.wait_for(api, &text(&made, "/requestCode")),
            false => Ok(()),
        }
    }
}

impl Request {
    /// Looks until the request is paid. One that ends otherwise is a failure.
    fn wait_for(&self, api: &mut Api, code: &str) -> Result<()> {
        let (began, path) = (Instant::now(), format!("{PATH}/{}", part(code)));
        // The server says when it is over; a payment that has begun may take a little longer.
        let patience = Duration::from_secs(u64::from(self.valid) + 60);
        loop {
            let request = api.get(&path)?;
            match text(&request, "/status").as_str() {
                "PAID" => {
                    let payer = [("paid by", "/payerName"), ("at", "/paidAt")];
                    return api.out.record(&request, &payer);
                }
                "ACTIVE" | "PAYING" if began.elapsed() < patience => api.pause(LOOK_EVERY),
                other => {
                    let text = format!("the request is {other} and was not paid");
                    return Err(Failure::refused("not_paid", text));
                }
            }
        }
    }
}

/// A code that phones read from the screen, on which most terminals write light on dark.
fn picture(data: &str) -> Result<String> {
    let code = QrCode::new(data).map_err(|error| Failure::local("no picture of this", error))?;
    let mut picture = code.render::<Dense1x2>();
    picture.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark);
    Ok(picture.build())
}

#[derive(Debug, Args)]
pub struct Pay {
    /// Code of the request, such as QS-ABCD2345.
    code: String,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Pay {
    fn run(&self, api: &mut Api) -> Result<()> {
        let path = format!("{PATH}/{}", part(&self.code));
        let request = api.get(&path)?;
        let giving = &self.settling.giving;
        if giving.idempotency_key.is_none() || !giving.yes {
            let to = text(&request, "/creatorFabricId");
            let body = json!({ "toUserId": to, "amount": text(&request, "/amount") });
            let quote = quoted(api, &body)?;
            let [name, what] = ["/creatorName", "/description"].map(|at| text(&request, at));
            let whom = [name, to, what].into_iter().filter(|text| !text.is_empty());
            let whom: Vec<_> = whom.collect();
            giving.confirm(&question(&quote, &whom.join(", ")))?;
        }
        let order = Order::post(format!("{path}/pay"), json!({}));
        let reply = self.settling.give(api, order)?;
        api.out.record(&reply, SETTLED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_a_row_for_every_two_of_the_code() {
        let shown = picture("eyJ2IjoxfQ").unwrap();
        let lines: Vec<_> = shown.lines().collect();
        // 21 modules and a margin of four on each side, two in a line.
        assert_eq!(lines.len(), 15, "{shown}");
        assert!(lines.iter().all(|line| line.chars().count() == 29), "{shown}");
        assert!(picture(&"a".repeat(10_000)).is_err());
    }
}
