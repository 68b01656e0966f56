//! The engine. This is the only place where wasmtime is configured, for all code that compiles, loads or runs the
//! component.

use std::path::Path;

use wasmtime::{Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::limits::{Limits, TABLE_ELEMENTS};
use crate::private_files;

/// The most core instances of one component: the guest, and the shims that the component linker puts around it.
const CORE_INSTANCES: usize = 8;
/// The most tables of one component: those of the functions of the guest and of the shims.
const TABLES: usize = 4;
/// The target for which the component is compiled: every processor of this kind, and not just the one that compiles, so
/// that compiled code can be handed out with a binary.
const TARGET: &str = env!("INSOMNIA_SCIM_TARGET");
/// The unused address space behind each memory, in bytes. An access that is just beyond the memory ends there, so the
/// compiled code needs no check of its own for it.
const GUARD: u64 = 32 << 20;
/// The level at which zstd compresses cached code. It is the default of zstd.
const COMPRESSION: i32 = 3;

/// Where instances get their memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Allocation {
    /// From slots that are reserved at the start. Each slot takes 4 GiB of address space, and needs no system call when
    /// it is used again.
    Pool,
    /// From the system, one by one, with no more address space than an instance may use.
    OnDemand,
}

/// Makes the engine. Compiled code is kept in the cache, if there is one.
///
/// If the address space is limited (`ulimit -v`, a small machine), the pool can't be reserved. Then every instance asks
/// the system for its memory, which is slower but has the same effect.
///
/// # Errors
/// Neither way works on this machine; wasmtime says why.
pub(super) fn engine(limits: &Limits, cache: Option<Cache>) -> wasmtime::Result<Engine> {
    // Making the engine reserves the pool, so this attempt shows whether there is room for it.
    match Engine::new(&config(limits, Allocation::Pool, cache.clone())?) {
        Ok(engine) => Ok(engine),
        Err(error) => {
            tracing::warn!("no address space for a pool of instances, so they are allocated one by one: {error:#}");
            Engine::new(&config(limits, Allocation::OnDemand, cache)?)
        }
    }
}

fn config(limits: &Limits, allocation: Allocation, cache: Option<Cache>) -> wasmtime::Result<Config> {
    let mut config = Config::new();
    config
        .target(TARGET)?
        // Host functions suspend the guest's stack instead of the thread. The component model's own concurrency can
        // neither be cancelled nor timed out reliably yet, and costs every call.
        .concurrency_support(false)
        .epoch_interruption(true)
        .memory_init_cow(true)
        .memory_guard_size(GUARD)
        // The guest needs none of these: what it can't use can't be used against the host.
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_tail_call(false)
        .wasm_relaxed_simd(false)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(32))
        .cache(cache);
    match allocation {
        Allocation::Pool => {
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
        }
        Allocation::OnDemand => {
            config
                .allocation_strategy(InstanceAllocationStrategy::OnDemand)
                .memory_reservation(limits.memory_per_instance as u64)
                .memory_may_move(false);
        }
    }
    Ok(config)
}

fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let instances = u32::try_from(limits.instances()).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances.saturating_mul(CORE_INSTANCES as u32))
        .total_memories(instances)
        .total_tables(instances.saturating_mul(TABLES as u32))
        .total_stacks(instances)
        .max_core_instances_per_component(CORE_INSTANCES as u32)
        .max_memories_per_component(1)
        .max_tables_per_component(TABLES as u32)
        .max_memory_size(limits.memory_per_instance)
        .table_elements(TABLE_ELEMENTS)
        // Each slot keeps the pages that the next instance of the same module needs anyway: writing over 256 KiB is
        // cheaper than giving them back to the system and asking for them again.
        .linear_memory_keep_resident(256 << 10)
        .table_keep_resident(64 << 10)
        .async_stack_keep_resident(64 << 10)
        .max_unused_warm_slots(64);
    pool
}

/// Opens a directory with compiled code, and makes it if it does not exist.
///
/// wasmtime chooses the name of a cached file by the component's content, its own version, the target and all settings
/// that change the code. It writes each file atomically, and compiles again whatever it can't read. It runs the code
/// that it finds in the directory, so nobody else may be able to write there.
///
/// # Errors
/// The directory can't be written to, or others can write to it as well.
pub(super) fn cache(directory: &Path) -> wasmtime::Result<Cache> {
    private_directory(directory)?;
    let mut config = CacheConfig::new();
    // By default, wasmtime compresses a file that was loaded 256 times once more, as small as it can. That takes
    // seconds of processor time, beside requests or within a short command, and the file as it is can be read faster.
    config
        .with_directory(directory)
        .with_baseline_compression_level(COMPRESSION)
        .with_optimized_compression_level(COMPRESSION);
    Cache::new(config)
}

/// Makes the directory, to which only its owner has access. Refuses a directory that belongs to another user or that
/// others may write to.
fn private_directory(directory: &Path) -> std::io::Result<()> {
    private_files::create_directory(directory)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let metadata = std::fs::metadata(directory)?;
        // A file that this process makes belongs to the user as whom the process runs. The standard library has no
        // other way to ask for this user.
        let probe = tempfile_owner(directory)?;
        if metadata.uid() != probe {
            return Err(std::io::Error::other("the directory belongs to another user"));
        }
        if metadata.mode() & 0o022 != 0 {
            return Err(std::io::Error::other("others may write to the directory; run chmod go-w on it"));
        }
    }
    Ok(())
}

/// The id of the user to whom a file belongs that this process makes in the directory. Making it also shows that the
/// directory can be written to.
#[cfg(unix)]
fn tempfile_owner(directory: &Path) -> std::io::Result<u32> {
    use std::os::unix::fs::MetadataExt;
    let path = directory.join(format!(".probe-{}", std::process::id()));
    let uid = std::fs::File::create(&path)?.metadata()?.uid();
    std::fs::remove_file(&path)?;
    Ok(uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_that_was_loaded_often_is_not_compressed_again() {
        let directory = tempfile::tempdir().unwrap();
        let cache = cache(directory.path()).unwrap();
        assert_eq!(cache.optimized_compression_level(), cache.baseline_compression_level());
    }
}
