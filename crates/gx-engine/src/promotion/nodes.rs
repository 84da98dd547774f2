//! Where the pods of a workload may run: what the scheduler would ask of a node.

use std::collections::BTreeMap;

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub is_ready: bool,
    pub is_schedulable: bool,
    pub taints: Vec<Taint>,
    /// The images on its disk, by every name that the node tells.
    pub images: Vec<String>,
    /// Whether the node tells of so many images that it may have left some out.
    pub may_hide_images: bool,
}

/// What keeps pods away that do not tolerate it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taint {
    pub key: String,
    pub value: String,
    pub effect: String,
}

/// What a pod tolerates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toleration {
    /// None tolerates every key.
    pub key: Option<String>,
    /// None tolerates every value.
    pub value: Option<String>,
    /// None tolerates every effect.
    pub effect: Option<String>,
}

impl Toleration {
    fn covers(&self, taint: &Taint) -> bool {
        let fits =
            |own: &Option<String>, theirs: &String| own.as_ref().is_none_or(|own| own == theirs);
        fits(&self.key, &taint.key)
            && fits(&self.value, &taint.value)
            && fits(&self.effect, &taint.effect)
    }
}

/// How an expression compares a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    Gt,
    Lt,
}

/// What a label of the node has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    pub key: String,
    pub operator: Operator,
    pub values: Vec<String>,
}

impl Expression {
    fn holds(&self, node: &Node) -> bool {
        let label = node.labels.get(&self.key);
        let number = |text: Option<&String>| text.and_then(|text| text.parse::<i64>().ok());
        let numbers = number(label).zip(number(self.values.first()));
        match self.operator {
            Operator::In => label.is_some_and(|label| self.values.contains(label)),
            Operator::NotIn => label.is_none_or(|label| !self.values.contains(label)),
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
            Operator::Gt => numbers.is_some_and(|(label, bound)| label > bound),
            Operator::Lt => numbers.is_some_and(|(label, bound)| label < bound),
        }
    }
}

/// What a workload asks of the nodes of its pods.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placement {
    pub labels: BTreeMap<String, String>,
    /// One of these groups has to hold, all expressions of it; no group asks nothing.
    pub any_of: Vec<Vec<Expression>>,
    pub tolerations: Vec<Toleration>,
}

impl Placement {
    /// Whether a pod may be started on the node.
    pub fn admits(&self, node: &Node) -> bool {
        let has = |(key, value): (&String, &String)| node.labels.get(key) == Some(value);
        let holds = |group: &Vec<Expression>| group.iter().all(|one| one.holds(node));
        let keeps_away = |taint: &&Taint| {
            matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute")
                && !self.tolerations.iter().any(|toleration| toleration.covers(taint))
        };
        node.is_ready
            && node.is_schedulable
            && self.labels.iter().all(has)
            && (self.any_of.is_empty() || self.any_of.iter().any(holds))
            && !node.taints.iter().any(|taint| keeps_away(&taint))
    }
}
