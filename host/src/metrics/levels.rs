//! Levels: values at the moment of a scrape.

use prometheus::{IntGauge, IntGaugeVec, Opts, Registry};

use super::registered;

/// The memory of an account in the ledger, and its limit, both in bytes.
pub(crate) struct Held {
    pub(crate) account: &'static str,
    pub(crate) held: usize,
    pub(crate) most: usize,
}

/// Gauges that are set when they are read.
pub(crate) struct Levels {
    memory: IntGaugeVec,
    most_memory: IntGaugeVec,
    organizations: IntGauge,
    instances: IntGauge,
    connections: IntGauge,
    alerts: IntGaugeVec,
}

impl Levels {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let gauge = |name: &str, help: &str| registered(registry, IntGauge::new(name, help)?);
        let memory = Opts::new(
            "insomnia_scim_memory_held_bytes",
            "Memory that is held for callers, by account: everybody together, and strangers.",
        );
        let alerts = Opts::new(
            "insomnia_scim_alerts",
            "What needs a person now, by cause: in how many organizations, or at how many hosts.",
        );
        let most_memory = Opts::new("insomnia_scim_memory_limit_bytes", "The most memory that an account may hold.");
        Ok(Self {
            memory: registered(registry, IntGaugeVec::new(memory, &["account"])?)?,
            most_memory: registered(registry, IntGaugeVec::new(most_memory, &["account"])?)?,
            organizations: gauge(
                "insomnia_scim_organizations_active",
                "Organizations for which something is under way or kept in memory.",
            )?,
            instances: gauge("insomnia_scim_component_instances_kept", "Instances that wait for the next call.")?,
            connections: gauge("insomnia_scim_connections_open", "Connections that are open.")?,
            alerts: registered(registry, IntGaugeVec::new(alerts, &["cause"])?)?,
        })
    }

    /// Counts an open connection until the result is dropped.
    pub(crate) fn connection(&self) -> Open {
        self.connections.inc();
        Open(self.connections.clone())
    }

    /// Sets the number of alerts with this cause.
    pub(crate) fn set_alerts(&self, cause: &str, places: usize) {
        self.alerts.with_label_values(&[cause]).set(whole(places));
    }

    /// Sets the current values: the memory of each account, the number of active organizations, and the number of
    /// unused instances.
    pub(crate) fn set(&self, accounts: &[Held], organizations: usize, instances: usize) {
        for Held { account, held, most } in accounts {
            self.memory.with_label_values(&[account]).set(whole(*held));
            self.most_memory.with_label_values(&[account]).set(whole(*most));
        }
        self.organizations.set(whole(organizations));
        self.instances.set(whole(instances));
    }
}

/// Something that is counted until it is dropped.
pub(crate) struct Open(IntGauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A count in the form of a gauge.
fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
