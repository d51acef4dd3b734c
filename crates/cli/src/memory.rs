//! A refusal before memory runs out, instead of an abort when it has.

use anyhow::{Result, bail};
use roundproof_exact::Integer;
use roundproof_format::Format;

/// Refuses `what` if it needs more bytes than the machine has available; `remedy` says what may help.
///
/// Where nothing is known of the machine, nothing is refused.
pub fn ensure(what: &str, needed: u64, remedy: &str) -> Result<()> {
    // Asking the machine takes longer than what is small.
    if needed < 1 << 28 {
        return Ok(());
    }
    compare(what, needed, available(), remedy)
}

fn compare(what: &str, needed: u64, available: Option<u64>, remedy: &str) -> Result<()> {
    match available {
        Some(available) if needed > available => {
            bail!("{what}: needs about {} of memory, and {} are available; {remedy}", bytes(needed), bytes(available))
        }
        _ => Ok(()),
    }
}

/// What is available, by the machine and by the control group that the process is in.
fn available() -> Option<u64> {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    if system.total_memory() == 0 {
        return None;
    }
    // Swap makes it slow, but does not end it.
    let machine = system.available_memory().saturating_add(system.free_swap());
    let group = system.cgroup_limits().map_or(u64::MAX, |limits| limits.free_memory.saturating_add(limits.free_swap));
    Some(machine.min(group))
}

/// Bytes that one box for each row takes until its files are written, for a network of so many parameters: the network,
/// its bytes as files, and what the kernel notes of each unit.
///
/// A fifth more than was measured: the peak of `prove` on made-up tables of 300, 1500 and 10,000 rows with 784 inputs.
pub fn of_boxes(parameters: &Integer, format: Format) -> u64 {
    let per_parameter = match format.storage_width() {
        8 => 18,
        16 => 24,
        32 => 30,
        64 => 45,
        _ => 70,
    };
    parameters.to_u64().unwrap_or(u64::MAX).saturating_mul(per_parameter)
}

/// `1.5 GiB`.
fn bytes(count: u64) -> String {
    let tenths = |unit: u32| (u128::from(count) * 10).div_ceil(1 << unit);
    let (tenths, unit) = match count {
        0..0x10_0000 => (tenths(10), "KiB"),
        0x10_0000..0x4000_0000 => (tenths(20), "MiB"),
        _ => (tenths(30), "GiB"),
    };
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_refused_with_figures_and_a_remedy() {
        let error = compare("table.csv", 3 << 30, Some(3 << 29), "take a narrower format").unwrap_err().to_string();
        assert_eq!(
            error,
            "table.csv: needs about 3.0 GiB of memory, and 1.5 GiB are available; take a narrower format"
        );
        assert!(compare("table.csv", 3 << 29, Some(3 << 29), "").is_ok());
        assert!(compare("table.csv", u64::MAX, None, "").is_ok());
    }

    #[test]
    fn no_machine_has_everything() {
        assert!(available().is_none_or(|available| available > 1 << 20));
        assert!(ensure("all rows", u64::MAX, "").is_err());
        assert!(ensure("a row", 1, "").is_ok());
    }

    #[test]
    fn bytes_are_told_in_units() {
        assert_eq!(bytes(1), "0.1 KiB");
        assert_eq!(bytes(5 << 20), "5.0 MiB");
        assert_eq!(bytes(u64::MAX), "17179869184.0 GiB");
    }
}
