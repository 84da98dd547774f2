//! Fields of payments and of the ledger's blocks.

use crate::http::fields::{Written, number_field};

/// A remark on a payment: everybody on the ledger can read it.
pub(crate) type Remark = Written<0, 200>;

/// A number of a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockNumber(pub(crate) u64);

number_field!(
    [] BlockNumber,
    "BlockNumber",
    |number| {
        let fits = number.filter(|number| i64::try_from(*number).is_ok());
        fits.map(Self).ok_or_else(|| "must be the number of a block".into())
    },
    { "type": "integer", "minimum": 0, "maximum": i64::MAX }
);
