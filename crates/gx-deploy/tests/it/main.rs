//! What is made for operators: checked by itself, and by the programs that read it.
//!
//! What is made for Kubernetes is rendered by `kubectl` and looked at without the code that made
//! it. Tests that need a program say so on a line of their own where there is none; those that need
//! a control plane (`KUBE_HOME`) as well.

#![expect(clippy::print_stdout, reason = "what was not run is told")]

mod alertmanager;
mod checked;
mod cluster;
mod monitoring;
mod promql;
mod reach;
mod render;
mod runbooks;
mod tool;
mod tree;
