//! The text of every mail and text message, and nothing else.
//!
//! What somebody has to type or paste stands on a line of its own.

/// Title and text of a mail.
pub(crate) struct Text {
    pub(crate) title: &'static str,
    pub(crate) body: String,
}

/// The token that sets another password.
pub(crate) fn password_reset(token: &str) -> Text {
    let body = format!(
        "Somebody, probably you, has asked to set another password for your account.\n\
         Give this token with the new password within 30 minutes:\n\n    {token}\n\n\
         If it was not you, nothing has to be done.\n"
    );
    Text { title: "Set another password", body }
}

/// The code that shows that mail reaches somebody who registers.
pub(crate) fn registration_code(code: &str) -> Text {
    let body = format!(
        "Somebody, probably you, is opening an account with this address.\n\
         Give this code within 10 minutes to go on:\n\n    {code}\n\n\
         Nobody of us will ever ask you for it. If it was not you, nothing has to be done.\n"
    );
    Text { title: "Your code", body }
}

/// For somebody who registers with an address that has an account.
pub(crate) fn has_an_account() -> Text {
    let body = "Somebody, probably you, has tried to open an account with this address.\n\
         There is one already: log in, or set another password if you have forgotten yours.\n\n\
         If it was not you, nothing has to be done.\n";
    Text { title: "You have an account", body: body.to_owned() }
}

/// The code that shows that text messages reach somebody who registers.
pub(crate) fn phone_code(code: &str) -> String {
    format!("{code} is your code to open an account. It is good for 10 minutes; tell it nobody.")
}

/// For somebody who registers with a telephone that belongs to an account.
pub(crate) fn phone_has_an_account() -> String {
    "Somebody has tried to open an account with this telephone number. There is one already: log \
     in instead. If it was not you, nothing has to be done."
        .to_owned()
}
