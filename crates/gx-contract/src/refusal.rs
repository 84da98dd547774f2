//! Why a command was refused: stable codes, declared in the order in which they are checked.
//!
//! The order is part of the interface: when two codes fit, the one declared first is given.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a refusal says of the command: interfaces answer by kind, not code by code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// The command says something that is wrong in every state.
    Invalid,
    /// The actor, the service or the account may not do this.
    Forbidden,
    /// What the command names is not on the ledger.
    Missing,
    /// What the command names is in a state that does not allow this.
    Conflict,
    /// The command is sound, and its amounts, ids or values do not fit what is on the ledger.
    Unfit,
    /// Nothing of this kind is done at present.
    Unavailable,
}

impl RefusalKind {
    /// In small letters, for pages and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Forbidden => "forbidden",
            Self::Missing => "missing",
            Self::Conflict => "conflict",
            Self::Unfit => "unfit",
            Self::Unavailable => "unavailable",
        }
    }
}

macro_rules! refusals {
    ($(
        $(#[doc = $doc:literal])+
        $variant:ident = $code:literal, $kind:ident $(, $transient:ident)?;
    )+) => {
        /// A refusal code. Its text form is stable for ever and shown unchanged by every interface.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            schemars::JsonSchema,
        )]
        pub enum Refusal {
            $($(#[doc = $doc])+ #[serde(rename = $code)] $variant,)+
        }

        impl Refusal {
            /// All codes, in order of precedence.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stable code.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// What the refusal says of the command.
            pub const fn kind(self) -> RefusalKind {
                match self { $(Self::$variant => RefusalKind::$kind,)+ }
            }

            /// Whether the same command, under a new command id, may pass later without anybody
            /// changing the command.
            pub const fn transient(self) -> bool {
                match self { $(Self::$variant => refusals!(@transient $($transient)?),)+ }
            }

            /// One sentence for people.
            pub const fn describe(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
    (@transient transient) => { true };
    (@transient) => { false };
}

refusals! {
    /// The command id was used before for another command or by another actor.
    CommandIdReused = "command_id_reused", Unfit;
    /// The submitting service does not have the role that this command needs.
    RoleNotAllowed = "role_not_allowed", Forbidden;
    /// The system has not been bootstrapped yet.
    NotBootstrapped = "not_bootstrapped", Conflict, transient;
    /// The system is paused.
    SystemPaused = "system_paused", Unavailable, transient;
    /// The acting user or admin is not on the ledger.
    ActorUnknown = "actor_unknown", Forbidden, transient;
    /// This kind of actor, or an admin of this level, may not give this command.
    ActorNotAllowed = "actor_not_allowed", Forbidden;
    /// Admins need a key here, and the acting admin has none.
    AdminKeyMissing = "admin_key_missing", Forbidden, transient;
    /// The acting account or admin has a key, and the command is not signed.
    SignatureMissing = "signature_missing", Forbidden;
    /// The command is signed, and who acts has no key.
    SignatureUnexpected = "signature_unexpected", Forbidden;
    /// The signature's time is over.
    SignatureExpired = "signature_expired", Forbidden;
    /// The signature would be good for more than 24 hours.
    SignatureTooFarAhead = "signature_too_far_ahead", Forbidden;
    /// The signature is not one of the actor's key over this command.
    SignatureWrong = "signature_wrong", Forbidden;
    /// The account has no key, and another organization speaks for it.
    NotCustodian = "not_custodian", Forbidden, transient;
    /// The acting account is frozen.
    AccountFrozen = "account_frozen", Forbidden, transient;
    /// The acting account is locked.
    AccountLocked = "account_locked", Forbidden, transient;
    /// The acting account's holder is deceased.
    AccountDeceased = "account_deceased", Forbidden;
    /// The account that the command names is not on the ledger.
    AccountNotFound = "account_not_found", Missing, transient;
    /// The other party's account is frozen.
    CounterpartyFrozen = "counterparty_frozen", Conflict, transient;
    /// The other party is deceased.
    CounterpartyDeceased = "counterparty_deceased", Conflict, transient;

    /// A text is of a wrong length or not in NFC, has unseen characters, or no letter or digit.
    TextInvalid = "text_invalid", Invalid;
    /// A list is empty, too long, or names something twice.
    ListInvalid = "list_invalid", Invalid;
    /// The age is above 150 years.
    AgeInvalid = "age_invalid", Invalid;
    /// The id does not have the layout of an account id, or its check characters are wrong.
    UserIdInvalid = "user_id_invalid", Invalid;
    /// The id's country or account type differs from the command's.
    UserIdMismatch = "user_id_mismatch", Invalid;
    /// Accounts of this type are not opened for a person.
    AccountTypeNotAllowed = "account_type_not_allowed", Invalid;
    /// Amounts do not rise from zero, or a rule's approvers or their number do not fit.
    AuthRuleInvalid = "auth_rule_invalid", Invalid;
    /// This is decided on a document, whose hash is missing.
    OrderMissing = "order_missing", Invalid;
    /// The key is no point of the curve, or one of the few that prove nothing.
    PublicKeyInvalid = "public_key_invalid", Invalid;
    /// The parameter or limit does not take such a value.
    ValueOutOfBounds = "value_out_of_bounds", Invalid;
    /// The amount is zero.
    AmountZero = "amount_zero", Invalid;
    /// Sender and receiver are the same account.
    SameAccount = "same_account", Invalid;
    /// Nothing is paid to this pool or treasury.
    RecipientNotAllowed = "recipient_not_allowed", Unfit;
    /// The account is not the actor's own.
    NotOwnAccount = "not_own_account", Forbidden;
    /// Nothing is disbursed from a genesis pool.
    PoolNotDisbursable = "pool_not_disbursable", Invalid;
    /// Nothing is taken from a pool or a treasury by order.
    PayerNotAllowed = "payer_not_allowed", Invalid;

    /// The escrow would end in less than an hour or in more than 365 days.
    ExpiryInvalid = "expiry_invalid", Unfit, transient;
    /// The arbiter is not a user on the ledger, or is the payer or the payee.
    ArbiterInvalid = "arbiter_invalid", Conflict, transient;

    /// The system was bootstrapped before.
    AlreadyBootstrapped = "already_bootstrapped", Conflict;
    /// The ledger's clock has not jumped.
    ClockRight = "clock_right", Conflict;
    /// What is confirmed is more than an hour from what the engine says.
    ClockDiffers = "clock_differs", Conflict, transient;
    /// There is no such action.
    ActionUnknown = "action_unknown", Missing, transient;
    /// The action was approved and has run.
    ActionExecuted = "action_executed", Conflict;
    /// The action was rejected or withdrawn.
    ActionClosed = "action_closed", Conflict;
    /// The action was not approved in time.
    ActionExpired = "action_expired", Conflict;
    /// Nobody decides on what they have proposed, nor rejects their own removal.
    SameAdmin = "same_admin", Forbidden;
    /// The action was proposed by another admin.
    NotProposer = "not_proposer", Forbidden;
    /// Others may still reject what the proposer will approve alone.
    ActionTooEarly = "action_too_early", Conflict, transient;
    /// The action needs an admin of a higher level.
    AdminLevelTooLow = "admin_level_too_low", Forbidden;
    /// Who proposed it is no admin of the needed level by the appointment and key of that time.
    ProposerNotAdmin = "proposer_not_admin", Conflict, transient;
    /// Admins neither appoint nor remove themselves.
    NotOneself = "not_oneself", Forbidden;
    /// There is no such admin in office.
    AdminUnknown = "admin_unknown", Missing, transient;
    /// This admin is in office already.
    AdminExists = "admin_exists", Conflict, transient;
    /// An admin's own account is one of a user on the ledger.
    AdminAccountInvalid = "admin_account_invalid", Conflict, transient;
    /// An attester of this id is registered already; it can be removed.
    AttesterExists = "attester_exists", Conflict, transient;
    /// Two super admins must stay in office.
    TooFewSuperAdmins = "too_few_super_admins", Conflict, transient;
    /// A change of this parameter is scheduled already; it can be called off.
    ParameterChangeScheduled = "parameter_change_scheduled", Conflict, transient;
    /// No change of this parameter is scheduled.
    ParameterChangeNotScheduled = "parameter_change_not_scheduled", Conflict, transient;
    /// The value is at odds with another parameter.
    ParametersInconsistent = "parameters_inconsistent", Unfit, transient;
    /// An admin who takes part in it has not said which account is theirs, or that there is none.
    AdminAccountUnsaid = "admin_account_unsaid", Forbidden, transient;
    /// Nothing is disbursed or ordered to an admin who takes part in it, or their organization.
    RecipientIsAdmin = "recipient_is_admin", Unfit;
    /// One disbursement may not be so large.
    AmountAboveCap = "amount_above_cap", Unfit, transient;
    /// With what was disbursed today it would be more than a day may have.
    DayExhausted = "day_exhausted", Unfit, transient;
    /// There is no such proposal.
    ProposalUnknown = "proposal_unknown", Missing, transient;
    /// An active proposal asks for the same value of the same parameter.
    ProposalExists = "proposal_exists", Conflict, transient;
    /// Too many proposals are active.
    TooManyProposals = "too_many_proposals", Conflict, transient;
    /// The result of the proposal has been drawn.
    ProposalFinished = "proposal_finished", Conflict;
    /// Votes are no longer taken on the proposal.
    VotingEnded = "voting_ended", Conflict;
    /// Votes are still taken on the proposal.
    VotingNotEnded = "voting_not_ended", Conflict, transient;
    /// The system is not paused.
    NotPaused = "not_paused", Conflict, transient;
    /// The set of countries is complete and can't change any more.
    CountriesSealed = "countries_sealed", Conflict;
    /// A country was added before.
    CountryExists = "country_exists", Conflict;
    /// The weights of all countries would sum to more than 100,000,000.
    WeightsTooLarge = "weights_too_large", Conflict;
    /// On mainnet nobody is registered before three super admins are in office.
    SuperAdminsMissing = "super_admins_missing", Conflict, transient;
    /// The set of countries is not complete yet.
    CountriesNotSealed = "countries_not_sealed", Conflict, transient;
    /// The country is not in the set of countries.
    CountryUnknown = "country_unknown", Missing, transient;
    /// The id belongs to another account or organization.
    UserIdTaken = "user_id_taken", Conflict;
    /// This person has an account already.
    IdentityTaken = "identity_taken", Conflict;
    /// The account is not a user's.
    NotAUser = "not_a_user", Conflict;
    /// A nominated guardian is not a user on the ledger.
    GuardianNotFound = "guardian_not_found", Missing, transient;
    /// There is no such relationship.
    RelationshipNotFound = "relationship_not_found", Missing, transient;
    /// There is no such recovery.
    RecoveryNotFound = "recovery_not_found", Missing, transient;
    /// A stakeholder is not a user on the ledger.
    StakeholderNotFound = "stakeholder_not_found", Missing, transient;
    /// The treasury is locked: no organization governs it.
    TreasuryLocked = "treasury_locked", Conflict, transient;
    /// There is no such organization.
    OrganizationNotFound = "organization_not_found", Missing, transient;
    /// There is no such payment waiting for approvals.
    PendingTxNotFound = "pending_tx_not_found", Missing, transient;
    /// No change of the organization's stakeholders is under way.
    StakeholderChangeNotFound = "stakeholder_change_not_found", Missing, transient;
    /// There is no such loan.
    LoanNotFound = "loan_not_found", Missing, transient;
    /// There is no such escrow.
    EscrowNotFound = "escrow_not_found", Missing, transient;
    /// This is for another party of it to do.
    NotParty = "not_party", Forbidden;
    /// The actor is not a guardian of this account.
    NotGuardian = "not_guardian", Forbidden, transient;
    /// The actor is not a stakeholder of the organization.
    NotStakeholder = "not_stakeholder", Forbidden;
    /// The actor is not among those who approve this payment.
    NotApprover = "not_approver", Forbidden;
    /// The coins were released or given back.
    EscrowSettled = "escrow_settled", Conflict;
    /// The arbiter's time is over.
    EscrowExpired = "escrow_expired", Conflict;
    /// The coins wait for the payee or the arbiter until the escrow expires.
    EscrowNotExpired = "escrow_not_expired", Conflict, transient;
    /// The organization does not wait for endorsements.
    OrganizationNotPending = "organization_not_pending", Conflict;
    /// The stakeholder has endorsed the organization before.
    AlreadyEndorsed = "already_endorsed", Conflict;
    /// Not every stakeholder has endorsed the organization yet.
    EndorsementsMissing = "endorsements_missing", Conflict, transient;
    /// The organization is not activated yet, or locked.
    OrganizationNotActive = "organization_not_active", Conflict, transient;
    /// The treasury is not for this organization: it must be a government's of that country.
    OrganizationNotEligible = "organization_not_eligible", Conflict;
    /// The treasury is governed by an organization already, or by this one.
    TreasuryActive = "treasury_active", Conflict;
    /// The organization can't pay from the treasury before the 7 days after it was given to it.
    TreasuryNotPayable = "treasury_not_payable", Conflict, transient;
    /// Another change of the organization's stakeholders is under way.
    StakeholderChangeOpen = "stakeholder_change_open", Conflict, transient;
    /// Who comes is a stakeholder already, who leaves is none, or not 2 to 20 would remain.
    StakeholdersInvalid = "stakeholders_invalid", Conflict, transient;
    /// Those who stay, with who proposes to leave, are not more than half of the stakeholders.
    TooFewStay = "too_few_stay", Conflict, transient;
    /// A stakeholder who may act is not replaced by order.
    StakeholderActive = "stakeholder_active", Conflict, transient;
    /// An approver in the rules is not a stakeholder.
    ApproverNotStakeholder = "approver_not_stakeholder", Conflict;
    /// A rule would have fewer approvers left than it requires, and there are no new rules.
    LadderUnfit = "ladder_unfit", Conflict, transient;
    /// The payment is executed, rejected or cancelled.
    PendingTxSettled = "pending_tx_settled", Conflict;
    /// The payment's 30 days are over.
    PendingTxExpired = "pending_tx_expired", Conflict;
    /// The actor has approved or rejected this before.
    AlreadyDecided = "already_decided", Conflict;
    /// Too few approvers are neither frozen nor locked nor deceased, and still stakeholders.
    ApproverNotActive = "approver_not_active", Conflict, transient;
    /// The organization has 50 payments waiting.
    TooManyPending = "too_many_pending", Conflict, transient;
    /// Ten of the organization's waiting payments are the initiator's.
    TooManyOwnPending = "too_many_own_pending", Conflict, transient;
    /// The amount is less than the smallest loan or more than the largest.
    LoanAmountInvalid = "loan_amount_invalid", Invalid, transient;
    /// The term is less than a day or longer than allowed.
    LoanDurationInvalid = "loan_duration_invalid", Invalid, transient;
    /// The loan does not wait for approval.
    LoanNotPending = "loan_not_pending", Conflict;
    /// The application was not decided on in time.
    LoanApplicationLapsed = "loan_application_lapsed", Conflict;
    /// The account has not been there for 30 days.
    AccountTooYoung = "account_too_young", Forbidden, transient;
    /// Two loans of this borrower have failed.
    LoansBarred = "loans_barred", Forbidden;
    /// The user's trust score is too low for this.
    TrustTooLow = "trust_too_low", Forbidden, transient;
    /// The user has voted on the proposal before.
    AlreadyVoted = "already_voted", Conflict;
    /// The borrower has as many open loans as allowed.
    TooManyLoans = "too_many_loans", Conflict, transient;
    /// The borrower would owe more than allowed.
    LoanLimitExceeded = "loan_limit_exceeded", Unfit, transient;
    /// Nothing is owed on the loan, or it has failed already.
    LoanNotActive = "loan_not_active", Conflict, transient;
    /// The loan is not overdue for long enough.
    LoanNotOverdue = "loan_not_overdue", Conflict, transient;
    /// The repayment is more than is owed.
    RepaymentTooLarge = "repayment_too_large", Unfit;
    /// The relationship was asked for or is confirmed already.
    RelationshipExists = "relationship_exists", Conflict, transient;
    /// The relationship was rejected less than 7 days ago.
    RelationshipRejected = "relationship_rejected", Conflict, transient;
    /// The relationship does not wait for an answer.
    RelationshipNotPending = "relationship_not_pending", Conflict, transient;
    /// The relationship is not confirmed.
    RelationshipNotConfirmed = "relationship_not_confirmed", Conflict, transient;
    /// The two are family in another way already.
    FamilyAlready = "family_already", Conflict, transient;
    /// One of the two has a confirmed spouse.
    SpouseExists = "spouse_exists", Conflict, transient;
    /// The child has a confirmed father or mother already, or two parents.
    ParentExists = "parent_exists", Conflict, transient;
    /// There is a key already; it can be rotated.
    KeyExists = "key_exists", Conflict;
    /// The submitting organization does not speak for the account.
    CustodyNotHeld = "custody_not_held", Conflict, transient;
    /// The organization speaks for the account already.
    CustodyUnchanged = "custody_unchanged", Conflict, transient;
    /// The account was not offered to the submitting organization.
    CustodyNotOffered = "custody_not_offered", Conflict, transient;
    /// There is no key yet.
    KeyMissing = "key_missing", Conflict, transient;
    /// The key is the one that is in use.
    KeyUnchanged = "key_unchanged", Conflict, transient;
    /// The new key has not signed for itself.
    KeyNotProven = "key_not_proven", Forbidden;
    /// A super admin's confirmation is not signed by their key over this command.
    ConfirmationWrong = "confirmation_wrong", Forbidden;
    /// A reset of this account's key is under way.
    KeyResetOpen = "key_reset_open", Conflict, transient;
    /// No reset of this account's key is under way.
    KeyResetNotFound = "key_reset_not_found", Missing, transient;
    /// The guardian has a recovery of this account under way, or one is agreed on.
    RecoveryOpen = "recovery_open", Conflict, transient;
    /// The guardian's last recovery of the account has failed less than 30 days ago.
    RecoveryTooSoon = "recovery_too_soon", Conflict, transient;
    /// The recovery does not wait for guardians.
    RecoveryNotPending = "recovery_not_pending", Conflict;
    /// The guardians' 7 days are over.
    RecoveryExpired = "recovery_expired", Conflict;
    /// The guardian has agreed before.
    AlreadyConfirmed = "already_confirmed", Conflict;
    /// The recovery is completed, cancelled or expired.
    RecoveryOver = "recovery_over", Conflict;
    /// Too few guardians have agreed yet.
    RecoveryNotConfirmed = "recovery_not_confirmed", Conflict, transient;
    /// The owner may still veto.
    RecoveryTooEarly = "recovery_too_early", Conflict, transient;
    /// Nothing is recovered while the owner is frozen, locked or deceased.
    OwnerNotActive = "owner_not_active", Conflict, transient;
    /// The account was granted its genesis coins before.
    GenesisAlreadyGranted = "genesis_already_granted", Conflict;
    /// On this network an attester's signed word for the person is needed.
    AttestationMissing = "attestation_missing", Forbidden;
    /// There is no such attester, or its word counts no longer.
    AttesterUnknown = "attester_unknown", Missing, transient;
    /// The attestation's time is over.
    AttestationExpired = "attestation_expired", Forbidden;
    /// The attestation would be good for more than 7 days.
    AttestationTooFarAhead = "attestation_too_far_ahead", Forbidden, transient;
    /// The attestation is not signed by the attester's key over this person, age and network.
    AttestationWrong = "attestation_wrong", Forbidden;
    /// The attester may not attest people of this country.
    AttesterCountry = "attester_country", Forbidden;
    /// The attester has attested as many people today as it may.
    AttesterDailyMax = "attester_daily_max", Unfit, transient;
    /// Genesis is for individuals aged 13 to 73.
    GenesisIneligible = "genesis_ineligible", Conflict, transient;
    /// No genesis slot is left in the country.
    GenesisExhausted = "genesis_exhausted", Conflict;
    /// That somebody is deceased is undone on a document alone.
    StatusFinal = "status_final", Conflict;
    /// The status is the one asked for already.
    StatusUnchanged = "status_unchanged", Conflict, transient;
    /// Pools and treasuries can't be frozen.
    NotFreezable = "not_freezable", Conflict;
    /// The account is frozen already.
    AlreadyFrozen = "already_frozen", Conflict, transient;
    /// The account's holder is not deceased.
    NotDeceased = "not_deceased", Conflict, transient;
    /// The account is not frozen.
    NotFrozen = "not_frozen", Conflict, transient;
    /// Pools and treasuries pay no tax.
    NotTaxable = "not_taxable", Conflict;
    /// The account is exempt from the tax already, or was not exempt.
    ExemptionUnchanged = "exemption_unchanged", Conflict, transient;
    /// The account is exempt from the tax.
    TaxExempt = "tax_exempt", Conflict, transient;
    /// The balance is too small, or has not been large for long enough yet.
    TaxNotDue = "tax_not_due", Conflict, transient;
    /// The limit is the one asked for already, or will be.
    LimitUnchanged = "limit_unchanged", Conflict, transient;
    /// A sum would not fit 64 bits of Qirat.
    AmountOverflow = "amount_overflow", Unfit;
    /// More would leave the account in a day than its owner has allowed.
    SpendingLimit = "spending_limit", Unfit, transient;
    /// The balance does not cover the amount and the fee.
    InsufficientBalance = "insufficient_balance", Unfit, transient;
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Refusal {
    /// The refusal with a detail for people; the detail is not part of the interface.
    pub fn because(self, detail: impl Into<String>) -> Refused {
        Refused { code: self, detail: detail.into() }
    }
}

/// A refusal with the figures or names that led to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Refused {
    pub code: Refusal,
    /// Text for people, deterministic, free of personal data.
    pub detail: String,
}

impl From<Refusal> for Refused {
    fn from(code: Refusal) -> Self {
        Self { code, detail: code.describe().to_owned() }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}
