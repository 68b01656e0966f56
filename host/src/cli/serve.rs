//! `serve`: the server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal;

use super::config::{Settings, listen_address};
use super::data::Lost;
use super::host;
use crate::email::SmtpConfig;
use crate::provisioner::Provisioner;
use crate::routes;
use crate::server::serve_metrics;

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Arguments of `serve`.
#[derive(Args)]
pub(super) struct Serve {
    #[command(flatten)]
    pub(super) listen: Listen,
}

/// Where to listen, and how what the server sends is sent. The configuration file knows more of the latter, in its tables
/// `[email]` and `[http]`.
#[derive(Args)]
pub(super) struct Listen {
    /// Address and port to listen on; port 0 takes a free one. Put a proxy that speaks TLS in front of it. [default:
    /// 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", value_parser = listen_address, env = "INSOMNIA_SCIM_LISTEN")]
    listen: Option<SocketAddr>,
    /// Run this build of the component instead of the one built in, in every organization that is not pinned to another.
    #[arg(long, value_name = "FILE", env = "INSOMNIA_SCIM_COMPONENT")]
    component: Option<PathBuf>,
    /// Send email by this server: smtps://USER:PASSWORD@HOST (TLS), smtp://USER:PASSWORD@HOST (STARTTLS), or
    /// smtp://HOST?tls=none. Others can see a flag in the list of processes: prefer the variable. [default: emails are
    /// written to the folder `mail` in the data directory]
    #[arg(long, value_name = "URL", env = "INSOMNIA_SCIM_SMTP_URL", hide_env_values = true)]
    smtp_url: Option<String>,
    /// Whom emails are from: `name@example.com` or `Name <name@example.com>`. Needed with SMTP.
    #[arg(long, value_name = "ADDRESS", env = "INSOMNIA_SCIM_MAIL_FROM")]
    mail_from: Option<String>,
    /// Let webhooks and refreshes go there too, although the address is not public: a host, a network, or one of them
    /// with a port; with http:// in front also without TLS. May be given more than once.
    #[arg(long, value_name = "RULE", env = "INSOMNIA_SCIM_HTTP_PERMIT", value_delimiter = ',')]
    http_permit: Vec<String>,
    /// Believe this proxy, or those of this network, whose address a request comes from (X-Forwarded-For): one address, or
    /// as 10.0.0.0/8. May be given more than once. [default: none]
    #[arg(long, value_name = "CIDR", env = "INSOMNIA_SCIM_TRUSTED_PROXY", value_delimiter = ',')]
    trusted_proxy: Vec<String>,
    /// Serve GET /metrics for Prometheus on this address and port, apart from what strangers reach. It asks nobody who
    /// they are. [default: not served]
    #[arg(long, value_name = "ADDR", env = "INSOMNIA_SCIM_METRICS_LISTEN")]
    metrics_listen: Option<SocketAddr>,
    /// Start although the database or the host key is missing or another one, which is refused otherwise. What depends
    /// on it is lost.
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    go_on_without: Vec<Lost>,
}

impl Serve {
    pub(super) async fn run(self, settings: Settings) -> anyhow::Result<()> {
        self.listen.open(&settings).await?.serve().await
    }
}

impl Listen {
    /// Binds the address first: it may name no port, and the base URL does.
    pub(super) async fn open(&self, settings: &Settings) -> anyhow::Result<Server> {
        let address = self.listen.or(settings.listen).unwrap_or(DEFAULT_LISTEN);
        let listener = bind(address, "--listen").await?;
        let metrics = match self.metrics_listen.or(settings.metrics_listen) {
            Some(address) => Some(bind(address, "--metrics-listen").await?),
            None => None,
        };
        let provisioner = host::open_server(&self.before(settings), url(listener.local_addr()?)).await?;
        Ok(Server { provisioner, listener, metrics })
    }

    /// The settings, with what the flags say in the place of what the file says.
    pub(super) fn before(&self, settings: &Settings) -> Settings {
        let mut settings = settings.clone();
        if let Some(url) = &self.smtp_url {
            settings.email.folder = None;
            settings.email.smtp = Some(SmtpConfig { url: Some(url.clone().into()), ..SmtpConfig::default() });
        }
        settings.component = self.component.clone().or(settings.component);
        settings.email.from = self.mail_from.clone().or(settings.email.from);
        settings.http.permit.extend_from_slice(&self.http_permit);
        settings.trusted_proxy.extend_from_slice(&self.trusted_proxy);
        settings.go_on_without.clone_from(&self.go_on_without);
        settings
    }
}

/// A server that is ready to serve.
pub(super) struct Server {
    pub(super) provisioner: Provisioner,
    listener: TcpListener,
    /// Where the operator's monitoring asks.
    metrics: Option<TcpListener>,
}

impl Server {
    /// Serves until the process is asked to stop.
    pub(super) async fn serve(self) -> anyhow::Result<()> {
        let Self { provisioner, listener, metrics } = self;
        #[cfg(unix)]
        super::process::raise_descriptor_limit();
        tracing::info!("listening on {} for {}", listener.local_addr()?, provisioner.base_url());
        if let Some(metrics) = metrics {
            tracing::info!("metrics on http://{}/metrics", metrics.local_addr()?);
            let provisioner = provisioner.clone();
            // It ends with the process: also what happens while the server stops can be measured.
            tokio::spawn(async move { serve_metrics(&provisioner, metrics, std::future::pending()).await });
        }
        // What is missing is logged now and not when it is first needed. It is no reason not to serve the rest.
        let _ = provisioner.trouble().await;
        routes::serve(&provisioner, listener, stopped()?).await?;
        Ok(())
    }
}

async fn bind(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("{address} can't be listened on; another {flag} ADDR may be free"))
}

/// The address as a URL that works on this machine.
fn url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

/// Ready when the process gets SIGTERM or SIGINT. A second one ends it at once.
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
        let url_of = |address: &str| url(address.parse().unwrap());
        assert_eq!(url_of("0.0.0.0:80"), "http://127.0.0.1:80");
        assert_eq!(url_of("[::]:80"), "http://127.0.0.1:80");
        assert_eq!(url_of("[::1]:8080"), "http://[::1]:8080");
        assert_eq!(url_of("10.1.2.3:8080"), "http://10.1.2.3:8080");
    }
}
