//! Questions to the ledger's state, answered with the same discovery of keys as commands.

use serde::Serialize;

use crate::execution::WrongState;
use crate::state::{Key, State};
use crate::tx::Stop;
use crate::{Query, Refused};

/// A query's answer. It may read; it can write nothing.
pub trait Answer {
    type Answer: Serialize + schemars::JsonSchema;

    /// # Errors
    /// A refusal, or that the state is not known yet.
    fn answer(&self, state: &mut State) -> Result<Self::Answer, Stop>;
}

/// What a query wants next.
#[derive(Debug)]
pub enum QueryStep {
    /// Supply these keys and run again.
    Need(Vec<Key>),
    /// The answer as a JSON text, or why there is none.
    Done(Result<String, Refused>),
}

/// One run of a query.
#[derive(Debug)]
pub struct QueryExecution {
    query: Query,
    state: State,
}

impl QueryExecution {
    pub fn new(query: Query) -> Self {
        Self { query, state: State::default() }
    }

    /// Supplies the value of a key that was asked for; `None` when the ledger has none.
    ///
    /// # Errors
    /// [`WrongState`] when the bytes are not a record of the key's type.
    pub fn supply(&mut self, key: Key, value: Option<&[u8]>) -> Result<(), WrongState> {
        self.state.supply(key, value).map_err(|source| WrongState { key: key.encode(), source })
    }

    /// Goes on as far as the supplied state allows.
    pub fn run(&mut self) -> QueryStep {
        match self.query.ask(&mut self.state) {
            Ok(answer) => QueryStep::Done(Ok(answer)),
            Err(Stop::Refused(refused)) => QueryStep::Done(Err(refused)),
            Err(Stop::Missing) => QueryStep::Need(self.state.take_missing()),
        }
    }

    /// Runs to the end on a host that answers at once: `supply` supplies all the keys that it is
    /// given.
    ///
    /// # Errors
    /// What `supply` failed with.
    pub fn complete<E>(
        mut self,
        mut supply: impl FnMut(&mut Self, Vec<Key>) -> Result<(), E>,
    ) -> Result<Result<String, Refused>, E> {
        loop {
            match self.run() {
                QueryStep::Done(answer) => return Ok(answer),
                QueryStep::Need(keys) => supply(&mut self, keys)?,
            }
        }
    }
}
