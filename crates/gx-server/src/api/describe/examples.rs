//! Made-up values for what stands in braces: in paths, and in samples where only the moment knows
//! it. They have the form of real ones and belong to nobody.

/// Names with their values, those of paths first.
const EXAMPLES: [(&str, &str); 48] = [
    ("accountId", USER),
    ("actionId", "ACT_00000000000000000000000007"),
    ("adminId", "deputy"),
    ("approvalId", ROW),
    ("attesterId", "clinic"),
    ("beneficiaryId", ROW),
    ("cc", "DE"),
    ("commandId", COMMAND),
    ("deliveryId", "evt_7_0_0"),
    ("deploymentId", ROW),
    ("deviceId", ROW),
    ("documentId", ROW),
    ("escrowId", "ESC_00000000000000000000000007"),
    ("id", ROW),
    ("keyId", "0123456789abcdef"),
    ("kycId", ROW),
    ("loanId", "LOAN_00000000000000000000000007"),
    ("n", "7"),
    ("notificationId", "ntf_7_0_0"),
    ("orgId", "DE 7K3 ABC123 1WXYZ 1234"),
    ("paramId", "votingDays"),
    ("partnerId", "books"),
    ("passkeyId", "AAAAAAAAAAAAAAAAAAAAAA"),
    ("poolId", "SYSTEM_CHARITABLE_POOL"),
    ("proposalId", "PROP_00000000000000000000000007"),
    ("ptxId", "PTX_00000000000000000000000007"),
    ("recoveryId", "REC_00000000000000000000000007"),
    ("registrationId", ROW),
    ("relationshipId", "REL_00000000000000000000000007"),
    ("requestCode", "QS-AAAAAAAAAAAAAAAA"),
    ("sessionId", ROW),
    ("userId", USER),
    ("webhookId", ROW),
    // Of samples alone.
    ("adminRefreshToken", TOKEN),
    ("attestationObject", BYTES),
    ("authenticatorData", BYTES),
    ("clientDataJSON", BYTES),
    ("code", "123456"),
    ("credentialId", "AAAAAAAAAAAAAAAAAAAAAA"),
    ("ledgerId", USER),
    ("mfaToken", TOKEN),
    ("otp", "123456"),
    ("refreshToken", TOKEN),
    ("resetToken", TOKEN),
    ("signature", BYTES),
    ("signatureValue", SIGNATURE),
    ("soon", "2030-01-01T00:00:00Z"),
    ("userHandle", BYTES),
];

/// Somebody's id on the ledger.
const USER: &str = "IN 7K3 ABC123 0WXYZ 1234";

/// The id of something that stands in the database alone.
const ROW: &str = "00000000000000000000000000000007";

const COMMAND: &str = "00000000000000000000000007";

/// What is opaque to whoever is given it.
const TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Some bytes in base64 of URLs.
const BYTES: &str = "AAAAAAAAAAAAAAAA";

/// 64 bytes in hexadecimal digits.
const SIGNATURE: &str = "00000000000000000000000000000000000000000000000000000000000000000000000000\
    000000000000000000000000000000000000000000000000000000";

fn of(name: &str) -> Option<&'static str> {
    EXAMPLES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// The value of a parameter of a path.
pub(super) fn in_path(path: &str, name: &str) -> Option<&'static str> {
    match name {
        "id" if path.contains("/commands/") => Some(COMMAND),
        _ => of(name),
    }
}

/// A sample with a value for every name in it; `None` when one has no value here.
pub(super) fn filled(sample: &str) -> Option<String> {
    let mut text = String::with_capacity(sample.len());
    let mut rest = sample;
    while let Some((before, after)) = rest.split_once("\"{") {
        let (name, after) = after.split_once("}\"")?;
        text.push_str(before);
        text.push('"');
        text.push_str(of(name)?);
        text.push('"');
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}
