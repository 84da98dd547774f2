//! Every route of the platform: one row each, and nothing about a route stands anywhere else.
//!
//! Router, access rules, API description and the coverage tests are made from this table.

use std::sync::LazyLock;

use crate::admin::login::{AdminLoggedIn, AdminLoginBody, PasswordBody};
use crate::admin::system::{BootstrapBody, CountriesBody, NoBody, PauseBody, SystemReply};
use crate::admin::users::{
    ApproveBody, Decided, DenyBody, FreezeBody, PageQuery, UserReply, UsersQuery, UsersReply,
};
use crate::admin::{AdminProfile, register};
use crate::auth::Permission as P;
use crate::auth::login::TokenPair;
use crate::commands::CommandReply;
use crate::http::answer::Page;
use crate::http::route::{Access, Route};
use crate::identity::Profile;
use crate::identity::login::{LoggedIn, LoginBody, LogoutBody, Message, RefreshBody};
use crate::identity::register::{RegisterBody, Registered};
use crate::service::Service;
use crate::system::{Health, Readiness, Version};
use crate::tokenomics::explorer::{
    BlockContent, BlockQuery, BlockReply, BlocksQuery, LedgerReply, TransactionReply,
};
use crate::tokenomics::genesis::GenesisBody;
use crate::tokenomics::supply::{CountriesReply, CountryReply, SupplyReply, TreasuryReply};
use crate::tokenomics::transfers::TransferBody;
use crate::tokenomics::wallets::{
    BalanceQuery, BalanceReply, HistoryQuery, HistoryReply, Movement,
};
use crate::{admin, commands, identity, system, tokenomics};

/// The table.
pub fn routes() -> &'static [Route] {
    static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
        let of = |service: Service, routes: Vec<Route>| {
            routes.into_iter().map(move |route| route.of(service))
        };
        let mut table: Vec<Route> = of(Service::Identity, identity_routes()).collect();
        table.extend(of(Service::Admin, admin_session_routes()));
        table.extend(of(Service::Admin, admin_system_routes()));
        table.extend(of(Service::Admin, admin_user_routes()));
        table.extend(of(Service::Tokenomics, tokenomics_routes()));
        table.extend(of(Service::Tokenomics, ledger_routes()));
        table.extend(system_routes());
        table
    });
    &ROUTES
}

fn identity_routes() -> Vec<Route> {
    use Access::{Public, User};
    vec![
        Route::post("/api/v1/auth/register", Public, identity::register::register)
            .says("Registers a person, who then waits for approval")
            .credentials()
            .body::<RegisterBody>()
            .answer::<Registered>()
            .created(),
        Route::post("/api/v1/auth/login", Public, identity::login::login)
            .says("Opens a session with e-mail address and password")
            .credentials()
            .gives_tokens()
            .body::<LoginBody>()
            .answer::<LoggedIn>(),
        Route::post("/api/v1/auth/refresh", Public, identity::login::refresh)
            .says("Replaces a refresh token; using one twice ends the session")
            .gives_tokens()
            .body::<RefreshBody>()
            .answer::<TokenPair>(),
        Route::post("/api/v1/auth/logout", User, identity::login::logout)
            .says("Ends the session")
            .body::<LogoutBody>()
            .answer::<Message>(),
        Route::get("/api/v1/users/profile", User, identity::profile)
            .says("The caller's own data")
            .answer::<Profile>(),
        Route::get("/.well-known/jwks.json", Public, identity::jwks)
            .says("The public keys of access tokens"),
    ]
}

fn admin_session_routes() -> Vec<Route> {
    use Access::{AnyAdmin, Public};
    vec![
        Route::post("/api/v1/admin/auth/login", Public, admin::login::login)
            .says("Opens an admin's session")
            .credentials()
            .gives_tokens()
            .body::<AdminLoginBody>()
            .answer::<AdminLoggedIn>(),
        Route::post("/api/v1/admin/auth/refresh", Public, admin::login::refresh)
            .says("Replaces an admin's refresh token")
            .gives_tokens()
            .body::<RefreshBody>()
            .answer::<TokenPair>(),
        Route::post("/api/v1/admin/auth/logout", AnyAdmin, admin::login::logout)
            .says("Ends the admin's session")
            .body::<LogoutBody>()
            .answer::<Message>(),
        Route::post("/api/v1/admin/auth/password/change", AnyAdmin, admin::login::change_password)
            .says("Sets another password and ends all other sessions")
            .credentials()
            .body::<PasswordBody>()
            .answer::<Message>(),
        Route::get("/api/v1/admin/auth/profile", AnyAdmin, admin::profile)
            .says("The admin's own data and permissions")
            .answer::<AdminProfile>(),
    ]
}

fn admin_system_routes() -> Vec<Route> {
    use Access::Admin;
    vec![
        Route::post("/api/v1/admin/bootstrap", Admin(P::SystemBootstrap), admin::system::bootstrap)
            .says("Creates the whole supply in six pools, once")
            .submits("AdminContract:BootstrapSystem")
            .body::<BootstrapBody>()
            .answer::<CommandReply>(),
        Route::post(
            "/api/v1/admin/countries/initialize",
            Admin(P::SystemBootstrap),
            admin::system::initialize_countries,
        )
        .says("Adds countries and their shares of genesis")
        .submits("AdminContract:InitializeCountryData")
        .body::<CountriesBody>()
        .answer::<CommandReply>(),
        Route::post("/api/v1/admin/system/pause", Admin(P::SystemPause), admin::system::pause)
            .says("Stops everything but resuming and reading")
            .submits("AdminContract:PauseSystem")
            .body::<PauseBody>()
            .answer::<CommandReply>(),
        Route::post("/api/v1/admin/system/resume", Admin(P::SystemResume), admin::system::resume)
            .says("Ends a pause")
            .submits("AdminContract:ResumeSystem")
            .body::<NoBody>()
            .answer::<CommandReply>(),
        Route::get(
            "/api/v1/admin/system/status",
            Admin(P::SystemStatusRead),
            admin::system::status,
        )
        .says("Whether the system is bootstrapped, and whether it is paused")
        .answer::<SystemReply>(),
    ]
}

fn admin_user_routes() -> Vec<Route> {
    use Access::Admin;
    vec![
        Route::get("/api/v1/admin/users", Admin(P::UserList), admin::users::list)
            .says("Users by status or name, newest first")
            .query::<UsersQuery>()
            .answer::<UsersReply>(),
        Route::get(
            "/api/v1/admin/users/pending-onchain",
            Admin(P::UserList),
            admin::users::pending_onchain,
        )
        .says("Approved users whose account is not on the ledger yet")
        .query::<PageQuery>()
        .answer::<UsersReply>(),
        Route::post(
            "/api/v1/admin/users/batch-register-onchain",
            Admin(P::UserApprove),
            register::batch,
        )
        .says("Opens accounts on the ledger for approved users")
        .submits("IdentityContract:CreateUser")
        .body::<register::BatchBody>()
        .answer::<register::BatchReply>(),
        Route::get("/api/v1/admin/users/{id}", Admin(P::UserView), admin::users::get)
            .says("One user, without secrets")
            .answer::<UserReply>(),
        Route::post(
            "/api/v1/admin/users/{id}/approve",
            Admin(P::UserApprove),
            admin::users::approve,
        )
        .says("Approves a user and assigns the id on the ledger")
        .body::<ApproveBody>()
        .answer::<Decided>(),
        Route::post("/api/v1/admin/users/{id}/deny", Admin(P::UserDeny), admin::users::deny)
            .says("Denies an application")
            .body::<DenyBody>()
            .answer::<Decided>(),
        Route::post("/api/v1/admin/users/{id}/freeze", Admin(P::UserFreeze), admin::users::freeze)
            .says("Freezes a user's account; tokens of the user stop working")
            .submits("TokenomicsContract:FreezeWallet")
            .body::<FreezeBody>()
            .answer::<CommandReply>(),
        Route::post(
            "/api/v1/admin/users/{id}/unfreeze",
            Admin(P::UserUnfreeze),
            admin::users::unfreeze,
        )
        .says("Ends a freeze")
        .submits("TokenomicsContract:UnfreezeWallet")
        .body::<NoBody>()
        .answer::<CommandReply>(),
    ]
}

fn tokenomics_routes() -> Vec<Route> {
    use Access::{Admin, Public, User};
    let transfer = Route::post("/api/v1/transfers", User, tokenomics::transfers::transfer)
        .says("Pays another account; the sender pays the fee on top")
        .submits("TokenomicsContract:Transfer")
        .body::<TransferBody>()
        .answer::<CommandReply>();
    vec![
        transfer.alias("/api/v1/transactions/transfer"),
        transfer,
        Route::get("/api/v1/wallets/{userId}/balance", User, tokenomics::wallets::balance)
            .says("What the caller's account holds")
            .query::<BalanceQuery>()
            .answer::<BalanceReply<'static>>(),
        Route::get(
            "/api/v1/wallets/{userId}/transactions",
            User,
            tokenomics::wallets::transactions,
        )
        .says("The caller's movements, newest first")
        .query::<HistoryQuery>()
        .answer::<Page<Movement>>(),
        Route::get("/api/v1/transactions/{userId}/history", User, tokenomics::wallets::history)
            .says("The caller's movements by numbered pages")
            .query::<HistoryQuery>()
            .answer::<HistoryReply>(),
        Route::post(
            "/api/v1/wallets/{userId}/freeze",
            Admin(P::UserFreeze),
            tokenomics::genesis::freeze,
        )
        .says("Freezes an account")
        .submits("TokenomicsContract:FreezeWallet")
        .body::<FreezeBody>()
        .answer::<CommandReply>(),
        Route::post(
            "/api/v1/wallets/{userId}/unfreeze",
            Admin(P::UserUnfreeze),
            tokenomics::genesis::unfreeze,
        )
        .says("Ends a freeze")
        .submits("TokenomicsContract:UnfreezeWallet")
        .body::<NoBody>()
        .answer::<CommandReply>(),
        Route::post("/api/v1/genesis", Admin(P::TreasuryTransfer), tokenomics::genesis::distribute)
            .says("Grants genesis to users who did not get it with their account")
            .submits("TokenomicsContract:DistributeGenesis")
            .body::<GenesisBody>()
            .answer::<CommandReply>(),
        Route::get("/api/v1/supply", Public, tokenomics::supply::supply)
            .says("How many coins there are where")
            .answer::<SupplyReply>(),
        Route::get("/api/v1/countries", Public, tokenomics::supply::countries)
            .says("All countries with their shares of genesis")
            .answer::<CountriesReply>(),
        Route::get("/api/v1/countries/{cc}/stats", Public, tokenomics::supply::country)
            .says("One country")
            .answer::<CountryReply>(),
        Route::get("/api/v1/treasury/{cc}/balance", Public, tokenomics::supply::treasury)
            .says("What a country's treasury holds")
            .answer::<TreasuryReply>(),
    ]
}

fn ledger_routes() -> Vec<Route> {
    use Access::{Either, Public};
    vec![
        Route::get("/api/v1/commands/{id}", Either, commands::status)
            .says("How far a command has come; its owner and admins may ask")
            .answer::<CommandReply>(),
        Route::get("/api/v1/commands/{id}/events", Either, commands::events)
            .says("The same as server-sent events, until the command is settled"),
        Route::get("/api/v1/blocks", Public, tokenomics::explorer::blocks)
            .says("The ledger's blocks, newest first")
            .query::<BlocksQuery>()
            .answer::<Page<BlockReply>>(),
        Route::get("/api/v1/blocks/{n}", Public, tokenomics::explorer::block)
            .says("One block and its commands")
            .query::<BlockQuery>()
            .answer::<BlockContent>(),
        Route::get(
            "/api/v1/ledger/transactions/{commandId}",
            Either,
            tokenomics::explorer::transaction,
        )
        .says("Where a command stands on the ledger; its owner and admins may ask")
        .answer::<TransactionReply>(),
        Route::get("/api/v1/ledger/info", Public, tokenomics::explorer::info)
            .says("Where the ledger and its read models stand")
            .answer::<LedgerReply>(),
    ]
}

fn system_routes() -> Vec<Route> {
    use Access::System;
    vec![
        Route::get("/health", System, system::health)
            .says("That the process answers, and whether the database does")
            .answer::<Health>(),
        Route::get("/livez", System, system::livez)
            .says("That the process answers; touches nothing else")
            .answer::<Health>(),
        Route::get("/readyz", System, system::readyz)
            .says("Whether the process can serve, and why not")
            .answer::<Readiness>(),
        Route::get("/metrics", System, system::metrics).says("Figures for Prometheus"),
        Route::get("/version", System, system::version)
            .says("What is running here")
            .answer::<Version>(),
        Route::get("/openapi.json", System, system::openapi).says("This description"),
        Route::get("/docs", System, system::docs).says("This description for people"),
    ]
}
