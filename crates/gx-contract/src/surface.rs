//! Everything the contract can be asked and can say, on one screen.
//!
//! A command, event or query that is not listed here does not compile where it is used. The names
//! are the only ones there are: outbox, ledger, metrics, logs and API description take them here.

use serde::{Deserialize, Serialize};

use crate::{
    admin, custody, escrow, freezing, governance, identity, loan_pool, organization,
    smart_contract, spending, tax_and_fee, tokenomics, treasury,
};

/// A function name that the contract does not have, or arguments that do not fit it.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    #[error("the contract has no function {0:?}; names have the form Contract:Function")]
    Unknown(String),
    #[error("arguments of {function} do not fit")]
    Arguments { function: &'static str, source: serde_json::Error },
}

/// A command, known by its type.
pub trait Named: Into<Command> {
    /// `Contract:Function`.
    const NAME: &'static str;
}

macro_rules! surface {
    (
        commands { $($command:ident = $command_name:literal in $command_module:ident,)+ }
        events { $($event:ident in $event_module:ident,)+ }
        queries { $($query:ident = $query_name:literal in $query_module:ident,)+ }
    ) => {
        /// A change that the ledger can be asked for.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum Command {
            $(#[serde(rename = $command_name)] $command($command_module::$command),)+
        }

        impl Command {
            /// The names of all commands.
            pub const NAMES: &[&str] = &[$($command_name),+];

            /// `Contract:Function`.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$command(_) => $command_name,)+ }
            }

            /// The JSON object of the arguments, fields in declaration order.
            pub fn args_json(&self) -> String {
                let mut bytes = Vec::new();
                self.write_args_json(&mut bytes);
                String::from_utf8(bytes).unwrap_or_default()
            }

            /// Appends the JSON object of the arguments.
            pub(crate) fn write_args_json(&self, bytes: &mut Vec<u8>) {
                // Serialising plain structs with string keys into memory cannot fail.
                let written = match self {
                    $(Self::$command(args) => serde_json::to_writer(bytes, args),)+
                };
                debug_assert!(written.is_ok());
            }

            /// Reads a command from its name and the JSON object of its arguments.
            ///
            /// # Errors
            /// [`NameError`] when there is no such command or the arguments do not fit it.
            pub fn from_name_and_args(name: &str, args: &str) -> Result<Self, NameError> {
                match name {
                    $($command_name => serde_json::from_str(args)
                        .map(Self::$command)
                        .map_err(|source| {
                            NameError::Arguments { function: $command_name, source }
                        }),)+
                    _ => Err(NameError::Unknown(name.to_owned())),
                }
            }

            /// Reads a command's arguments from another form than JSON; `None` when there is no
            /// such command.
            pub fn from_name_and<'de, D: serde::Deserializer<'de>>(
                name: &str,
                args: D,
            ) -> Option<Result<Self, D::Error>> {
                match name {
                    $($command_name => {
                        Some($command_module::$command::deserialize(args).map(Self::$command))
                    })+
                    _ => None,
                }
            }

            pub(crate) fn rule(&self) -> &dyn crate::tx::DynRule {
                match self { $(Self::$command(args) => args,)+ }
            }

            /// What is known of every command, in the order of their declaration.
            pub fn descriptions() -> Vec<crate::CommandDescription> {
                vec![$(
                    crate::CommandDescription::of::<$command_module::$command>($command_name)
                ),+]
            }

            /// JSON schema of the arguments of every command, by name.
            pub fn schemas(
                generator: &mut schemars::SchemaGenerator,
            ) -> Vec<(&'static str, schemars::Schema)> {
                vec![$(($command_name, generator.subschema_for::<$command_module::$command>())),+]
            }
        }

        $(impl From<$command_module::$command> for Command {
            fn from(command: $command_module::$command) -> Self { Self::$command(command) }
        })+

        $(impl Named for $command_module::$command {
            const NAME: &'static str = $command_name;
        })+

        /// Something that has happened on the ledger.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum Event {
            $($event($event_module::$event),)+
        }

        impl Event {
            /// The names of all events.
            pub const NAMES: &[&str] = &[$(stringify!($event)),+];

            pub fn name(&self) -> &'static str {
                match self { $(Self::$event(_) => stringify!($event),)+ }
            }

            /// JSON schema of every event, by name.
            pub fn schemas(
                generator: &mut schemars::SchemaGenerator,
            ) -> Vec<(&'static str, schemars::Schema)> {
                vec![$((stringify!($event), generator.subschema_for::<$event_module::$event>())),+]
            }
        }

        impl crate::Effects for Event {
            fn postings(&self) -> &[crate::Posting] {
                match self { $(Self::$event(event) => event.postings(),)+ }
            }

            fn accounts(&self, name: &mut dyn FnMut(gx_types::AccountId)) {
                match self { $(Self::$event(event) => event.accounts(name),)+ }
            }

            fn countries(&self, name: &mut dyn FnMut(gx_types::CountryCode)) {
                match self { $(Self::$event(event) => event.countries(name),)+ }
            }
        }

        $(impl From<$event_module::$event> for Event {
            fn from(event: $event_module::$event) -> Self { Self::$event(event) }
        })+

        /// A question to the ledger's state.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum Query {
            $(#[serde(rename = $query_name)] $query($query_module::$query),)+
        }

        impl Query {
            /// The names of all queries.
            pub const NAMES: &[&str] = &[$($query_name),+];

            pub fn name(&self) -> &'static str {
                match self { $(Self::$query(_) => $query_name,)+ }
            }

            /// Reads a query from its name and the JSON object of its arguments.
            ///
            /// # Errors
            /// [`NameError`] when there is no such query or the arguments do not fit it.
            pub fn from_name_and_args(name: &str, args: &str) -> Result<Self, NameError> {
                match name {
                    $($query_name => serde_json::from_str(args)
                        .map(Self::$query)
                        .map_err(|source| NameError::Arguments { function: $query_name, source }),)+
                    _ => Err(NameError::Unknown(name.to_owned())),
                }
            }

            /// Reads a query's arguments from another form than JSON; `None` when there is no such
            /// query.
            pub fn from_name_and<'de, D: serde::Deserializer<'de>>(
                name: &str,
                args: D,
            ) -> Option<Result<Self, D::Error>> {
                match name {
                    $($query_name => {
                        Some($query_module::$query::deserialize(args).map(Self::$query))
                    })+
                    _ => None,
                }
            }

            /// Every query with the JSON schemas of its arguments and its answer.
            pub fn descriptions(
                generator: &mut schemars::SchemaGenerator,
            ) -> Vec<crate::QueryDescription> {
                vec![$(crate::QueryDescription {
                    name: $query_name,
                    arguments: generator.subschema_for::<$query_module::$query>(),
                    answer: generator.subschema_for::<
                        <$query_module::$query as crate::query::Answer>::Answer,
                    >(),
                }),+]
            }

            pub(crate) fn ask(
                &self,
                state: &mut crate::state::State,
            ) -> Result<String, crate::tx::Stop> {
                match self {
                    $(Self::$query(query) => {
                        let answer = crate::query::Answer::answer(query, state)?;
                        Ok(serde_json::to_string(&answer).unwrap_or_default())
                    })+
                }
            }
        }

        $(impl From<$query_module::$query> for Query {
            fn from(query: $query_module::$query) -> Self { Self::$query(query) }
        })+
    };
}

surface! {
    commands {
        BootstrapSystem = "AdminContract:BootstrapSystem" in admin,
        InitializeCountryData = "AdminContract:InitializeCountryData" in admin,
        PauseSystem = "AdminContract:PauseSystem" in admin,
        ResumeSystem = "AdminContract:ResumeSystem" in admin,
        AppointAdmin = "AdminContract:AppointAdmin" in admin,
        ReplaceAdmin = "AdminContract:ReplaceAdmin" in admin,
        RemoveAdmin = "AdminContract:RemoveAdmin" in admin,
        UpdateSystemParameter = "AdminContract:UpdateSystemParameter" in admin,
        CancelParameterChange = "AdminContract:CancelParameterChange" in admin,
        DisburseFromPool = "AdminContract:DisburseFromPool" in admin,
        TransferByOrder = "AdminContract:TransferByOrder" in admin,
        RegisterAdminKey = "AdminContract:RegisterAdminKey" in admin,
        RotateAdminKey = "AdminContract:RotateAdminKey" in admin,
        ConfirmClock = "AdminContract:ConfirmClock" in admin,
        RegisterAttester = "AdminContract:RegisterAttester" in admin,
        RemoveAttester = "AdminContract:RemoveAttester" in admin,
        ApproveAction = "AdminContract:ApproveAction" in admin,
        RejectAction = "AdminContract:RejectAction" in admin,
        WithdrawAction = "AdminContract:WithdrawAction" in admin,
        CreateUser = "IdentityContract:CreateUser" in identity,
        TransferCustody = "IdentityContract:TransferCustody" in custody,
        AcceptCustody = "IdentityContract:AcceptCustody" in custody,
        RegisterKey = "IdentityContract:RegisterKey" in identity,
        RotateKey = "IdentityContract:RotateKey" in identity,
        ResetKeyByOrder = "IdentityContract:ResetKeyByOrder" in identity,
        VetoKeyReset = "IdentityContract:VetoKeyReset" in identity,
        CompleteKeyReset = "IdentityContract:CompleteKeyReset" in identity,
        SetUserStatus = "IdentityContract:SetUserStatus" in identity,
        RequestRelationship = "IdentityContract:RequestRelationship" in identity,
        ConfirmRelationship = "IdentityContract:ConfirmRelationship" in identity,
        RejectRelationship = "IdentityContract:RejectRelationship" in identity,
        EndRelationship = "IdentityContract:EndRelationship" in identity,
        NominateGuardians = "IdentityContract:NominateGuardians" in identity,
        InitiateRecovery = "IdentityContract:InitiateRecovery" in identity,
        ConfirmRecovery = "IdentityContract:ConfirmRecovery" in identity,
        CancelRecovery = "IdentityContract:CancelRecovery" in identity,
        CompleteRecovery = "IdentityContract:CompleteRecovery" in identity,
        Transfer = "TokenomicsContract:Transfer" in tokenomics,
        OpenEscrow = "TokenomicsContract:OpenEscrow" in escrow,
        ReleaseEscrow = "TokenomicsContract:ReleaseEscrow" in escrow,
        RefundEscrow = "TokenomicsContract:RefundEscrow" in escrow,
        SetSpendingLimit = "TokenomicsContract:SetSpendingLimit" in spending,
        DistributeGenesis = "TokenomicsContract:DistributeGenesis" in tokenomics,
        FreezeWallet = "TokenomicsContract:FreezeWallet" in freezing,
        UnfreezeWallet = "TokenomicsContract:UnfreezeWallet" in freezing,
        ProposeOrganization = "OrganizationContract:ProposeOrganization" in organization,
        EndorseMembership = "OrganizationContract:EndorseMembership" in organization,
        ActivateOrganization = "OrganizationContract:ActivateOrganization" in organization,
        SetOrganizationStatus = "OrganizationContract:SetOrganizationStatus" in organization,
        DefineAuthRule = "OrganizationContract:DefineAuthRule" in organization,
        ChangeStakeholders = "OrganizationContract:ChangeStakeholders" in organization,
        WithdrawStakeholderChange =
            "OrganizationContract:WithdrawStakeholderChange" in organization,
        ChangeStakeholdersByOrder =
            "OrganizationContract:ChangeStakeholdersByOrder" in organization,
        InitiateMultiSigTx = "OrganizationContract:InitiateMultiSigTx" in organization,
        ApproveMultiSigTx = "OrganizationContract:ApproveMultiSigTx" in organization,
        RejectMultiSigTx = "OrganizationContract:RejectMultiSigTx" in organization,
        WithdrawApproval = "OrganizationContract:WithdrawApproval" in organization,
        CancelMultiSigTx = "OrganizationContract:CancelMultiSigTx" in organization,
        ApplyForLoan = "LoanPoolContract:ApplyForLoan" in loan_pool,
        ApproveLoan = "LoanPoolContract:ApproveLoan" in loan_pool,
        RejectLoan = "LoanPoolContract:RejectLoan" in loan_pool,
        CancelLoanApplication = "LoanPoolContract:CancelLoanApplication" in loan_pool,
        RepayLoan = "LoanPoolContract:RepayLoan" in loan_pool,
        MarkLoanDefaulted = "LoanPoolContract:MarkLoanDefaulted" in loan_pool,
        ActivateTreasuryAccount = "AdminContract:ActivateTreasuryAccount" in treasury,
        ReassignTreasury = "AdminContract:ReassignTreasury" in treasury,
        SubmitProposal = "GovernanceContract:SubmitProposal" in governance,
        VoteOnProposal = "GovernanceContract:VoteOnProposal" in governance,
        ExecuteProposal = "GovernanceContract:ExecuteProposal" in governance,
        ApplyVelocityTax = "TaxAndFeeContract:ApplyVelocityTax" in tax_and_fee,
        SetVelocityTaxExempt = "TaxAndFeeContract:SetVelocityTaxExempt" in tax_and_fee,
    }
    events {
        SystemBootstrapped in admin,
        CountriesInitialized in admin,
        SystemPaused in admin,
        SystemResumed in admin,
        ActionProposed in admin,
        ActionApproved in admin,
        ActionRejected in admin,
        ActionWithdrawn in admin,
        AdminAppointed in admin,
        AdminReplaced in admin,
        AdminRemoved in admin,
        ParameterScheduled in admin,
        ParameterChangeCancelled in admin,
        SystemParameterUpdated in admin,
        PoolDisbursed in admin,
        TransferredByOrder in admin,
        AdminKeyRegistered in admin,
        AdminKeyRotated in admin,
        ClockConfirmed in admin,
        AttesterRegistered in admin,
        AttesterRemoved in admin,
        UserCreated in identity,
        CustodyOffered in custody,
        CustodyTransferred in custody,
        KeyRegistered in identity,
        KeyRotated in identity,
        KeyResetOrdered in identity,
        KeyResetCancelled in identity,
        KeyResetCompleted in identity,
        UserStatusSet in identity,
        RelationshipRequested in identity,
        RelationshipConfirmed in identity,
        RelationshipRejected in identity,
        RelationshipEnded in identity,
        GuardiansNominated in identity,
        GuardiansDropped in identity,
        RecoveryInitiated in identity,
        RecoveryConfirmed in identity,
        RecoveryCancelled in identity,
        RecoveryCompleted in identity,
        GenesisDistributed in tokenomics,
        GenesisSkipped in tokenomics,
        Transferred in tokenomics,
        SpendingLimitSet in spending,
        EscrowOpened in escrow,
        EscrowReleased in escrow,
        EscrowRefunded in escrow,
        WalletFrozen in freezing,
        WalletUnfrozen in freezing,
        OrganizationProposed in organization,
        MembershipEndorsed in organization,
        OrganizationActivated in organization,
        OrganizationStatusSet in organization,
        AuthRuleProposed in organization,
        AuthRuleDefined in organization,
        StakeholderChangeProposed in organization,
        StakeholderChangeWithdrawn in organization,
        StakeholdersChanged in organization,
        MultiSigTxInitiated in organization,
        MultiSigTxApproved in organization,
        MultiSigTxRejected in organization,
        MultiSigTxRejudged in organization,
        ApprovalWithdrawn in organization,
        MultiSigTxCancelled in organization,
        MultiSigTxExecuted in organization,
        MultiSigTxExecutionFailed in organization,
        MultiSigTxDropped in organization,
        LoanApplied in loan_pool,
        LoanApproved in loan_pool,
        LoanRejected in loan_pool,
        LoanApplicationCancelled in loan_pool,
        LoanLapsed in loan_pool,
        LoanRepaid in loan_pool,
        LoanDefaulted in loan_pool,
        TreasuryActivated in treasury,
        TreasuryReassigned in treasury,
        ProposalSubmitted in governance,
        VoteCast in governance,
        ProposalExecuted in governance,
        ProposalFailed in governance,
        VelocityTaxApplied in tax_and_fee,
        VelocityTaxSkipped in tax_and_fee,
        VelocityTaxExemptSet in tax_and_fee,
    }
    queries {
        GetSystemStatus = "AdminContract:GetSystemStatus" in admin,
        GetCountryStats = "AdminContract:GetCountryStats" in admin,
        ListAllCountries = "AdminContract:ListAllCountries" in admin,
        GetAdmin = "AdminContract:GetAdmin" in admin,
        GetAttester = "AdminContract:GetAttester" in admin,
        GetPendingAction = "AdminContract:GetPendingAction" in admin,
        GetSystemParameter = "AdminContract:GetSystemParameter" in admin,
        ListSystemParameters = "AdminContract:ListSystemParameters" in admin,
        GetGlobalCounters = "AdminContract:GetGlobalCounters" in admin,
        GetUser = "IdentityContract:GetUser" in identity,
        UserExists = "IdentityContract:UserExists" in identity,
        GetMyProfile = "IdentityContract:GetMyProfile" in identity,
        GetRelationships = "IdentityContract:GetRelationships" in identity,
        GetRecovery = "IdentityContract:GetRecovery" in identity,
        GetBalance = "TokenomicsContract:GetBalance" in tokenomics,
        GetSupplyStatus = "TokenomicsContract:GetSupplyStatus" in tokenomics,
        GetPoolStatus = "TokenomicsContract:GetPoolStatus" in tokenomics,
        GetTreasury = "TokenomicsContract:GetTreasury" in tokenomics,
        GetEscrow = "TokenomicsContract:GetEscrow" in escrow,
        GetSpendingLimit = "TokenomicsContract:GetSpendingLimit" in spending,
        GetOrganization = "OrganizationContract:GetOrganization" in organization,
        GetPendingTransaction = "OrganizationContract:GetPendingTransaction" in organization,
        ListPendingTransactions = "OrganizationContract:ListPendingTransactions" in organization,
        GetLoan = "LoanPoolContract:GetLoan" in loan_pool,
        GetMyLoans = "LoanPoolContract:GetMyLoans" in loan_pool,
        GetProposal = "GovernanceContract:GetProposal" in governance,
        ListActiveProposals = "GovernanceContract:ListActiveProposals" in governance,
        CheckVelocityTaxEligibility =
            "TaxAndFeeContract:CheckVelocityTaxEligibility" in tax_and_fee,
        CalculateTransactionFee = "TaxAndFeeContract:CalculateTransactionFee" in tax_and_fee,
        GetCommandOutcome = "SmartContract:GetCommandOutcome" in smart_contract,
        GetContractInfo = "SmartContract:GetContractInfo" in smart_contract,
    }
}
