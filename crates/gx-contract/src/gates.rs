//! The checks that stand before every rule, in one place and one order.

use gx_types::{AccountId, Actor, MspId, NetworkId, Role, TimeMs};

use crate::custody::custodian_of;
use crate::identity::{AccountStatus, KeyRecord};
use crate::signature::{SIGNED_AHEAD_MAX_MS, Verified};
use crate::state::{Account, Admin, AdminLevel, Key, State};
use crate::tx::{DynRule, Stop};
use crate::{Command, Envelope, PublicKey, Refusal, Refused};

/// Whose command this may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorRule {
    /// Nobody is known yet: the system, or the admin whom the command names.
    Bootstrap,
    /// An admin of the highest level.
    SuperAdmin,
    /// Any admin.
    Admin,
    /// Any admin, or scheduled work.
    AdminOrSystem,
    /// A user, for their own account.
    User,
}

/// When a command is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    BeforeBootstrap,
    Running,
    EvenPaused,
}

/// What a command needs before its rule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// The role that the submitting service must have, exactly.
    pub role: Role,
    pub actor: ActorRule,
    pub(crate) when: When,
    /// Whether it waits for a second admin before it runs.
    pub(crate) two_admins: bool,
    /// Whether the other party may be frozen: it is not a user who pays.
    pub(crate) pays_frozen: bool,
    /// Whether the other party may be deceased: it is not paid, its status is set.
    pub(crate) pays_deceased: bool,
    /// Whether an admin may give it without the key that admins need: it is how they get one.
    pub(crate) without_key: bool,
    /// Whether a frozen account may give it: a freeze keeps coins where they are, and must not
    /// keep an owner from defending the key.
    pub(crate) by_frozen: bool,
    /// Whether a locked account may give it, or that of somebody deceased: a veto by the key is
    /// good whatever admins have set, or they would set it for as long as the veto counts.
    pub(crate) by_inactive: bool,
}

impl Gate {
    pub(crate) const fn new(role: Role, actor: ActorRule) -> Self {
        Self {
            role,
            actor,
            when: When::Running,
            two_admins: false,
            pays_frozen: false,
            pays_deceased: false,
            without_key: false,
            by_frozen: false,
            by_inactive: false,
        }
    }

    pub(crate) const fn before_bootstrap(self) -> Self {
        Self { when: When::BeforeBootstrap, ..self }
    }

    pub(crate) const fn even_paused(self) -> Self {
        Self { when: When::EvenPaused, ..self }
    }

    pub(crate) const fn even_to_frozen(self) -> Self {
        Self { pays_frozen: true, ..self }
    }

    pub(crate) const fn even_without_key(self) -> Self {
        Self { without_key: true, ..self }
    }

    pub(crate) const fn even_by_frozen(self) -> Self {
        Self { by_frozen: true, ..self }
    }

    pub(crate) const fn even_by_inactive(self) -> Self {
        Self { by_frozen: true, by_inactive: true, ..self }
    }

    pub(crate) const fn even_to_deceased(self) -> Self {
        Self { pays_deceased: true, ..self }
    }

    /// Whether it waits for a second admin before it runs.
    pub const fn needs_two_admins(&self) -> bool {
        self.two_admins
    }

    /// Whether it is taken before the system is bootstrapped, and whether while it is paused.
    pub const fn taken(&self) -> (bool, bool) {
        match self.when {
            When::BeforeBootstrap => (true, false),
            When::Running => (false, false),
            When::EvenPaused => (false, true),
        }
    }

    /// Whether a frozen account may give it.
    pub const fn taken_from_frozen(&self) -> bool {
        self.by_frozen
    }

    /// What the checks of [`check`] refuse a command of this gate, in order of precedence, but for
    /// what concerns the other party: that is for the rules that have one to say.
    pub(crate) fn refusals(&self) -> Vec<Refusal> {
        let (unbootstrapped, paused) = self.taken();
        let known = self.actor != ActorRule::Bootstrap;
        let user = self.actor == ActorRule::User;
        let admin = match self.actor {
            ActorRule::SuperAdmin | ActorRule::Admin | ActorRule::AdminOrSystem => true,
            ActorRule::Bootstrap | ActorRule::User => false,
        };
        let keyed = user || admin;
        let codes = [
            (true, Refusal::CommandIdReused),
            (true, Refusal::RoleNotAllowed),
            (!unbootstrapped, Refusal::NotBootstrapped),
            (!paused, Refusal::SystemPaused),
            (known, Refusal::ActorUnknown),
            (true, Refusal::ActorNotAllowed),
            (admin && !self.without_key, Refusal::AdminKeyMissing),
            (keyed, Refusal::SignatureMissing),
            (true, Refusal::SignatureUnexpected),
            (keyed, Refusal::SignatureExpired),
            (keyed, Refusal::SignatureTooFarAhead),
            (keyed, Refusal::SignatureWrong),
            (user, Refusal::NotCustodian),
            (user && !self.by_frozen, Refusal::AccountFrozen),
            (user && !self.by_inactive, Refusal::AccountLocked),
            (user && !self.by_inactive, Refusal::AccountDeceased),
        ];
        codes.into_iter().filter_map(|(may_be, code)| may_be.then_some(code)).collect()
    }

    pub(crate) const fn by_two_admins(self) -> Self {
        Self { two_admins: true, ..self }
    }
}

/// Whether an admin of the level may give commands with this rule.
pub(crate) fn level_suffices(level: AdminLevel, rule: ActorRule) -> bool {
    match rule {
        ActorRule::SuperAdmin => level == AdminLevel::SuperAdmin,
        ActorRule::Admin | ActorRule::AdminOrSystem => true,
        ActorRule::Bootstrap | ActorRule::User => false,
    }
}

/// Notes every unknown key that the gates will read, so that they cost one round trip together.
pub(crate) fn want(state: &mut State, envelope: &Envelope, rule: &dyn DynRule) {
    state.want(Key::System);
    state.want(Key::Parameters);
    state.want(Key::Outcome(envelope.command_id));
    match &envelope.actor {
        Actor::System => {}
        Actor::Admin(id) => {
            state.want(Key::Admin(*id));
        }
        Actor::User(id) => {
            state.want(Key::Account(*id));
            // Only a signed command needs the key; an account with one says so itself.
            if envelope.signature.is_some() {
                state.want(Key::AccountKey(*id));
            }
        }
    }
    if let Some(other) = rule.counterparty() {
        state.want(Key::Account(*other));
    }
}

/// role → bootstrapped → not paused → actor known → actor allowed → actor's signature → the actor's
/// custodian, without a key → actor neither frozen nor locked nor deceased → other party known →
/// other party neither frozen nor deceased.
pub(crate) fn check(
    state: &mut State,
    envelope: &Envelope,
    rule: &dyn DynRule,
    (role, organization): (Role, &MspId),
    now: TimeMs,
    seen: &mut Option<Verified>,
) -> Result<(), Stop> {
    let gate = rule.gate();
    if gate.role != role {
        let detail = format!("{} needs {}, got {role}", envelope.command.name(), gate.role);
        return Err(Refusal::RoleNotAllowed.because(detail).into());
    }
    let network = match (state.system()?, gate.when) {
        (None, When::BeforeBootstrap) => None,
        (Some(system), When::EvenPaused) => Some(system.network_id),
        (None, When::Running | When::EvenPaused) => return Err(Refusal::NotBootstrapped.into()),
        (Some(system), When::BeforeBootstrap | When::Running) => {
            if let Some(pause) = &system.paused {
                return Err(Refusal::SystemPaused.because(pause.reason.clone()).into());
            }
            Some(system.network_id)
        }
    };
    check_actor(state, envelope, &gate, network, organization, now, seen)?;
    check_counterparty(state, rule, &gate)
}

/// Whether the other party of the command may be concerned by it.
pub(crate) fn check_counterparty(
    state: &mut State,
    rule: &dyn DynRule,
    gate: &Gate,
) -> Result<(), Stop> {
    if let Some(other) = rule.counterparty() {
        let account = state.existing_account(other)?;
        if account.is_frozen() && !gate.pays_frozen {
            return Err(Refusal::CounterpartyFrozen.into());
        }
        if account.status == AccountStatus::Deceased && !gate.pays_deceased {
            return Err(Refusal::CounterpartyDeceased.into());
        }
    }
    Ok(())
}

/// Who acts, and what their signature is held against.
enum Acting<'e> {
    /// The system, or whoever bootstraps it.
    Nobody,
    Admin(Option<PublicKey>),
    User(&'e AccountId, Account),
}

fn check_actor(
    state: &mut State,
    envelope: &Envelope,
    gate: &Gate,
    network: Option<NetworkId>,
    organization: &MspId,
    now: TimeMs,
    seen: &mut Option<Verified>,
) -> Result<(), Stop> {
    let (actor, rule) = (&envelope.actor, gate.actor);
    let unknown = || Refusal::ActorUnknown.because(format!("{actor} is not on the ledger"));
    let (allowed, acting) = match actor {
        _ if rule == ActorRule::Bootstrap => (true, Acting::Nobody),
        Actor::System => (true, Acting::Nobody),
        Actor::Admin(id) => {
            let admin: Option<Admin> = state.get(Key::Admin(*id))?;
            let admin = admin.filter(Admin::in_office).ok_or_else(unknown)?;
            (level_suffices(admin.level, rule), Acting::Admin(admin.public_key))
        }
        Actor::User(id) => {
            let account: Account = state.account(id)?.ok_or_else(unknown)?;
            (account.is_user(), Acting::User(id, account))
        }
    };
    if !allowed || !is_kind_allowed(envelope, rule) {
        return Err(not_allowed(actor).into());
    }
    match (acting, network) {
        (Acting::User(id, account), Some(network)) => {
            if account.keyed || envelope.signature.is_some() {
                let key: Option<KeyRecord> = match envelope.signature {
                    Some(_) => state.get(Key::AccountKey(*id))?,
                    None => None,
                };
                let key = key.map(|record| record.public_key);
                check_signature(envelope, account.keyed, key, network, now, seen)?;
            }
            if !account.keyed && custodian_of(state, &account)? != organization {
                return Err(Refusal::NotCustodian.into());
            }
            able(&account, gate).map_err(Stop::from)
        }
        (Acting::Admin(key), Some(network)) => {
            if key.is_none() && !gate.without_key && state.params()?.admins.keys_required > 0 {
                return Err(Refusal::AdminKeyMissing.into());
            }
            check_signature(envelope, key.is_some(), key, network, now, seen).map_err(Stop::from)
        }
        // Nobody else has a key.
        _ if envelope.signature.is_some() => Err(Refusal::SignatureUnexpected.into()),
        _ => Ok(()),
    }
}

/// Whether a command may be that of such an actor, whatever is known of this one.
pub(crate) fn is_kind_allowed(envelope: &Envelope, rule: ActorRule) -> bool {
    match (rule, &envelope.actor) {
        (ActorRule::Bootstrap | ActorRule::AdminOrSystem, Actor::System)
        | (ActorRule::SuperAdmin | ActorRule::Admin | ActorRule::AdminOrSystem, Actor::Admin(_))
        | (ActorRule::User, Actor::User(_)) => true,
        (ActorRule::Bootstrap, Actor::Admin(id)) => match &envelope.command {
            Command::BootstrapSystem(command) => command.first_super_admin == *id,
            _ => false,
        },
        _ => false,
    }
}

pub(crate) fn not_allowed(actor: &Actor) -> Refused {
    Refusal::ActorNotAllowed.because(format!("{actor} may not do this"))
}

/// Whether the account may initiate the command.
fn able(account: &Account, gate: &Gate) -> Result<(), Refusal> {
    if account.is_frozen() && !gate.by_frozen {
        return Err(Refusal::AccountFrozen);
    }
    match account.status {
        _ if gate.by_inactive => Ok(()),
        AccountStatus::Active => Ok(()),
        AccountStatus::Locked => Err(Refusal::AccountLocked),
        AccountStatus::Deceased => Err(Refusal::AccountDeceased),
    }
}

/// The command is signed exactly if who acts has a key, by that key, for now.
fn check_signature(
    envelope: &Envelope,
    keyed: bool,
    key: Option<PublicKey>,
    network: NetworkId,
    now: TimeMs,
    seen: &mut Option<Verified>,
) -> Result<(), Refusal> {
    let signature = match (&envelope.signature, keyed) {
        (Some(signature), true) => signature,
        (None, true) => return Err(Refusal::SignatureMissing),
        (Some(_), false) => return Err(Refusal::SignatureUnexpected),
        (None, false) => return Ok(()),
    };
    if now > signature.expires_at {
        return Err(Refusal::SignatureExpired);
    }
    if signature.expires_at.0.saturating_sub(now.0) > SIGNED_AHEAD_MAX_MS {
        return Err(Refusal::SignatureTooFarAhead);
    }
    let genuine = key.is_some_and(|key| match seen {
        Some(verified) if verified.key == key => verified.genuine,
        _ => {
            let genuine = signature.is_by(&key, envelope, network);
            *seen = Some(Verified { key, genuine });
            genuine
        }
    });
    if genuine { Ok(()) } else { Err(Refusal::SignatureWrong) }
}
