//! What is made for operators: checked by itself, and by the programs that read it.

mod alertmanager;
mod monitoring;
mod promql;
mod runbooks;
mod tool;
