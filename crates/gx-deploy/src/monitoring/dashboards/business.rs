//! Business: people, payments, loans, votes.

use super::{Dashboard, Panel, Row, Shape, query};

/// Commands of some functions, accepted in a second.
macro_rules! accepted {
    ($functions:literal) => {
        concat!(
            "sum(rate(commands_submitted_total{function=~\"",
            $functions,
            "\"}[5m])) or vector(0)"
        )
    };
}

pub(super) const DASHBOARD: Dashboard = Dashboard {
    uid: "gx-business",
    title: "GX · Business",
    about: "What people do with the currency.",
    is_own: true,
    rows: &[
        Row {
            title: "People and money",
            panels: &[
                Panel {
                    title: "Accounts",
                    about: "All that the ledger has: people, organizations, treasuries, pools.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[query("max(accounts_open)", "accounts")],
                },
                Panel {
                    title: "GX that changes hands",
                    about: "In an hour.",
                    unit: "none",
                    shape: Shape::Lines,
                    queries: &[query(
                        "sum(increase(money_moved_qirat_total[1h])) / 1e6",
                        "GX an hour",
                    )],
                },
                Panel {
                    title: "Who holds the supply",
                    about: "The part of each kind of account.",
                    unit: "percentunit",
                    shape: Shape::Lines,
                    queries: &[query(
                        "max by (holder) (supply_qirat) / scalar(sum(supply_qirat))",
                        "{{holder}}",
                    )],
                },
                Panel {
                    title: "In escrow",
                    about: "GX that waits between two people.",
                    unit: "none",
                    shape: Shape::Lines,
                    queries: &[query(
                        "max(supply_qirat{holder=\"escrow\"}) / 1e6 or vector(0)",
                        "GX",
                    )],
                },
            ],
        },
        Row {
            title: "What is asked for",
            panels: &[
                Panel {
                    title: "Payments",
                    about: "Transfers, escrows and payments of organizations, accepted in a \
                        second.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[
                        query(accepted!("TokenomicsContract:.*Transfer.*"), "transfers"),
                        query(accepted!(".*Escrow.*"), "escrows"),
                        query(accepted!("OrganizationContract:.*"), "organizations"),
                    ],
                },
                Panel {
                    title: "Loans, votes, tax",
                    about: "Accepted in a second.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[
                        query(accepted!("LoanPoolContract:.*"), "loans"),
                        query(accepted!("GovernanceContract:.*"), "governance"),
                        query(accepted!("TaxAndFeeContract:.*"), "tax"),
                    ],
                },
                Panel {
                    title: "People who join",
                    about: "Accounts asked for on the ledger, in a second.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[query(accepted!("IdentityContract:CreateUser"), "accounts")],
                },
                Panel {
                    title: "What people are told",
                    about: "Notifications made of what the ledger did, by topic.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[query(
                        "sum by (topic) (rate(notifications_made_total[5m]))",
                        "{{topic}}",
                    )],
                },
            ],
        },
    ],
};
