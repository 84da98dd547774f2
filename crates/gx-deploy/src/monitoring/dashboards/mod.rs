//! Dashboards of Grafana: rows of panels, each a question in PromQL.
//!
//! Where a panel stands follows from its place in the table; nobody drags one.

mod business;
mod data;
mod fabric;
mod nodes;
mod overview;
mod pipeline;
mod services;

use serde_json::{Value, json};

use super::yaml::{list, map, text, word};

/// A page of Grafana.
#[derive(Debug, Clone, Copy)]
pub struct Dashboard {
    pub uid: &'static str,
    pub title: &'static str,
    pub about: &'static str,
    /// Whether every panel has data on a platform that runs alone, without Fabric and exporters.
    pub is_own: bool,
    pub rows: &'static [Row],
}

/// Panels that belong together, under a heading.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub title: &'static str,
    pub panels: &'static [Panel],
}

/// A picture of one thing.
#[derive(Debug, Clone, Copy)]
pub struct Panel {
    pub title: &'static str,
    /// What it tells, and what is good.
    pub about: &'static str,
    /// Grafana's word for the unit.
    pub(crate) unit: &'static str,
    pub(crate) shape: Shape,
    pub queries: &'static [Query],
}

/// How a panel looks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// One number; red from the value on, or never.
    Number {
        red_from: Option<f64>,
    },
    /// One number that is red below the value.
    Least {
        red_below: f64,
    },
    Lines,
}

/// What a panel asks, and what its lines are called.
#[derive(Debug, Clone, Copy)]
pub struct Query {
    pub expr: &'static str,
    pub(crate) legend: &'static str,
}

/// A query, named by what it tells of, or by labels as `{{role}}`.
const fn query(expr: &'static str, legend: &'static str) -> Query {
    Query { expr, legend }
}

pub const DASHBOARDS: &[Dashboard] = &[
    overview::DASHBOARD,
    pipeline::DASHBOARD,
    services::DASHBOARD,
    business::DASHBOARD,
    fabric::DASHBOARD,
    data::DASHBOARD,
    nodes::DASHBOARD,
];

/// Columns of a page.
const WIDTH: u32 = 24;

impl Shape {
    /// Columns and rows of the grid.
    const fn size(self) -> (u32, u32) {
        match self {
            Self::Number { .. } | Self::Least { .. } => (4, 4),
            Self::Lines => (12, 8),
        }
    }

    const fn kind(self) -> &'static str {
        match self {
            Self::Number { .. } | Self::Least { .. } => "stat",
            Self::Lines => "timeseries",
        }
    }

    fn thresholds(self) -> Value {
        let step = |color: &str, value: Option<f64>| json!({ "color": color, "value": value });
        let steps = match self {
            Self::Number { red_from: Some(value) } => {
                vec![step("green", None), step("red", Some(value))]
            }
            Self::Least { red_below } => vec![step("red", None), step("green", Some(red_below))],
            Self::Number { red_from: None } | Self::Lines => vec![step("green", None)],
        };
        json!({ "mode": "absolute", "steps": steps })
    }
}

fn source() -> Value {
    json!({ "type": "prometheus", "uid": "${source}" })
}

impl Panel {
    fn json(&self, id: usize, (x, y): (u32, u32)) -> Value {
        let (w, h) = self.shape.size();
        let targets = self.queries.iter().zip('A'..).map(|(query, name)| {
            json!({
                "refId": name.to_string(),
                "expr": query.expr,
                "legendFormat": query.legend,
                "datasource": source(),
            })
        });
        let options = match self.shape {
            Shape::Lines => json!({
                "legend": { "displayMode": "list", "placement": "bottom" },
                "tooltip": { "mode": "multi", "sort": "desc" },
            }),
            Shape::Number { .. } | Shape::Least { .. } => json!({
                "colorMode": "value",
                "reduceOptions": { "calcs": ["lastNotNull"], "fields": "", "values": false },
            }),
        };
        json!({
            "id": id,
            "type": self.shape.kind(),
            "title": self.title,
            "description": self.about,
            "datasource": source(),
            "gridPos": { "x": x, "y": y, "w": w, "h": h },
            "fieldConfig": {
                "defaults": { "unit": self.unit, "thresholds": self.shape.thresholds() },
                "overrides": [],
            },
            "targets": targets.collect::<Vec<_>>(),
            "options": options,
        })
    }
}

impl Dashboard {
    /// The page as Grafana imports it.
    pub(crate) fn json(&self) -> String {
        let (mut panels, mut y) = (Vec::new(), 0);
        for row in self.rows {
            let id = panels.len() + 1;
            panels.push(json!({
                "id": id,
                "type": "row",
                "title": row.title,
                "collapsed": false,
                "panels": [],
                "gridPos": { "x": 0, "y": y, "w": WIDTH, "h": 1 },
            }));
            y += 1;
            let (mut x, mut height) = (0, 0);
            for panel in row.panels {
                let (w, h) = panel.shape.size();
                if x + w > WIDTH || (height != 0 && h != height) {
                    (x, y) = (0, y + height);
                }
                panels.push(panel.json(panels.len() + 1, (x, y)));
                (x, height) = (x + w, h);
            }
            y += height;
        }
        let variable = json!({
            "name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus",
        });
        let page = json!({
            "uid": self.uid,
            "title": self.title,
            "description": self.about,
            "tags": ["gx"],
            "schemaVersion": 39,
            "editable": false,
            "refresh": "30s",
            "time": { "from": "now-6h", "to": "now" },
            "timezone": "utc",
            "templating": { "list": [variable] },
            "annotations": { "list": [alerts()] },
            "panels": panels,
        });
        // Texts, numbers and lists always become JSON.
        let mut text = serde_json::to_string_pretty(&page).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// Marks where critical alerts fired.
fn alerts() -> Value {
    json!({
        "name": "Critical alerts",
        "datasource": source(),
        "enable": true,
        "iconColor": "red",
        "expr": "ALERTS{alertstate=\"firing\",severity=\"critical\"}",
        "titleFormat": "{{alertname}}",
    })
}

/// Where Grafana finds the pages.
pub(crate) fn provider() -> String {
    let provider = map([
        ("name", word("gx")),
        ("folder", text("GX Protocol")),
        ("type", word("file")),
        ("allowUiUpdates", word(false)),
        ("options", map([("path", text("/var/lib/grafana/dashboards/gx"))])),
    ]);
    map([("apiVersion", word(1)), ("providers", list([provider]))]).document(super::MADE)
}

/// What Grafana asks.
pub(crate) fn sources() -> String {
    let source = |name: &str, kind: &str, url: &str| {
        map([
            ("name", word(name)),
            ("uid", word(kind)),
            ("type", word(kind)),
            ("access", word("proxy")),
            ("url", text(url)),
        ])
    };
    let sources = [
        source("Prometheus", "prometheus", "http://127.0.0.1:9090").with("isDefault", word(true)),
        source("Loki", "loki", "http://127.0.0.1:3100"),
    ];
    map([("apiVersion", word(1)), ("datasources", list(sources))]).document(super::MADE)
}
