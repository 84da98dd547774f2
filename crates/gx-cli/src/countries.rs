//! The countries of the network and their weights, as the repository's table gives them.
//!
//! The table is part of the binary, so that a first start needs no file beside it.

use anyhow::{Context, Result, bail};
use gx_contract::TOTAL_WEIGHT;
use gx_contract::admin::CountryWeight;

const TABLE: &str = include_str!("../../../data/country-weights.csv");

/// All countries in the order of the table.
pub fn all() -> Result<Vec<CountryWeight>> {
    let mut countries = Vec::new();
    for line in TABLE.lines().skip(1) {
        let mut cells = line.trim().split(',');
        let (Some(code), Some(_), Some(weight), None) =
            (cells.next(), cells.next(), cells.next(), cells.next())
        else {
            bail!("table of countries: {line:?} has not three cells");
        };
        let country_code = code.parse().with_context(|| format!("table of countries: {line:?}"))?;
        let weight = weight.parse().with_context(|| format!("table of countries: {line:?}"))?;
        countries.push(CountryWeight { country_code, weight });
    }
    let total = countries.iter().map(|country| u64::from(country.weight)).sum::<u64>();
    if total != u64::from(TOTAL_WEIGHT) {
        bail!("table of countries: the weights sum to {total}, not to {TOTAL_WEIGHT}");
    }
    Ok(countries)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_table_is_whole() {
        assert_eq!(super::all().unwrap().len(), 234);
    }
}
