//! The youngest blocks, kept as they were made for those who follow the tip: they need not be read
//! and decoded again.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::Block;

#[derive(Debug)]
pub(crate) struct Recent {
    blocks: VecDeque<Arc<Block>>,
    bytes: usize,
    most: usize,
}

impl Recent {
    pub(crate) fn new(most: usize) -> Self {
        Self { blocks: VecDeque::new(), bytes: 0, most }
    }

    pub(crate) fn push(&mut self, block: Arc<Block>) {
        self.bytes = self.bytes.saturating_add(block.body_length());
        self.blocks.push_back(block);
        while self.bytes > self.most
            && let Some(oldest) = self.blocks.pop_front()
        {
            self.bytes = self.bytes.saturating_sub(oldest.body_length());
        }
    }

    pub(crate) fn get(&self, number: u64) -> Option<Arc<Block>> {
        let first = self.blocks.front()?.number();
        let at = usize::try_from(number.checked_sub(first)?).ok()?;
        self.blocks.get(at).filter(|block| block.number() == number).cloned()
    }

    pub(crate) fn clear(&mut self) {
        self.blocks.clear();
        self.bytes = 0;
    }
}
