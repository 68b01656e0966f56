//! `serve`: the server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal;

use super::config::Settings;
use super::host;
use crate::provisioner::Provisioner;
use crate::server;

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Arguments of `serve`.
#[derive(Args)]
pub(super) struct Serve {
    #[command(flatten)]
    pub(super) listen: Listen,
}

/// Where to listen.
#[derive(Args)]
pub(super) struct Listen {
    /// Address and port to listen on; port 0 takes a free one. Put a proxy that speaks TLS in front of it. [default:
    /// 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", env = "INSOMNIA_SCIM_LISTEN")]
    listen: Option<SocketAddr>,
}

impl Serve {
    pub(super) async fn run(self, settings: Settings) -> anyhow::Result<()> {
        let (provisioner, listener) = self.listen.open(&settings).await?;
        serve(&provisioner, listener).await
    }
}

impl Listen {
    /// Binds the address first: it may name no port, and the base URL does.
    pub(super) async fn open(&self, settings: &Settings) -> anyhow::Result<(Provisioner, TcpListener)> {
        let address = self.listen.or(settings.listen).unwrap_or(DEFAULT_LISTEN);
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("{address} can't be listened on; another --listen ADDR may be free"))?;
        let provisioner = host::open_server(settings, url(listener.local_addr()?)).await?;
        Ok((provisioner, listener))
    }
}

/// Serves until the process is asked to stop.
pub(super) async fn serve(provisioner: &Provisioner, listener: TcpListener) -> anyhow::Result<()> {
    tracing::info!("listening on {} for {}", listener.local_addr()?, provisioner.base_url());
    server::serve(provisioner, listener, stopped()?).await?;
    Ok(())
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
