//! `serve`: runs the server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal;

use super::arguments::WrongArguments;
use super::config::{Settings, TlsTable, listen_address};
use super::data::Lost;
use super::mail::KeptMail;
use super::otlp::OtlpFlags;
use super::presence::Presence;
use super::{host, otlp};
use crate::alerts::Alerts;
use crate::email::SmtpConfig;
use crate::host_key::Keeper;
use crate::provisioner::Provisioner;
use crate::routes;
use crate::server::{Listener, Tls, TlsFiles, serve_metrics};
use crate::traces::Traces;

/// How long the process waits at its end until the collector has accepted the last spans.
const LAST_SPANS: Duration = Duration::from_secs(5);
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Arguments of `serve`.
#[derive(Args)]
pub(super) struct Serve {
    #[command(flatten)]
    pub(super) listen: Listen,
}

/// The flags of a server: where it listens, and how it sends emails and requests. The tables `[email]` and `[http]` of
/// the configuration file have more of the latter.
#[derive(Args)]
pub(super) struct Listen {
    /// Address and port to listen on; port 0 takes a free one. Without --tls-cert a proxy in front of the server must
    /// provide TLS. If systemd passes a socket on, the server listens on that one instead. [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", value_parser = listen_address, env = "INSOMNIA_SCIM_LISTEN")]
    listen: Option<SocketAddr>,
    /// Run this build of the component, and not the built-in one, in every organization that is not pinned to another.
    #[arg(long, value_name = "FILE", env = "INSOMNIA_SCIM_COMPONENT")]
    component: Option<PathBuf>,
    /// Serve TLS with this certificate: a PEM file with the certificate first and the intermediate authorities after
    /// it. A renewed file is used within seconds. [default: no TLS]
    #[arg(long, value_name = "FILE", env = "INSOMNIA_SCIM_TLS_CERT")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate, as a PEM file.
    #[arg(long, value_name = "FILE", env = "INSOMNIA_SCIM_TLS_KEY")]
    tls_key: Option<PathBuf>,
    /// Serve the admin API only to clients with a certificate of one of the authorities in this PEM file, in addition
    /// to their API key. Needs TLS. [default: the API key is enough]
    #[arg(long, value_name = "FILE", env = "INSOMNIA_SCIM_API_CLIENT_CA")]
    api_client_ca: Option<PathBuf>,
    /// Send email through this server: smtps://USER:PASSWORD@HOST (TLS), smtp://USER:PASSWORD@HOST (STARTTLS), or
    /// smtp://HOST?tls=none. Prefer the variable: other users can see a flag in the list of processes. [default: emails
    /// are written to the folder `mail` in the data directory]
    #[arg(long, value_name = "URL", env = "INSOMNIA_SCIM_SMTP_URL", hide_env_values = true)]
    smtp_url: Option<String>,
    /// The sender of emails: `name@example.com` or `Name <name@example.com>`. Needed with --smtp-url.
    #[arg(long, value_name = "ADDRESS", env = "INSOMNIA_SCIM_MAIL_FROM")]
    mail_from: Option<String>,
    /// For how many days emails, with the initial passphrases in some of them, stay in the mail folder: 1 to 3650.
    /// [default: 7]
    #[arg(long, value_name = "DAYS", env = "INSOMNIA_SCIM_MAIL_FOLDER_KEEP_DAYS")]
    mail_folder_keep_days: Option<u32>,
    /// Allow webhooks and token refreshes to this destination although its address is not public: a host or a network,
    /// with or without a port. With http:// in front, also without TLS. May be given more than once; the variable takes
    /// several, separated by commas.
    #[arg(long, value_name = "RULE", env = "INSOMNIA_SCIM_HTTP_PERMIT", value_delimiter = ',')]
    http_permit: Vec<String>,
    /// Trust this proxy, or the proxies of this network (for instance 10.0.0.0/8), about the client's address
    /// (X-Forwarded-For). May be given more than once; the variable takes several, separated by commas. [default: none]
    #[arg(long, value_name = "CIDR", env = "INSOMNIA_SCIM_TRUSTED_PROXY", value_delimiter = ',')]
    trusted_proxy: Vec<String>,
    /// Serve GET /metrics for Prometheus on this address and port. It needs no authentication, so the address must not
    /// be public. [default: not served]
    #[arg(long, value_name = "ADDR", env = "INSOMNIA_SCIM_METRICS_LISTEN")]
    metrics_listen: Option<SocketAddr>,
    /// Mail alerts to this address: problems that need a person, such as a failing webhook, no free seat or a nearly
    /// full disk. A mail is sent when a problem begins and when it is over. May be given more than once; the variable
    /// takes several, separated by commas. [default: no mail]
    #[arg(long, value_name = "ADDRESS", env = "INSOMNIA_SCIM_ALERT_MAIL", value_delimiter = ',')]
    alert_mail: Vec<String>,
    /// Post the same alerts to this https URL, signed as Standard Webhooks describes. It may be on an internal network.
    #[arg(long, value_name = "URL", env = "INSOMNIA_SCIM_ALERT_WEBHOOK")]
    alert_webhook: Option<String>,
    /// File with the key of these signatures: whsec_ followed by 24 to 64 bytes in base64.
    #[arg(long, value_name = "FILE", env = "INSOMNIA_SCIM_ALERT_WEBHOOK_SECRET_FILE")]
    alert_webhook_secret_file: Option<PathBuf>,
    #[command(flatten)]
    otlp: OtlpFlags,
    /// Start although the database or the host key is missing, or is not the one that was there before. Otherwise such
    /// a start is refused. The data that depends on it is lost.
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    go_on_without: Vec<Lost>,
}

impl Serve {
    pub(super) async fn run(self, settings: Settings) -> anyhow::Result<()> {
        self.listen.open(&settings).await?.serve().await
    }
}

impl Listen {
    /// Opens the server. The address is bound first: if its port is 0, only then is the port known that the base URL
    /// needs.
    pub(super) async fn open(&self, settings: &Settings) -> anyhow::Result<Server> {
        let address = self.listen.or(settings.listen).unwrap_or(DEFAULT_LISTEN);
        let passed = passed_on()?;
        let listener = match passed.listener {
            Some(listener) => listener,
            None => bind(address, "--listen").await?,
        };
        let metrics = match (passed.metrics, self.metrics_listen.or(settings.metrics_listen)) {
            (Some(listener), _) => Some(listener),
            (None, Some(address)) => Some(bind(address, "--metrics-listen").await?),
            (None, None) => None,
        };
        let settings = self.before(settings);
        let tls = tls(&settings)?;
        let mail = KeptMail::new(&settings.email, &settings.data)?;
        let alerts = settings.alerts().map_err(WrongArguments)?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let address = listener.local_addr()?;
        let traces = match settings.otlp.traces(&settings.http, otlp::variable).map_err(WrongArguments)? {
            Some(config) => Traces::start(&config)?,
            None => Traces::default(),
        };
        let (provisioner, keeper) = host::open_server(&settings, url(scheme, address), traces.clone()).await?;
        let listener = match tls {
            Some(tls) => Listener::encrypted(listener, tls),
            None => listener.into(),
        };
        // In a data directory, the locks on the database show whether a server runs.
        let presence = match settings.storage {
            Some(_) => Some(Presence::begin(provisioner.base_url(), provisioner.storage()).await),
            None => None,
        };
        Ok(Server { provisioner, listener, address, metrics, mail, alerts, keeper, presence, traces })
    }

    /// The settings, in which the flags come before what the file says.
    pub(super) fn before(&self, settings: &Settings) -> Settings {
        let mut settings = settings.clone();
        if let Some(url) = &self.smtp_url {
            settings.email.folder = None;
            settings.email.smtp = Some(SmtpConfig { url: Some(url.clone().into()), ..SmtpConfig::default() });
        }
        settings.component = self.component.clone().or(settings.component);
        settings.email.from = self.mail_from.clone().or(settings.email.from);
        settings.email.folder_keep_days = self.mail_folder_keep_days.or(settings.email.folder_keep_days);
        let of_file = settings.tls;
        settings.tls = TlsTable {
            cert: self.tls_cert.clone().or(of_file.cert),
            key: self.tls_key.clone().or(of_file.key),
            api_client_ca: self.api_client_ca.clone().or(of_file.api_client_ca),
        };
        if !self.alert_mail.is_empty() {
            settings.alerts.mail.clone_from(&self.alert_mail);
        }
        settings.alerts.webhook = self.alert_webhook.clone().or(settings.alerts.webhook);
        settings.alerts.webhook_secret_file =
            self.alert_webhook_secret_file.clone().or(settings.alerts.webhook_secret_file);
        settings.otlp = self.otlp.before(settings.otlp, otlp::variable);
        settings.http.permit.extend_from_slice(&self.http_permit);
        settings.trusted_proxy.extend_from_slice(&self.trusted_proxy);
        settings.go_on_without.clone_from(&self.go_on_without);
        settings
    }
}

/// A server that is ready to serve.
pub(super) struct Server {
    pub(super) provisioner: Provisioner,
    listener: Listener,
    address: SocketAddr,
    /// The listener for the operator's monitoring.
    metrics: Option<TcpListener>,
    /// The folder for emails that are not sent.
    mail: KeptMail,
    /// Tells the operator of problems that need a person.
    alerts: Alerts,
    /// Looks after the host key.
    keeper: Keeper,
    /// Tells commands that this server runs, if several servers share the database.
    presence: Option<Presence>,
    /// Sends traces.
    traces: Traces,
}

impl Server {
    /// Serves until the process is asked to stop.
    pub(super) async fn serve(self) -> anyhow::Result<()> {
        let Self { provisioner, listener, address, metrics, mail, alerts, keeper, presence, traces } = self;
        #[cfg(unix)]
        super::process::raise_descriptor_limit();
        tracing::info!("listening on {address} for {}", provisioner.base_url());
        mail.warn();
        tokio::spawn(mail.keep());
        tokio::spawn(alerts.watch(provisioner.clone()));
        let host = provisioner.clone();
        tokio::spawn(keeper.run(move || host.clock().now()));
        if let Some(metrics) = metrics {
            tracing::info!("metrics on http://{}/metrics", metrics.local_addr()?);
            let provisioner = provisioner.clone();
            // This task ends with the process, so that monitoring still sees what happens while the server stops.
            tokio::spawn(async move { serve_metrics(&provisioner, metrics, std::future::pending()).await });
        }
        // Problems of the storage and the component are logged now, and not when a request first meets them. They do
        // not keep the server from serving.
        let _ = provisioner.trouble().await;
        if let Err(error) = provisioner.have_operator_trail_swept().await {
            tracing::warn!("the operator's audit trail is not looked through: {error}");
        }
        let stopped = stopped()?;
        #[cfg(unix)]
        super::process::tell_service_manager(sd_notify::NotifyState::Ready);
        let serving = routes::serve(&provisioner, listener, stopped);
        let served = match presence {
            Some(presence) => {
                let storage = provisioner.storage();
                let served = tokio::select! {
                    served = serving => served,
                    never = presence.count(storage) => match never {},
                };
                presence.end(storage).await;
                served
            }
            None => serving.await,
        };
        traces.stop(LAST_SPANS).await;
        Ok(served?)
    }
}

/// The encryption of connections; `None` if they are not encrypted.
///
/// # Errors
/// A file is missing or wrong.
pub(super) fn tls(settings: &Settings) -> anyhow::Result<Option<Tls>> {
    let TlsTable { cert, key, api_client_ca: api_clients } = settings.tls.clone();
    let files = match (cert, key, api_clients) {
        (Some(certificate), Some(key), api_clients) => TlsFiles { certificate, key, api_clients },
        (None, None, None) => return Ok(None),
        _ => {
            let error = anyhow!("TLS takes a certificate and its key: name both --tls-cert FILE and --tls-key FILE");
            return Err(WrongArguments(error).into());
        }
    };
    Ok(Some(Tls::open(files)?))
}

async fn bind(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("{address} can't be listened on; another {flag} ADDR may be free"))
}

/// The sockets that the service manager keeps open and passes on, so that a restart refuses no connection.
#[derive(Default)]
struct Passed {
    listener: Option<TcpListener>,
    /// The socket that is called `metrics`.
    metrics: Option<TcpListener>,
}

/// Takes the sockets that were passed on, as sd_listen_fds(3) describes. The variable LISTEN_FDNAMES has their names.
///
/// # Errors
/// There are more sockets than one for the server and one for the metrics. Nobody would answer on the others.
#[cfg(unix)]
fn passed_on() -> anyhow::Result<Passed> {
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':');
    let mut sockets = listenfd::ListenFd::from_env();
    let mut passed = Passed::default();
    for number in 0..sockets.len() {
        let socket = sockets.take_tcp_listener(number);
        let socket = socket.context("a socket that was passed on (LISTEN_FDS) is not one of TCP that listens")?;
        let Some(socket) = socket else { continue };
        socket.set_nonblocking(true)?;
        let place = if names.next() == Some("metrics") { &mut passed.metrics } else { &mut passed.listener };
        ensure!(
            place.replace(TcpListener::from_std(socket)?).is_none(),
            "only one socket can be passed on, and one for the metrics, which FileDescriptorName=metrics tells apart"
        );
    }
    Ok(passed)
}

#[cfg(not(unix))]
fn passed_on() -> anyhow::Result<Passed> {
    Ok(Passed::default())
}

/// The URL of the address that works on this machine.
fn url(scheme: &str, address: SocketAddr) -> String {
    let ip = match address.ip() {
        ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    format!("{scheme}://{}", SocketAddr::new(ip, address.port()))
}

/// Returns a future that completes when the process gets SIGTERM or SIGINT. A second signal ends the process at once.
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
    #[cfg(unix)]
    let mut interrupt = signal::unix::signal(signal::unix::SignalKind::interrupt())?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = signal::ctrl_c().await;
        #[cfg(unix)]
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::warn!("stopping at once");
            std::process::exit(1);
        });
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_an_address_can_be_opened_on_this_machine() {
        let url_of = |address: &str| url("http", address.parse().unwrap());
        assert_eq!(url_of("0.0.0.0:80"), "http://127.0.0.1:80");
        assert_eq!(url_of("[::]:80"), "http://127.0.0.1:80");
        assert_eq!(url_of("[::1]:8080"), "http://[::1]:8080");
        assert_eq!(url_of("10.1.2.3:8080"), "http://10.1.2.3:8080");
        assert_eq!(url("https", "[::1]:443".parse().unwrap()), "https://[::1]:443");
    }
}
