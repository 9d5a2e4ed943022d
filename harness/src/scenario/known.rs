//! Services that firmware is known to offer, and what their clients ask for (VCHIQ fact sheet 10).

use vchiq_mbox::{link::OpenRequest, wire::FourCc};

/// Every one with the versions of its own client. The last five are known by name only: drivers mention them.
pub(super) const SERVICES: [OpenRequest; 23] = [
    service(*b"echo", 3, 3),
    service(*b"func", 3, 3),
    service(*b"fun2", 3, 3),
    service(*b"SMEM", 1, 0),
    service(*b"SMCT", 1, 0),
    service(*b"mmal", 15, 10),
    service(*b"GCMD", 1, 1),
    service(*b"TVSV", 1, 1),
    service(*b"TVNT", 1, 1),
    service(*b"CECS", 1, 1),
    service(*b"CECN", 1, 1),
    service(*b"DISP", 1, 1),
    service(*b"UPDH", 1, 1),
    service(*b"AUDS", 2, 1),
    service(*b"ILCS", 1, 1),
    service(*b"GPUS", 1, 1),
    service(*b"KHAN", 1, 1),
    service(*b"KHRN", 1, 1),
    service(*b"KHHN", 1, 1),
    service(*b"WFCI", 8, 5),
    service(*b"CMA ", 2, 2),
    service(*b"FSRV", 1, 1),
    service(*b"KEEP", 1, 1),
];

const fn service(name: [u8; 4], version: u16, version_min: u16) -> OpenRequest {
    OpenRequest::new(FourCc::new(name), version, version_min)
}
