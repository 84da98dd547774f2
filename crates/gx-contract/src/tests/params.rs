//! The registry of parameters: ids, defaults, bounds, what holds between them, record and digest.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::notation::amount;
use super::script::check_in_world;
use crate::params::{Parameter, ParameterValue, Parameters, StoredParameters, Unfit, Unit};

fn parameter(id: &str) -> Parameter {
    id.parse().unwrap_or_else(|_| panic!("no parameter {id}"))
}

fn set(parameters: &Parameters, id: &str, value: &str) -> Result<Parameters, Unfit> {
    parameters.with(parameter(id), ParameterValue::new(amount(value).qirat()))
}

/// Sets one after the other, from the defaults on.
fn with(changes: &[(&str, &str)]) -> Parameters {
    let set = |parameters, (id, value): &(&str, &str)| set(&parameters, id, value).unwrap();
    changes.iter().fold(Parameters::DEFAULT, set)
}

/// Id, default, smallest and largest value of every parameter, as the rules name them.
const TABLE: &str = "
    feeCapBps                    1000  0 1000
    feeP2pFreeBelow              3GX   0 1250000000000GX
    feeP2pLowerTierTo            100GX 0 1250000000000GX
    feeP2pLocalLowerBps          5     0 1000
    feeP2pLocalUpperBps          10    0 1000
    feeP2pCrossBorderLowerBps    15    0 1000
    feeP2pCrossBorderUpperBps    25    0 1000
    feeMerchantLocalBps          15    0 1000
    feeMerchantCrossBorderBps    30    0 1000
    feeGovernmentLocalBps        10    0 1000
    feeGovernmentCrossBorderBps  20    0 1000
    feeB2bLocalBps               20    0 1000
    feeB2bCrossBorderBps         40    0 1000
    velocityTaxThreshold         100GX 10GX 1250000000000GX
    velocityTaxPeriodDays        355 180 3650
    velocityTaxBand2From         1000GX   1 1250000000000GX
    velocityTaxBand3From         5000GX   1 1250000000000GX
    velocityTaxBand4From         10000GX  1 1250000000000GX
    velocityTaxBand5From         25000GX  1 1250000000000GX
    velocityTaxBand6From         50000GX  1 1250000000000GX
    velocityTaxBand7From         100000GX 1 1250000000000GX
    velocityTaxBand1Bps          250   0 1000
    velocityTaxBand2Bps          300   0 1000
    velocityTaxBand3Bps          350   0 1000
    velocityTaxBand4Bps          400   0 1000
    velocityTaxBand5Bps          450   0 1000
    velocityTaxBand6Bps          550   0 1000
    velocityTaxBand7Bps          600   0 1000
    velocityTaxTreasuryPercent   50    0 100
    loanAmountMin                100GX      1 1250000000000GX
    loanAmountMax                1000000GX  1 10000000GX
    loanDurationDaysMax          365        1 3650
    loanOpenMax                  5          0 20
    loanOutstandingMax           10000000GX 1 100000000GX
    loanTrustMin                 75         50 100
    loanDefaultAfterDays         90         1 3650
    loanTwoAdminsAbove           10000GX    0 100000GX
    votingDays                   14         7 90
    votingQuorum                 100        100 1000000000
    votingApprovalPercent        60         50 90
    votingTrustMin               50         25 90
    guardianDelayHours           48         24 720
    adminKeysRequired            0          0 1
    disbursementMax              100000000GX 1 1000000000GX
    disbursementDailyMax         500000000GX 1 5000000000GX";

#[test]
fn every_parameter_has_its_id_default_and_bounds() {
    let found: Vec<String> = Parameter::all()
        .map(|parameter| {
            let (min, max) = parameter.bounds();
            format!("{parameter} {} {min} {max}", parameter.default_value())
        })
        .collect();
    let rows = TABLE.lines().filter(|row| !row.trim().is_empty()).map(|row| {
        let cells: Vec<&str> = row.split_whitespace().collect();
        let value = |place: usize| amount(cells[place]).qirat().to_string();
        format!("{} {} {} {}", cells[0], value(1), value(2), value(3))
    });
    assert_eq!(found, rows.collect::<Vec<_>>());
    let ids: BTreeSet<&str> = Parameter::all().map(Parameter::id).collect();
    assert_eq!(ids.len(), found.len(), "ids differ");
}

#[test]
fn fields_hold_the_defaults_and_take_every_value_within_the_bounds() {
    for parameter in Parameter::all() {
        assert_eq!(Parameters::DEFAULT.value(parameter), parameter.default_value(), "{parameter}");
        assert!(parameter.description().ends_with('.'), "{parameter}");
        let (min, max) = parameter.bounds();
        for value in [min, parameter.default_value(), max] {
            assert!(parameter.admits(value));
            match Parameters::DEFAULT.with(parameter, value) {
                Ok(changed) => {
                    assert_eq!(changed.value(parameter), value, "{parameter}");
                    assert_eq!(changed.changes, 1);
                }
                Err(why) => assert!(matches!(why, Unfit::Inconsistent(_)), "{parameter}: {why}"),
            }
        }
        let beyond = [min.get().checked_sub(1), max.get().checked_add(1), Some(u64::MAX)];
        for value in beyond.into_iter().flatten().map(ParameterValue::new) {
            assert!(!parameter.admits(value));
            let refused = Parameters::DEFAULT.with(parameter, value);
            assert!(matches!(refused, Err(Unfit::OutOfBounds { .. })), "{parameter} {value}");
        }
    }
}

#[test]
fn no_fee_rate_is_above_the_cap() {
    for parameter in Parameter::all().filter(|parameter| parameter.unit() == Unit::BasisPoints) {
        let id = parameter.id();
        if id == "feeCapBps" || !id.starts_with("fee") {
            continue;
        }
        let capped = with(&[("feeCapBps", "50")]);
        assert_eq!(set(&capped, id, "50").map(|changed| changed.changes), Ok(2), "{id}");
        let why = Err(Unfit::Inconsistent("a fee rate is above the fee cap"));
        assert_eq!(set(&capped, id, "51"), why, "{id}");
        assert_eq!(set(&with(&[(id, "60")]), "feeCapBps", "59"), why, "{id}");
    }
    assert!(set(&Parameters::DEFAULT, "feeCapBps", "39").is_err());
    assert!(set(&Parameters::DEFAULT, "feeCapBps", "40").is_ok());
}

#[test]
fn edges_ascend() {
    for (id, value, fits) in [
        ("feeP2pFreeBelow", "100GX", true),
        ("feeP2pFreeBelow", "100.000001GX", false),
        ("feeP2pLowerTierTo", "3GX", true),
        ("feeP2pLowerTierTo", "2.999999GX", false),
        ("velocityTaxThreshold", "999.999999GX", true),
        ("velocityTaxThreshold", "1000GX", false),
        ("velocityTaxBand2From", "100GX", false),
        ("velocityTaxBand2From", "100.000001GX", true),
        ("velocityTaxBand3From", "1000GX", false),
        ("velocityTaxBand3From", "10000GX", false),
        ("velocityTaxBand4From", "25000GX", false),
        ("velocityTaxBand5From", "10000GX", false),
        ("velocityTaxBand6From", "100000GX", false),
        ("velocityTaxBand7From", "50000GX", false),
        ("velocityTaxBand7From", "50000.000001GX", true),
        ("loanAmountMin", "1000000GX", true),
        ("loanAmountMin", "1000000.000001GX", false),
        ("loanAmountMax", "99.999999GX", false),
        ("loanAmountMax", "10000000GX", true),
        ("loanOutstandingMax", "999999.999999GX", false),
    ] {
        let changed = set(&Parameters::DEFAULT, id, value);
        assert_eq!(changed.is_ok(), fits, "{id} {value}: {changed:?}");
        if let Err(why) = changed {
            assert!(matches!(why, Unfit::Inconsistent(_)), "{id} {value}");
        }
    }
}

#[test]
fn the_digest_is_that_of_every_value() {
    let default = Parameters::DEFAULT;
    let text: String = Parameter::all().map(|p| format!("{p}={}\n", default.value(p))).collect();
    assert_eq!(default.digest().to_string(), blake3::hash(text.as_bytes()).to_hex().as_str());
    let changed = with(&[("votingDays", "15")]);
    assert_ne!(changed.digest(), default.digest());
    let back = set(&changed, "votingDays", "14").unwrap();
    assert_eq!((back.digest(), back.changes), (default.digest(), 2));
}

#[test]
fn the_record_holds_what_differs_and_refuses_what_does_not_fit() {
    let stored = |parameters: Parameters| {
        serde_json::to_string(&StoredParameters::from(parameters)).unwrap()
    };
    assert_eq!(stored(Parameters::DEFAULT), r#"{"v":1,"changes":0,"values":{}}"#);
    let changed = with(&[("votingDays", "15"), ("feeCapBps", "100"), ("votingDays", "14")]);
    assert_eq!(stored(changed), r#"{"v":1,"changes":3,"values":{"feeCapBps":"100"}}"#);
    let read = |values: &str| {
        let text = format!(r#"{{"v":1,"changes":1,"values":{{{values}}}}}"#);
        serde_json::from_str::<StoredParameters>(&text).map(|stored| **stored.0)
    };
    assert_eq!(read(r#""votingDays":"15""#).unwrap(), with(&[("votingDays", "15")]));
    for wrong in [
        r#""votingDays":"91""#,
        r#""votingDays":15"#,
        r#""votingDays":"015""#,
        r#""votingDay":"15""#,
        r#""feeCapBps":"39""#,
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
    let later = |change: &str| {
        let text = format!(r#"{{"v":1,"changes":1,"values":{{}},{change}}}"#);
        serde_json::from_str::<StoredParameters>(&text).is_ok()
    };
    let to_come = |value| {
        let change = r#""paramId":"votingDays","effectiveAt":7"#;
        format!(r#""scheduled":[{{{change},"newValue":"{value}"}}]"#)
    };
    assert!(later(&to_come("15")) && later(r#""lastChanges":{"votingDays":1}"#));
    assert!(!later(&to_come("6")) && !later(r#""lastChanges":{"votingDay":1}"#));
}

/// Whatever is set after whatever, the record that comes back is the same.
fn any_change() -> impl Strategy<Value = (Parameter, ParameterValue)> {
    let all: Vec<Parameter> = Parameter::all().collect();
    (prop::sample::select(all), any::<u64>(), 0..4_u8).prop_map(|(parameter, any, kind)| {
        let (min, max) = parameter.bounds();
        let value = match kind {
            0 => any,
            1 => parameter.default_value().get().saturating_add(any % 3),
            _ => min.get() + any % (max.get() - min.get() + 1),
        };
        (parameter, ParameterValue::new(value))
    })
}

proptest! {
    #[test]
    fn a_record_survives_being_stored(changes in prop::collection::vec(any_change(), 0..30)) {
        let mut parameters = Parameters::DEFAULT;
        for (parameter, value) in changes {
            parameters = parameters.with(parameter, value).unwrap_or(parameters);
        }
        let text = serde_json::to_string(&StoredParameters::from(parameters));
        let read: StoredParameters = serde_json::from_str(&text.unwrap()).unwrap();
        prop_assert_eq!(**read.0, parameters);
    }
}

#[test]
fn payments_are_charged_by_the_parameters_in_force() {
    check_in_world(
        r#"open alice.IN 30
        open bob.FR 30
        put s/parameters {"v":1,"changes":1,"values":{"feeP2pCrossBorderLowerBps":"1000"}}
        user:alice.IN Transfer alice.IN bob.FR 10GX => Transferred fee=1GX
        put s/parameters {"v":1,"changes":2,"values":{"feeP2pLowerTierTo":"9000000"}}
        user:alice.IN Transfer alice.IN bob.FR 10GX => Transferred fee=25000"#,
    );
}
