//! Double-entry bookkeeping over the ledger's blocks, with nothing but what events say.
//!
//! It knows no rule of the currency: it adds postings up, as somebody from outside would. That the
//! contract, the ledger and the read models agree with it is what `gx verify` shows.

use std::collections::BTreeMap;

use gx_contract::{BatchRecord, Effects, Event, Outcome, Posting};
use gx_types::{AccountId, Amount, MAX_SUPPLY};

/// What an account is known to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Holding {
    pub(super) balance: u64,
    pub(super) frozen: bool,
}

/// All accounts as the postings of some blocks leave them.
#[derive(Debug, Default, Clone)]
pub(super) struct Auditor {
    accounts: BTreeMap<AccountId, Holding>,
    pub(super) transfers: u64,
    pub(super) fees: u128,
}

impl Auditor {
    /// Books a block. The error says what is wrong in it.
    pub(super) fn block(&mut self, record: &BatchRecord) -> Result<(), String> {
        for result in &record.results {
            if let Outcome::Applied(events) = &result.outcome {
                for event in events {
                    let booked = self.event(event);
                    booked.map_err(|fault| format!("command {}: {fault}", result.command_id))?;
                }
            }
        }
        let total = self.total();
        if !self.accounts.is_empty() && total != u128::from(MAX_SUPPLY.qirat()) {
            return Err(format!("all balances sum to {total} Q, not to {MAX_SUPPLY}"));
        }
        Ok(())
    }

    /// The sum of all balances.
    pub(super) fn total(&self) -> u128 {
        self.accounts.values().map(|holding| u128::from(holding.balance)).sum()
    }

    pub(super) fn accounts(&self) -> &BTreeMap<AccountId, Holding> {
        &self.accounts
    }

    fn event(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::SystemBootstrapped(event) => {
                self.post(&event.postings, i128::from(MAX_SUPPLY.qirat()))
            }
            Event::CountriesInitialized(event) => {
                for country in &event.countries {
                    self.accounts.entry(AccountId::treasury(country.country_code)).or_default();
                }
                Ok(())
            }
            Event::UserCreated(event) => {
                self.accounts.entry(event.user_id).or_default();
                Ok(())
            }
            Event::OrganizationActivated(event) => {
                self.accounts.entry(event.org_id).or_default();
                Ok(())
            }
            Event::Transferred(event) => {
                self.transfers += 1;
                self.fees += u128::from(event.fee.qirat());
                self.post(&event.postings, 0)
            }
            Event::WalletFrozen(event) => self.freeze(event.account_id, true),
            Event::WalletUnfrozen(event) => {
                self.freeze(event.account_id, !event.reasons.is_empty())
            }
            Event::MultiSigTxExecuted(event) => {
                self.transfers += 1;
                self.fees += u128::from(event.fee.qirat());
                self.post(&event.postings, 0)
            }
            // What else there is may move coins and opens nothing.
            event => self.post(event.postings(), 0),
        }
    }

    /// Books postings whose changes have to sum to `sum`.
    fn post(&mut self, postings: &[Posting], sum: i128) -> Result<(), String> {
        let changes: i128 =
            postings.iter().map(|posting| i128::from(posting.change().qirat())).sum();
        if changes != sum {
            return Err(format!("its postings sum to {changes} Q, not to {sum} Q"));
        }
        for posting in postings {
            let (id, change) = (posting.account(), posting.change());
            let holding = self.accounts.entry(*id).or_default();
            let balance = i128::from(holding.balance) + i128::from(change.qirat());
            if balance != i128::from(posting.balance().qirat()) {
                let (had, says) = (Amount::from_qirat(holding.balance), posting.balance());
                return Err(format!(
                    "{id} had {had}, changed by {change}, and is said to have {says}"
                ));
            }
            holding.balance = posting.balance().qirat();
        }
        Ok(())
    }

    fn freeze(&mut self, id: AccountId, frozen: bool) -> Result<(), String> {
        let unknown = || format!("{id} is frozen or unfrozen before it exists");
        self.accounts.get_mut(&id).ok_or_else(unknown)?.frozen = frozen;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gx_contract::tokenomics::Transferred;
    use gx_contract::{Scope, TransferType};

    fn transferred(postings: &[(&str, i64, u64)]) -> Event {
        let posting = |(id, change, balance): &(&str, i64, u64)| {
            let change = change.to_string().parse().unwrap();
            Posting(id.parse().unwrap(), change, Amount::from_qirat(*balance))
        };
        let (from, to) = (postings[0].0.parse().unwrap(), postings[1].0.parse().unwrap());
        let (amount, fee) = (Amount::from_qirat(5), Amount::from_qirat(1));
        let postings = postings.iter().map(posting).collect();
        let (kind, scope, remark) = (TransferType::P2P, Scope::Local, String::new());
        Transferred { from, to, amount, fee, kind, scope, remark, postings }.into()
    }

    #[test]
    fn coins_are_neither_made_nor_lost() {
        let mut auditor = Auditor::default();
        auditor.accounts.insert("a".parse().unwrap(), Holding { balance: 6, frozen: false });
        auditor.event(&transferred(&[("a", -6, 0), ("b", 5, 5), ("c", 1, 1)])).unwrap();
        assert_eq!((auditor.total(), auditor.fees, auditor.transfers), (6, 1, 1));
        let fault = auditor.event(&transferred(&[("b", -5, 0), ("a", 6, 6)])).unwrap_err();
        assert!(fault.contains("sum to 1 Q, not to 0 Q"), "{fault}");
        let fault = auditor.event(&transferred(&[("b", -5, 0), ("a", 5, 6)])).unwrap_err();
        assert!(fault.contains("a had 0 Q, changed by +5 Q"), "{fault}");
        let fault = auditor.event(&transferred(&[("b", -9, 0), ("a", 9, 9)])).unwrap_err();
        assert!(fault.contains("b had"), "{fault}");
    }
}
