//! A small platform on disk, and the settings of its backups: database, ledger, keys, documents.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gx_backup::{Folder, Plan, Platform};
use gx_contract::admin::{BootstrapSystem, CountryWeight, InitializeCountryData};
use gx_contract::identity::CreateUser;
use gx_contract::{Batch, Command, Context, Envelope};
use gx_ledger::{Ledger, NodeKey, Options};
use gx_store::outbox::NewCommand;
use gx_store::projection::{Known, ProjectedBlock};
use gx_store::{Store, lease, outbox, projection};
use gx_types::{
    AccountId, AccountType, Actor, AdminId, BatchId, CommandId, NetworkId, Role, TimeMs,
};

/// Folders below one that is gone with the test.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    /// Where the database is, when it is no file in the folder.
    pub(crate) database: Option<gx_store::Config>,
}

impl Place {
    /// An empty place, with settings and a repository that is not made yet.
    pub(crate) fn new() -> Self {
        // In memory where there is room: nothing here depends on what a disk does.
        Self::within(tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap())
    }

    /// The same in a folder of the caller's choice.
    pub(crate) fn within(folder: tempfile::TempDir) -> Self {
        let place = Self { folder, database: None };
        fs::write(place.path("backup.key"), format!("{}\n", "7f".repeat(32))).unwrap();
        only_us(&place.path("backup.key"));
        place.settings("");
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the settings; `more` goes to their end.
    pub(crate) fn settings(&self, more: &str) {
        let text = format!(
            "state_dir = \"{0}/state\"\nmetrics_file = \"{0}/metrics.prom\"\n[repository]\n\
             location = \"{0}/repository\"\npassword_file = \"{0}/backup.key\"\n\
             same_disk = true\n{more}",
            self.folder.path().display()
        );
        fs::write(self.path("backup.toml"), text).unwrap();
    }

    pub(crate) fn plan(&self) -> Plan {
        Plan::load(&self.path("backup.toml")).unwrap()
    }

    /// The platform in a data folder of that name.
    pub(crate) fn platform(&self, data: &str) -> Platform {
        let data = self.path(data);
        let folder = |name: &str, may_be_missing| Folder {
            name: name.to_owned(),
            path: data.join(name),
            may_be_missing,
            holds: Vec::new(),
        };
        Platform {
            network: NetworkId::Devnet,
            database: self
                .database
                .clone()
                .unwrap_or_else(|| gx_store::Config::sqlite(data.join("gx.db"))),
            ledger: Some((data.join("ledger.redb"), data.join("keys/node.pem"))),
            folders: vec![folder("keys", false), folder("documents", true)],
        }
    }

    /// Makes a platform with `users` people in the data folder `data`.
    pub(crate) fn fill(&self, users: u32) -> Running {
        let data = self.path("data");
        fs::create_dir_all(data.join("keys")).unwrap();
        fs::create_dir_all(data.join("documents/a")).unwrap();
        fs::write(data.join("keys/pepper"), "made up").unwrap();
        fs::write(data.join("documents/a/sealed"), vec![9; 100_000]).unwrap();
        let mut running = Running::start(&self.platform("data"));
        running.begin();
        running.register(0, users);
        running
    }
}

pub(crate) fn only_us(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A platform that has its files open: what outbox, submitter and projector do, one after another.
pub(crate) struct Running {
    pub(crate) ledger: Ledger,
    pub(crate) store: Store,
    pub(crate) runtime: tokio::runtime::Runtime,
    lease: lease::Lease,
    known: Option<Known>,
}

impl Running {
    pub(crate) fn start(platform: &Platform) -> Self {
        let (file, key) = platform.ledger.clone().unwrap();
        let key = NodeKey::load_or_create(&key).unwrap();
        let options = Options::new(file, platform.network, TimeMs(1_000));
        let ledger = Ledger::create_or_open(options, &key).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (store, lease) = runtime.block_on(async {
            let store = Store::connect(&platform.database).await.unwrap();
            store.migrate(platform.network).await.unwrap();
            // So short that the lease which a backup holds has expired when it is restored; nobody
            // else wants it.
            let short = Duration::from_millis(1);
            loop {
                let lease = lease::acquire(&store, lease::PROJECTOR, "1-test", short).await;
                if let Some(lease) = lease.unwrap() {
                    break (store, lease);
                }
            }
        });
        Self { ledger, store, runtime, lease, known: None }
    }

    /// Bootstraps the ledger.
    pub(crate) fn begin(&mut self) {
        let first_super_admin: AdminId = "root".parse().unwrap();
        let bootstrap = BootstrapSystem {
            first_super_admin,
            network_id: NetworkId::Devnet,
            account_id: None,
            key: None,
        };
        let weight = CountryWeight { country_code: "IN".parse().unwrap(), weight: 100_000_000 };
        let countries = InitializeCountryData { countries: vec![weight] };
        let admin = Actor::Admin(first_super_admin);
        self.carry_out(1, Role::SuperAdmin, vec![(Actor::System, bootstrap.into())]);
        self.carry_out(2, Role::SuperAdmin, vec![(admin, countries.into())]);
    }

    /// Registers people, a block for each.
    pub(crate) fn register(&mut self, from: u32, count: u32) {
        for number in from..from + count {
            let command = registration(number);
            let id = u128::from(number) + 1_000;
            self.carry_out(id, Role::PartnerApi, vec![(Actor::System, command)]);
        }
    }

    fn carry_out(&mut self, id: u128, role: Role, commands: Vec<(Actor, Command)>) {
        let batch = batch(id, role, commands);
        self.accept(&batch);
        self.settle(&batch);
        self.project();
    }

    /// What `submit()` does.
    pub(crate) fn accept(&self, batch: &Batch) {
        let rows: Vec<NewCommand> = batch
            .commands
            .iter()
            .map(|envelope| NewCommand {
                command_id: envelope.command_id,
                actor: envelope.actor,
                role: batch.role,
                function: envelope.command.name(),
                args: envelope.command.args_json(),
                signature: None,
                service: "identity".to_owned(),
                traceparent: None,
                created_at: TimeMs(2_000),
            })
            .collect();
        self.runtime.block_on(async {
            let mut tx = self.store.begin().await.unwrap();
            outbox::insert(&mut tx, &rows).await.unwrap();
            tx.commit().await.unwrap();
        });
    }

    /// What the submitter does.
    pub(crate) fn settle(&self, batch: &Batch) {
        self.ledger.submit(batch, Context::embedded(batch.role, TimeMs(3_000))).unwrap();
    }

    /// What the projector does.
    pub(crate) fn project(&mut self) {
        let number = self.ledger.tip().number;
        let block = self.ledger.block(number).unwrap().unwrap();
        let (commands, record) = (block.batch().unwrap().commands, block.record().unwrap());
        let projected = ProjectedBlock {
            number,
            hash: *block.hash().as_bytes(),
            prev_hash: *block.header().previous.as_bytes(),
            role: block.header().submitter,
            commands: &commands,
            record: &record,
        };
        let known = self.known.take().unwrap_or_default();
        let known = self.runtime.block_on(async {
            let mut tx = self.store.begin().await.unwrap();
            let (_, known) =
                projection::apply(&mut tx, &self.lease, &[projected], known).await.unwrap();
            tx.commit().await.unwrap();
            known
        });
        self.known = Some(known);
    }

    pub(crate) fn stop(self) {
        self.runtime.block_on(self.store.close());
    }
}

pub(crate) fn batch(id: u128, role: Role, commands: Vec<(Actor, Command)>) -> Batch {
    let commands = commands.into_iter().zip(0_u128..).map(|((actor, command), at)| {
        let command_id = (id * 1_000 + at).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        let command_id = CommandId::from_u128(command_id);
        Envelope { command_id, actor, command, signature: None }
    });
    Batch { batch_id: BatchId::from_u128(id), role, commands: commands.collect() }
}

pub(crate) fn registration(number: u32) -> Command {
    let mut entropy = [0; 16];
    entropy[3..7].copy_from_slice(&number.to_be_bytes().map(|byte| byte % 10));
    let [.., high, low] = number.to_be_bytes();
    entropy[7] = high / 16;
    entropy[8] = high % 16;
    entropy[9] = low / 16;
    entropy[10] = low % 16;
    let kind = AccountType::Individual;
    CreateUser {
        user_id: AccountId::from_entropy("IN".parse().unwrap(), kind, entropy),
        identity_hash: format!("{number:064x}").parse().unwrap(),
        country: "IN".parse().unwrap(),
        age: 30,
        account_type: kind,
        attestation: None,
    }
    .into()
}
