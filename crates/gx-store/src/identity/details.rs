//! What users tell of themselves beyond what somebody approves: address, language, work.

use gx_types::{CountryCode, TimeMs};

use crate::sql::{Row, sql};
use crate::{Error, Source, Tx};

/// What a user has told; `None` is what was never told, an empty text what was taken back.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Details {
    pub middle_name: Option<String>,
    /// A language tag, such as `pt-BR`.
    pub language: Option<String>,
    pub place_of_birth: Option<String>,
    pub address_line1: Option<String>,
    pub address_line2: Option<String>,
    pub city: Option<String>,
    pub state_province: Option<String>,
    pub postal_code: Option<String>,
    pub address_country: Option<CountryCode>,
    pub employment_status: Option<String>,
    pub job_title: Option<String>,
    pub company_name: Option<String>,
    pub industry: Option<String>,
    pub work_email: Option<String>,
    pub work_phone: Option<String>,
    /// Whether the user holds a public office, or is close to somebody who does.
    pub is_pep: Option<bool>,
    pub pep_details: Option<String>,
}

impl std::fmt::Debug for Details {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Details")
    }
}

fn details(row: &Row) -> Result<Details, Error> {
    Ok(Details {
        middle_name: row.opt_string(0)?,
        language: row.opt_string(1)?,
        place_of_birth: row.opt_string(2)?,
        address_line1: row.opt_string(3)?,
        address_line2: row.opt_string(4)?,
        city: row.opt_string(5)?,
        state_province: row.opt_string(6)?,
        postal_code: row.opt_string(7)?,
        address_country: row.opt_parse(8, "country")?,
        employment_status: row.opt_string(9)?,
        job_title: row.opt_string(10)?,
        company_name: row.opt_string(11)?,
        industry: row.opt_string(12)?,
        work_email: row.opt_string(13)?,
        work_phone: row.opt_string(14)?,
        is_pep: row.opt_int(15)?.map(|flag| flag != 0),
        pep_details: row.opt_string(16)?,
    })
}

/// What a user has told; nothing when they have told nothing.
///
/// # Errors
/// Those of the database.
pub async fn get(source: impl Into<Source<'_>>, user_id: &str) -> Result<Details, Error> {
    let mut reader = source.into().open().await?;
    let row =
        sql("SELECT middle_name, language, place_of_birth, address_line1, address_line2, city,
            state_province, postal_code, address_country, employment_status, job_title,
            company_name, industry, work_email, work_phone, is_pep, pep_details
        FROM user_details WHERE user_id = $1")
        .bind(user_id)
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map_or_else(|| Ok(Details::default()), details)
}

/// Keeps what is told now. What is not told stays as it was.
///
/// # Errors
/// Those of the database.
pub async fn tell(tx: &mut Tx, user_id: &str, told: &Details, at: TimeMs) -> Result<(), Error> {
    sql("INSERT INTO user_details (user_id, middle_name, language, place_of_birth, address_line1,
            address_line2, city, state_province, postal_code, address_country, employment_status,
            job_title, company_name, industry, work_email, work_phone, is_pep, pep_details,
            updated_at_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            $19)
        ON CONFLICT (user_id) DO UPDATE SET
            middle_name = COALESCE(excluded.middle_name, user_details.middle_name),
            language = COALESCE(excluded.language, user_details.language),
            place_of_birth = COALESCE(excluded.place_of_birth, user_details.place_of_birth),
            address_line1 = COALESCE(excluded.address_line1, user_details.address_line1),
            address_line2 = COALESCE(excluded.address_line2, user_details.address_line2),
            city = COALESCE(excluded.city, user_details.city),
            state_province = COALESCE(excluded.state_province, user_details.state_province),
            postal_code = COALESCE(excluded.postal_code, user_details.postal_code),
            address_country = COALESCE(excluded.address_country, user_details.address_country),
            employment_status =
                COALESCE(excluded.employment_status, user_details.employment_status),
            job_title = COALESCE(excluded.job_title, user_details.job_title),
            company_name = COALESCE(excluded.company_name, user_details.company_name),
            industry = COALESCE(excluded.industry, user_details.industry),
            work_email = COALESCE(excluded.work_email, user_details.work_email),
            work_phone = COALESCE(excluded.work_phone, user_details.work_phone),
            is_pep = COALESCE(excluded.is_pep, user_details.is_pep),
            pep_details = COALESCE(excluded.pep_details, user_details.pep_details),
            updated_at_ms = excluded.updated_at_ms")
    .bind(user_id)
    .bind(told.middle_name.as_deref())
    .bind(told.language.as_deref())
    .bind(told.place_of_birth.as_deref())
    .bind(told.address_line1.as_deref())
    .bind(told.address_line2.as_deref())
    .bind(told.city.as_deref())
    .bind(told.state_province.as_deref())
    .bind(told.postal_code.as_deref())
    .bind(told.address_country.as_ref().map(CountryCode::as_str))
    .bind(told.employment_status.as_deref())
    .bind(told.job_title.as_deref())
    .bind(told.company_name.as_deref())
    .bind(told.industry.as_deref())
    .bind(told.work_email.as_deref())
    .bind(told.work_phone.as_deref())
    .bind(told.is_pep.map(i64::from))
    .bind(told.pep_details.as_deref())
    .bind(at)
    .run(&mut tx.conn())
    .await
    .map(drop)
}
