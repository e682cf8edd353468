use std::{
    ffi::OsString,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    Clock, Environment, Error, Result, arm, authority,
    connections::{Connections, Speech},
    environment::Ports,
    front::Front,
    process, run,
    settings::Wishes,
    world::{Programs, World},
};

/// A running emulator. It stops when it is [told to](Emulator::shutdown), or dropped.
///
/// # Examples
///
/// ```
/// use spinney_azureml_emulator::{Emulator, Way};
///
/// # async fn run(folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
/// // Ports that are free.
/// let emulator = Emulator::builder(folder).port(0).proxy_port(0).start().await?;
/// for (name, value) in emulator.environment().variables(Way::Proxy) {
///     // For a program that is made for Azure.
///     println!("{name}={value}");
/// }
/// emulator.shutdown().await;
/// # Ok(())
/// # }
/// # let folder = tempfile::tempdir()?;
/// # tokio::runtime::Runtime::new()?.block_on(run(folder.path()))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Emulator {
    address: SocketAddr,
    proxy_address: SocketAddr,
    environment: Environment,
    stop: watch::Sender<bool>,
    serving: Vec<JoinHandle<()>>,
}

/// What an emulator is started with.
#[derive(Debug, Clone)]
#[must_use]
pub struct EmulatorBuilder {
    folder: PathBuf,
    port: u16,
    proxy_port: u16,
    clock: Clock,
    wishes: Wishes,
    programs: Programs,
}

impl EmulatorBuilder {
    /// The port for TLS on 127.0.0.1, 8443 if none is said; 0 takes one that is free.
    pub fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// The port for the proxy and the token services of machines, 8442 if none is said; 0 takes one that is free.
    pub fn proxy_port(self, proxy_port: u16) -> Self {
        Self { proxy_port, ..self }
    }

    /// The clock, the machine's if none is said.
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The Python interpreter for jobs that call `python`, and for deployments with a scoring script; without it, neither runs.
    pub fn python(mut self, path: impl Into<PathBuf>) -> Self {
        self.programs.python = Some(path.into());
        self
    }

    /// The program that serves a model without a scoring script, and its arguments. It finds the model's folder in
    /// `AZUREML_MODEL_DIR`. Without it, such deployments fail.
    pub fn scoring_program(
        mut self,
        path: impl Into<PathBuf>,
        args: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Self {
        self.programs.scoring = Some((path.into(), args.into_iter().map(Into::into).collect()));
        self
    }

    /// The subscription's id, a GUID. This and the names below are those of the state ever after its first start.
    pub fn subscription(mut self, id: impl Into<String>) -> Self {
        self.wishes.subscription = Some(id.into());
        self
    }

    /// The directory's id, a GUID.
    pub fn tenant(mut self, id: impl Into<String>) -> Self {
        self.wishes.tenant = Some(id.into());
        self
    }

    /// The resource group that the first start makes, `rg` if none is said.
    pub fn resource_group(mut self, name: impl Into<String>) -> Self {
        self.wishes.resource_group = Some(name.into());
        self
    }

    /// The workspace that the first start makes, `mlops-ws` if none is said.
    pub fn workspace(mut self, name: impl Into<String>) -> Self {
        self.wishes.workspace = Some(name.into());
        self
    }

    /// The region, `westeurope` if none is said.
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.wishes.location = Some(location.into());
        self
    }

    /// Opens the state, or makes it, and serves it on 127.0.0.1.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`] if another emulator has the folder; [`Error::InvalidOption`] if a name cannot be, or is not the state's;
    /// [`Error::Listen`] if a port is taken; and what else keeps the state from being opened.
    pub async fn start(self) -> Result<Emulator> {
        let Self { folder, port, proxy_port, clock, wishes, programs } = self;
        let opened = tokio::task::spawn_blocking(move || {
            let world = World::open(&folder, clock, &wishes, programs)?;
            process::end_abandoned(&world.folder);
            run::clear(&world).map_err(Error::state(&world.folder))?;
            let tls = authority::acceptor(&world.folder, &world.settings.location, &world.clock)?;
            arm::prepare(&world)?;
            Ok::<_, Error>((tls, world))
        });
        let (tls, world) = opened
            .await
            .map_err(|panic| Error::State { path: PathBuf::new(), source: panic.into() })??;

        let (listener, address) = listen(port).await?;
        let (proxy_listener, proxy_address) = listen(proxy_port).await?;
        let ports = Ports { tls: address.port(), proxy: proxy_address.port() };
        ports.write(&world.folder)?;
        let environment =
            Environment::new(&world.folder, ports, world.settings.clone(), world.secrets.clone())?;
        let front = Arc::new(Front { world: Arc::new(world), port: ports.tls });
        let connections = Arc::new(Connections { front, tls });
        let (stop, stopped) = watch::channel(false);
        let serving = [(listener, Speech::Tls), (proxy_listener, Speech::Proxy)]
            .map(|(listener, speech)| {
                let connections = Arc::clone(&connections);
                tokio::spawn(connections.serve(listener, speech, stopped.clone()))
            })
            .into();
        Ok(Emulator { address, proxy_address, environment, stop, serving })
    }
}

async fn listen(port: u16) -> Result<(TcpListener, SocketAddr)> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listening = async {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    listening.await.map_err(|source| Error::Listen { address, source })
}

impl Emulator {
    /// An emulator of the state in a folder, which is made if it is not there.
    pub fn builder(folder: impl AsRef<Path>) -> EmulatorBuilder {
        EmulatorBuilder {
            folder: folder.as_ref().to_owned(),
            port: 8443,
            proxy_port: 8442,
            clock: Clock::default(),
            wishes: Wishes::default(),
            programs: Programs::default(),
        }
    }

    /// Where TLS is spoken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the proxy is, and the token services of machines.
    #[must_use]
    pub fn proxy_address(&self) -> SocketAddr {
        self.proxy_address
    }

    /// The file with the certificate that clients have to trust.
    #[must_use]
    pub fn ca_path(&self) -> PathBuf {
        self.environment.ca_path()
    }

    /// The variables that point programs here.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Accepts no more connections, answers what is under way for up to five seconds, and lets go of the state.
    pub async fn shutdown(self) {
        // The receivers live as long as the tasks.
        let _ = self.stop.send(true);
        for serving in self.serving {
            // A task that panicked has ended too.
            let _ = serving.await;
        }
    }
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emulator")
            .field("address", &self.address)
            .field("proxy_address", &self.proxy_address)
            .finish_non_exhaustive()
    }
}
