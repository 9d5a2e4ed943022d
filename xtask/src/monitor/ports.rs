//! Serial ports: which there are, which one is meant, and what to do if it cannot be opened.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, bail};
use serialport::{SerialPortInfo, SerialPortType, UsbPortInfo};

/// Where Linux has names that stay with a USB adapter.
const LASTING_NAMES: &str = "/dev/serial/by-id";
/// Without this folder there is nothing to list, and the crate does not expect that.
const SYSTEM_LIST: &str = "/sys/class/tty";

/// The port that is meant, if none was named: the only adapter.
///
/// # Errors
/// If there is none, or more than one.
pub fn only_one() -> Result<PathBuf> {
    choose(&list()?)
}

fn list() -> Result<Vec<SerialPortInfo>> {
    if cfg!(target_os = "linux") && !Path::new(SYSTEM_LIST).is_dir() {
        return Ok(Vec::new());
    }
    let mut ports = serialport::available_ports().context("listing the serial ports")?;
    ports.sort_by(|one, other| one.port_name.cmp(&other.port_name));
    Ok(ports)
}

/// An adapter hangs on USB. The sockets that a PC has of old are listed, but nobody means them.
fn choose(ports: &[SerialPortInfo]) -> Result<PathBuf> {
    let is_adapter = |port: &&SerialPortInfo| matches!(port.port_type, SerialPortType::UsbPort(_));
    let adapters: Vec<&SerialPortInfo> = ports.iter().filter(is_adapter).collect();
    match adapters.as_slice() {
        [only] => {
            eprintln!("serial port: {}", describe(only));
            Ok(PathBuf::from(&only.port_name))
        }
        [] if ports.is_empty() => bail!(
            "there is no serial port: plug the USB adapter in (`dmesg` tells whether the system takes it), or name \
             the port"
        ),
        [] => bail!(
            "there is no USB serial adapter; the ports are\n{}\nname the one: `cargo xtask monitor PORT`",
            listed(ports.iter())
        ),
        several => bail!(
            "there are {} USB serial adapters:\n{}\nname one: `cargo xtask monitor PORT`",
            several.len(),
            listed(several.iter().copied())
        ),
    }
}

fn listed<'p>(ports: impl Iterator<Item = &'p SerialPortInfo>) -> String {
    ports.map(|port| format!("  {}", describe(port))).collect::<Vec<_>>().join("\n")
}

/// Its name, and what USB says of it.
fn describe(port: &SerialPortInfo) -> String {
    let SerialPortType::UsbPort(usb) = &port.port_type else { return port.port_name.clone() };
    let UsbPortInfo { vid, pid, serial_number, manufacturer, product, .. } = usb;
    let texts: Vec<&str> = [manufacturer, product].into_iter().flatten().map(String::as_str).collect();
    let serial = serial_number.as_ref().map(|number| format!(", serial number {number}")).unwrap_or_default();
    format!("{}  {} (USB {vid:04x}:{pid:04x}{serial})", port.port_name, texts.join(" "))
}

/// A name of the port that stays the same when its adapter is plugged in anew, if the system has one.
pub fn lasting_name(port: &Path) -> Option<PathBuf> {
    lasting_name_in(Path::new(LASTING_NAMES), port)
}

fn lasting_name_in(folder: &Path, port: &Path) -> Option<PathBuf> {
    let device = port.canonicalize().ok()?;
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).find(|path| path.canonicalize().is_ok_and(|target| target == device))
}

/// Somebody else reads the port already, without having locked it: each would get a part of the bytes.
///
/// # Errors
/// If so, naming the program.
pub fn refuse_if_shared(port: &Path) -> Result<()> {
    let holders = if is_terminal_of_hardware(port) { holders(port) } else { BTreeSet::new() };
    anyhow::ensure!(holders.is_empty(), "{} is in use{}", port.display(), who(&holders));
    Ok(())
}

/// A pseudo-terminal is held open by whoever made it, and what is no port at all by anybody.
fn is_terminal_of_hardware(port: &Path) -> bool {
    let device = port.canonicalize().unwrap_or_default();
    let name = device.file_name().unwrap_or_default().to_string_lossy();
    device.starts_with("/dev") && name.starts_with("tty")
}

/// A port that cannot be opened: what to do.
pub fn explain(port: &Path, error: &Error) -> Error {
    let name = port.display();
    let error_kind = error.downcast_ref::<serialport::Error>().map(serialport::Error::kind);
    let problem = match error_kind {
        _ if !port.exists() => Problem::Missing,
        _ if port.is_dir() => Problem::NoPort,
        Some(serialport::ErrorKind::Io(std::io::ErrorKind::PermissionDenied)) => Problem::Forbidden,
        Some(serialport::ErrorKind::NoDevice) => Problem::Busy,
        _ => Problem::NoPort,
    };
    match problem {
        Problem::Missing => anyhow::anyhow!("there is no {name}{}", others()),
        Problem::Forbidden => anyhow::anyhow!("no permission to open {name}: {}", way_in(port)),
        Problem::Busy => anyhow::anyhow!("{name} is in use{}", who(&holders(port))),
        Problem::NoPort => anyhow::anyhow!(
            "{name} cannot be opened as a serial port: {error}. A recording is read with --file"
        ),
    }
}

#[derive(Clone, Copy)]
enum Problem {
    Missing,
    Forbidden,
    Busy,
    NoPort,
}

/// The ports that there are, for one that is not.
fn others() -> String {
    match list() {
        Ok(ports) if !ports.is_empty() => format!("; the ports are\n{}", listed(ports.iter())),
        _ => "; there is no serial port at all: is the USB adapter plugged in?".to_owned(),
    }
}

/// How to get the permission that is missing.
fn way_in(port: &Path) -> String {
    if let Some(mode) = mode_of(port).filter(|mode| mode & MODE_OF_GROUP != MODE_OF_GROUP) {
        return format!(
            "its mode is {mode:03o}, so not even its group may read and write it. A udev rule gives it another mode \
             (docs/monitor.md)"
        );
    }
    let group = group_of(port).unwrap_or_else(|| "dialout".to_owned());
    format!("its group is {group}. Join it with `sudo usermod -aG {group} $USER`, then log in anew")
}

/// Read and write of the group.
const MODE_OF_GROUP: u32 = 0o060;

/// Who may do what with a file.
#[cfg(unix)]
fn mode_of(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).ok().map(|metadata| metadata.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode_of(_: &Path) -> Option<u32> {
    None
}

fn who(holders: &BTreeSet<String>) -> String {
    if holders.is_empty() {
        ", by a program of another user: `sudo fuser -v` with the port's name tells by which".to_owned()
    } else {
        let holders: Vec<&str> = holders.iter().map(String::as_str).collect();
        format!(" by {}: end it first", holders.join(", "))
    }
}

/// Programs that have the port open, as far as this user may look: `screen (process 4711)`.
fn holders(port: &Path) -> BTreeSet<String> {
    let Ok(device) = port.canonicalize() else { return BTreeSet::new() };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let holds = |process: &PathBuf| {
        let open = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        open.map(|entry| entry.path()).any(|file| fs::read_link(file).is_ok_and(|target| target == device))
    };
    let numbered = processes.filter_map(|entry| {
        let number: u32 = entry.file_name().to_str()?.parse().ok()?;
        (number != std::process::id()).then(|| (number, entry.path()))
    });
    let named = numbered.filter(|(_, process)| holds(process)).map(|(number, process)| {
        let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
        format!("{} (process {number})", name.trim())
    });
    named.collect()
}

/// Name of the group that a file belongs to.
#[cfg(unix)]
fn group_of(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    group_named(&fs::read_to_string("/etc/group").ok()?, fs::metadata(path).ok()?.gid())
}

#[cfg(not(unix))]
fn group_of(_: &Path) -> Option<String> {
    None
}

/// Finds a group by number; that of the administrator is not one to join.
#[cfg_attr(not(unix), allow(dead_code))]
fn group_named(groups: &str, number: u32) -> Option<String> {
    let mut fields = groups.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let found = fields.find(|fields| fields.get(2).and_then(|id| id.parse().ok()) == Some(number))?;
    (number != 0).then(|| found[0].to_owned())
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::scratch::Scratch;

    fn usb(name: &str, product: &str) -> SerialPortInfo {
        let info = UsbPortInfo {
            vid: 0x10c4,
            pid: 0xea60,
            serial_number: Some("0001".into()),
            manufacturer: Some("Silicon Labs".into()),
            product: Some(product.into()),
        };
        SerialPortInfo { port_name: name.into(), port_type: SerialPortType::UsbPort(info) }
    }

    fn old(name: &str) -> SerialPortInfo {
        SerialPortInfo { port_name: name.into(), port_type: SerialPortType::Unknown }
    }

    #[test]
    fn the_only_usb_adapter_is_taken_whatever_sockets_the_pc_has_of_old() {
        let ports = [old("/dev/ttyS0"), old("/dev/ttyS1"), usb("/dev/ttyUSB0", "CP2102")];
        assert_eq!(choose(&ports).unwrap(), Path::new("/dev/ttyUSB0"));
    }

    #[test]
    fn of_several_adapters_one_must_be_named_and_usb_tells_them_apart() {
        let ports = [usb("/dev/ttyUSB0", "CP2102"), usb("/dev/ttyUSB1", "FT232R")];
        let why = choose(&ports).unwrap_err().to_string();
        assert!(
            why.contains("/dev/ttyUSB1  Silicon Labs FT232R (USB 10c4:ea60, serial number 0001)"),
            "{why}"
        );
        assert!(why.contains("name one"), "{why}");
    }

    #[test]
    fn without_an_adapter_the_way_out_is_told() {
        assert!(choose(&[]).unwrap_err().to_string().contains("plug the USB adapter in"));
        let why = choose(&[old("/dev/ttyS0")]).unwrap_err().to_string();
        assert!(why.contains("/dev/ttyS0") && why.contains("name the one"), "{why}");
    }

    #[test]
    #[cfg(unix)]
    fn a_port_is_found_again_by_the_name_that_stays_with_the_adapter() {
        let folder = std::env::temp_dir().join(format!("ports-{}", std::process::id()));
        let by_id = folder.join("by-id");
        fs::create_dir_all(&by_id).unwrap();
        for name in ["ttyUSB0", "ttyUSB1"] {
            fs::write(folder.join(name), "").unwrap();
        }
        let link = by_id.join("usb-CP2102-if00");
        std::os::unix::fs::symlink("../ttyUSB1", &link).unwrap();
        assert_eq!(lasting_name_in(&by_id, &folder.join("ttyUSB1")), Some(link));
        assert_eq!(lasting_name_in(&by_id, &folder.join("ttyUSB0")), None);
        assert_eq!(lasting_name_in(&folder.join("none"), &folder.join("ttyUSB1")), None);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    #[cfg(unix)]
    fn what_is_wrong_with_a_port_comes_with_the_remedy() {
        let error = |kind| Error::from(serialport::Error::new(kind, "refused"));
        let scratch = Scratch::new("port");
        let there = scratch.file("port", "");
        let allow = |mode| fs::set_permissions(&there, fs::Permissions::from_mode(mode)).unwrap();
        allow(0o660);
        let forbidden = serialport::ErrorKind::Io(std::io::ErrorKind::PermissionDenied);
        let why = explain(&there, &error(forbidden)).to_string();
        assert!(why.contains("sudo usermod -aG"), "{why}");
        allow(0o600);
        let why = explain(&there, &error(forbidden)).to_string();
        assert!(why.contains("its mode is 600") && why.contains("udev"), "{why}");
        let why = explain(&there, &error(serialport::ErrorKind::NoDevice)).to_string();
        assert!(why.contains("is in use"), "{why}");
        let why = explain(Path::new("/dev/no-such-port"), &error(serialport::ErrorKind::Unknown)).to_string();
        assert!(why.contains("there is no /dev/no-such-port"), "{why}");
    }

    #[test]
    fn what_is_no_port_is_not_called_busy() {
        assert!(refuse_if_shared(Path::new("/dev/null")).is_ok());
        assert!(refuse_if_shared(&std::env::current_exe().unwrap()).is_ok());
    }

    #[test]
    fn who_holds_a_port_is_told_as_far_as_one_may_look() {
        let busy = BTreeSet::from(["screen (process 4711)".to_owned()]);
        assert_eq!(who(&busy), " by screen (process 4711): end it first");
        assert!(who(&BTreeSet::new()).contains("fuser"));
    }

    #[test]
    fn the_group_is_read_by_its_number() {
        let groups = "root:x:0:\ndialout:x:20:me\n";
        assert_eq!(group_named(groups, 20).as_deref(), Some("dialout"));
        assert_eq!((group_named(groups, 0), group_named(groups, 7)), (None, None));
    }
}
