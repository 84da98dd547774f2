//! Writes what a block changes, each table in one statement.

use std::collections::HashMap;

use gx_contract::GenesisStatus;
use gx_contract::Outcome;
use gx_types::AccountId;

use crate::Error;
use crate::bulk::{Bulk, Column};
use crate::columns::{frozen_text, genesis_columns, kind_text};
use crate::numbering::numbered;
use crate::projection::block::ProjectedBlock;
use crate::projection::rows::{EntryRow, all_there};
use crate::projection::state::{
    AccountState, Change, CountryRow, NewAccount, Projection, SystemChange,
};
use crate::projection::{attesters, rows};
use crate::sql::{Conn, int, name_of, sql};

/// Writes everything, and gives the accounts back as they are left.
pub(super) async fn projection(
    conn: &mut Conn<'_>,
    projection: Projection<'_>,
) -> Result<HashMap<AccountId, AccountState>, Error> {
    let mut touched: Vec<&AccountState> =
        projection.accounts.values().filter(|state| state.touched).collect();
    // In the order of the table, so that neighbours on a page are written together.
    touched.sort_unstable_by_key(|state| state.no);
    accounts(conn, &projection.new_accounts).await?;
    let (new, old): (Vec<&AccountState>, Vec<&AccountState>) =
        touched.into_iter().partition(|state| state.new.is_some());
    let timers = projection.accounts.values().filter(|state| state.retimed && state.new.is_none());
    balances(conn, &new, &old, timers.collect()).await?;
    entries(conn, &projection.entries).await?;
    Bulk::new(
        "INSERT INTO entry_marks (account_no, entry_no) {rows}",
        vec![
            Column::Int(projection.marks.iter().map(|(account, _)| *account).collect()),
            Column::Int(projection.marks.iter().map(|(_, entry)| *entry).collect()),
        ],
    )
    .run(conn)
    .await?;
    account_changes(conn, &projection).await?;
    countries(conn, &projection).await?;
    system(conn, projection.system).await?;
    for change in projection.changes {
        run(conn, change).await?;
    }
    rows::votes(conn, &projection.votes).await?;
    rows::tallies(conn, &projection.tallies).await?;
    attesters::write(conn, &projection.attested).await?;
    rows::assessments(conn, &projection.assessments).await?;
    rows::skips(conn, &projection.skips).await?;
    Ok(projection.accounts)
}

/// Runs a statement of an event. A row that it must change and that is not there stops the
/// projection.
async fn run(conn: &mut Conn<'_>, change: Change) -> Result<(), Error> {
    let Change { statement, one_row, block, command_id } = change;
    let doing = statement.beginning();
    let touched = statement.run(conn).await?;
    if one_row && touched != 1 {
        let reason = format!("{doing}: {touched} rows where one is expected");
        let command_id = Some(command_id.to_string());
        return Err(Error::Projection { block, command_id, reason });
    }
    Ok(())
}

async fn accounts(conn: &mut Conn<'_>, new: &[NewAccount]) -> Result<(), Error> {
    let genesis: Vec<_> = new.iter().map(|account| genesis_columns(account.genesis)).collect();
    Bulk::new(
        "INSERT INTO accounts (account_no, account_id, kind, country, account_type, cap_qirat,
            frozen, genesis, genesis_phase, genesis_qirat, created_tx, status, trust_score,
            custodian) {rows}",
        vec![
            Column::Int(new.iter().map(|account| account.no).collect()),
            Column::Text(new.iter().map(|account| account.id.as_str().into()).collect()),
            Column::Text(new.iter().map(|account| kind_text(account.kind).into()).collect()),
            Column::OptText(
                new.iter().map(|account| Some(account.country?.to_string().into())).collect(),
            ),
            Column::Text(new.iter().map(|a| a.account_type.as_str().into()).collect()),
            Column::OptInt(new.iter().map(|a| i64::try_from(a.cap?.qirat()).ok()).collect()),
            Column::OptText(new.iter().map(|a| frozen_text(a.frozen).map(Into::into)).collect()),
            Column::OptText(genesis.iter().map(|(status, _, _)| status.map(Into::into)).collect()),
            Column::OptInt(genesis.iter().map(|(_, phase, _)| *phase).collect()),
            Column::OptInt(genesis.iter().map(|(_, _, amount)| *amount).collect()),
            Column::Int(new.iter().map(|account| account.created_tx).collect()),
            Column::OptText(new.iter().map(|a| Some(name_of(&a.standing?.0).into())).collect()),
            Column::OptInt(new.iter().map(|a| Some(i64::from(a.standing?.1))).collect()),
            Column::OptText(new.iter().map(|a| Some(a.custodian?.to_string().into())).collect()),
        ],
    )
    .run(conn)
    .await
    .map(drop)
}

/// New rows, new values of old ones, and the timers that have changed, with what waits in escrow:
/// an index is on timers, which payments that change none leave alone.
async fn balances(
    conn: &mut Conn<'_>,
    new: &[&AccountState],
    old: &[&AccountState],
    mut timers: Vec<&AccountState>,
) -> Result<(), Error> {
    let columns = |rows: &[&AccountState]| {
        vec![
            Column::Int(rows.iter().map(|state| state.no).collect()),
            Column::Int(rows.iter().map(|state| state.balance).collect()),
            Column::Int(rows.iter().map(|state| state.last_entry).collect()),
            Column::Int(rows.iter().map(|state| state.entry_count).collect()),
        ]
    };
    let since = |rows: &[&AccountState]| {
        Column::OptInt(rows.iter().map(|state| state.taxable_since).collect())
    };
    let ran = |rows: &[&AccountState]| {
        Column::OptInt(rows.iter().map(|state| state.taxable_for).collect())
    };
    let escrowed =
        |rows: &[&AccountState]| Column::Int(rows.iter().map(|state| state.escrowed).collect());
    let mut new_columns = columns(new);
    new_columns.extend([since(new), ran(new), escrowed(new)]);
    Bulk::new(
        "INSERT INTO balances (account_no, balance_qirat, last_entry, entry_count,
            taxable_since_ms, taxable_for_ms, escrowed_qirat) {rows}",
        new_columns,
    )
    .run(conn)
    .await?;
    let touched = Bulk::new(
        "WITH input (account_no, balance_qirat, last_entry, entry_count) AS ({rows})
        UPDATE balances SET balance_qirat = i.balance_qirat, last_entry = i.last_entry,
            entry_count = i.entry_count
        FROM input i WHERE balances.account_no = i.account_no",
        columns(old),
    )
    .run(conn)
    .await?;
    all_there(touched, old.len(), "balances")?;
    timers.sort_unstable_by_key(|state| state.no);
    let touched = Bulk::new(
        "WITH input (account_no, taxable_since_ms, taxable_for_ms, escrowed_qirat) AS ({rows})
        UPDATE balances SET taxable_since_ms = i.taxable_since_ms,
            taxable_for_ms = i.taxable_for_ms, escrowed_qirat = i.escrowed_qirat
        FROM input i WHERE balances.account_no = i.account_no",
        vec![
            Column::Int(timers.iter().map(|state| state.no).collect()),
            since(&timers),
            ran(&timers),
            escrowed(&timers),
        ],
    )
    .run(conn)
    .await?;
    all_there(touched, timers.len(), "balances")
}

async fn entries(conn: &mut Conn<'_>, rows: &[EntryRow<'_>]) -> Result<(), Error> {
    let int = |value: fn(&EntryRow<'_>) -> i64| Column::Int(rows.iter().map(value).collect());
    Bulk::new(
        "INSERT INTO entries (entry_no, account_no, prev_entry, tx_no, kind, counterparty_no,
            change_qirat, fee_qirat, balance_qirat, remark) {rows}",
        vec![
            int(|row| row.entry_no),
            int(|row| row.account_no),
            int(|row| row.prev_entry),
            int(|row| row.tx_no),
            Column::Text(rows.iter().map(|row| row.kind.as_str().into()).collect()),
            Column::OptInt(rows.iter().map(|row| row.counterparty_no).collect()),
            int(|row| row.change),
            int(|row| row.fee),
            int(|row| row.balance),
            Column::OptText(rows.iter().map(|row| row.remark.map(Into::into)).collect()),
        ],
    )
    .run(conn)
    .await
    .map(drop)
}

/// Freezes and later genesis of accounts that existed before.
async fn account_changes(conn: &mut Conn<'_>, projection: &Projection<'_>) -> Result<(), Error> {
    let frozen = projection.frozen.values().map(|reasons| frozen_text(*reasons).map(Into::into));
    Bulk::new(
        "WITH input (account_no, frozen) AS ({rows})
        UPDATE accounts SET frozen = i.frozen FROM input i
        WHERE accounts.account_no = i.account_no",
        vec![
            Column::Int(projection.frozen.keys().copied().collect()),
            Column::OptText(frozen.collect()),
        ],
    )
    .run(conn)
    .await?;
    let genesis: Vec<_> = projection.genesis.values().map(|status| columns_of(*status)).collect();
    Bulk::new(
        "WITH input (account_no, genesis, genesis_phase, genesis_qirat) AS ({rows})
        UPDATE accounts SET genesis = i.genesis, genesis_phase = i.genesis_phase,
            genesis_qirat = i.genesis_qirat
        FROM input i WHERE accounts.account_no = i.account_no",
        vec![
            Column::Int(projection.genesis.keys().copied().collect()),
            Column::OptText(genesis.iter().map(|(status, _, _)| status.map(Into::into)).collect()),
            Column::OptInt(genesis.iter().map(|(_, phase, _)| *phase).collect()),
            Column::OptInt(genesis.iter().map(|(_, _, amount)| *amount).collect()),
        ],
    )
    .run(conn)
    .await
    .map(drop)
}

fn columns_of(status: GenesisStatus) -> (Option<&'static str>, Option<i64>, Option<i64>) {
    genesis_columns(Some(status))
}

/// Countries are few: all that were touched are written whole.
async fn countries(conn: &mut Conn<'_>, projection: &Projection<'_>) -> Result<(), Error> {
    let rows: Vec<&CountryRow> = projection.countries.values().collect();
    let mut columns = vec![
        Column::Text(projection.countries.keys().map(|code| code.to_string().into()).collect()),
        Column::Int(rows.iter().map(|row| row.weight).collect()),
        Column::Int(rows.iter().map(|row| row.users).collect()),
    ];
    for phase in 0..6 {
        let slots = rows.iter().map(|row| row.slots.get(phase).copied().unwrap_or_default());
        columns.push(Column::Int(slots.collect()));
    }
    for phase in 0..6 {
        let used = rows.iter().map(|row| row.used.get(phase).copied().unwrap_or_default());
        columns.push(Column::Int(used.collect()));
    }
    Bulk::new(
        "INSERT INTO countries (code, weight, users, slots_1, slots_2, slots_3, slots_4, slots_5,
            slots_6, used_1, used_2, used_3, used_4, used_5, used_6) {rows}
        ON CONFLICT (code) DO UPDATE SET users = excluded.users,
            slots_1 = excluded.slots_1, slots_2 = excluded.slots_2, slots_3 = excluded.slots_3,
            slots_4 = excluded.slots_4, slots_5 = excluded.slots_5, slots_6 = excluded.slots_6,
            used_1 = excluded.used_1, used_2 = excluded.used_2, used_3 = excluded.used_3,
            used_4 = excluded.used_4, used_5 = excluded.used_5, used_6 = excluded.used_6",
        columns,
    )
    .run(conn)
    .await
    .map(drop)
}

async fn system(conn: &mut Conn<'_>, change: SystemChange) -> Result<(), Error> {
    if let Some((at, admin)) = change.bootstrapped {
        sql("INSERT INTO system (id, bootstrapped_at_ms, first_super_admin) VALUES (1, $1, $2)")
            .bind(at)
            .bind(admin.as_str())
            .run(conn)
            .await?;
    }
    if let Some(paused) = change.paused {
        let (since, reason) = paused.unzip();
        let touched = sql("UPDATE system SET paused_since_ms = $1, pause_reason = $2 WHERE id = 1")
            .bind(since)
            .bind(reason)
            .run(conn)
            .await?;
        if touched == 0 {
            return Err(Error::corrupt("system", "paused before it was bootstrapped"));
        }
    }
    if let Some(paused_ms) = change.paused_ms {
        sql("UPDATE system SET paused_ms = $1 WHERE id = 1").bind(paused_ms).run(conn).await?;
    }
    Ok(())
}

pub(super) async fn blocks(
    conn: &mut Conn<'_>,
    blocks: &[ProjectedBlock<'_>],
) -> Result<(), Error> {
    let mut numbers = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    let mut tx_nos = Vec::new();
    for block in blocks {
        let refused =
            |result: &&gx_contract::CommandResult| matches!(result.outcome, Outcome::Refused(_));
        let refused = block.record.results.iter().filter(refused).count();
        let values = [
            int(block.number)?,
            block.record.time.0,
            int(u64::try_from(block.commands.len()).unwrap_or(u64::MAX))?,
            int(u64::try_from(refused).unwrap_or(u64::MAX))?,
        ];
        numbers.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        for index in 0..block.commands.len() {
            tx_nos.push(numbered(block.number, index)?);
        }
    }
    let [number, at, commands, refused] = numbers;
    let text = |value: fn(&ProjectedBlock<'_>) -> String| {
        Column::Text(blocks.iter().map(|block| value(block).into()).collect())
    };
    Bulk::new(
        "INSERT INTO blocks (number, hash, prev_hash, at_ms, role, batch_id, command_count,
            refused_count) {rows}",
        vec![
            Column::Int(number),
            text(|block| hex::encode(block.hash)),
            text(|block| hex::encode(block.prev_hash)),
            Column::Int(at),
            text(|block| block.role.to_string()),
            text(|block| block.record.batch_id.to_string()),
            Column::Int(commands),
            Column::Int(refused),
        ],
    )
    .run(conn)
    .await?;
    transactions(conn, blocks, tx_nos).await
}

async fn transactions(
    conn: &mut Conn<'_>,
    blocks: &[ProjectedBlock<'_>],
    tx_nos: Vec<i64>,
) -> Result<(), Error> {
    let commands = || blocks.iter().flat_map(|block| block.commands);
    let outcomes = || blocks.iter().flat_map(|b| &b.record.results).map(|result| &result.outcome);
    let refusal = |outcome: &'_ Outcome| match outcome {
        Outcome::Applied(_) => ("APPLIED", None),
        Outcome::Refused(refused) => ("REFUSED", Some(refused.clone())),
        Outcome::Repeated(repeated) => ("REPEATED", repeated.refused.clone()),
    };
    let states: Vec<_> = outcomes().map(refusal).collect();
    Bulk::new(
        "INSERT INTO transactions (tx_no, command_id, actor, function, state, code, detail) {rows}",
        vec![
            Column::Int(tx_nos),
            Column::Text(commands().map(|c| c.command_id.to_string().into()).collect()),
            Column::Text(commands().map(|c| c.actor.to_string().into()).collect()),
            Column::Text(commands().map(|c| c.command.name().into()).collect()),
            Column::Text(states.iter().map(|(state, _)| (*state).into()).collect()),
            Column::OptText(
                states.iter().map(|(_, no)| Some(no.as_ref()?.code.code().into())).collect(),
            ),
            Column::OptText(
                states.iter().map(|(_, no)| Some(no.as_ref()?.detail.as_str().into())).collect(),
            ),
        ],
    )
    .run(conn)
    .await
    .map(drop)
}
