//! A device tree with little more than the node by which the firmware knows how the Arm's side of VCHIQ is built.

const MAGIC: u32 = 0xd00d_feed;
const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const END: u32 = 9;
/// Header, then an empty list of reserved memory.
const HEADER_BYTES: u32 = 40;
const RESERVED_BYTES: u32 = 16;

#[derive(Default)]
struct Tree {
    structure: Vec<u8>,
    names: Vec<u8>,
}

impl Tree {
    fn words(&mut self, words: &[u32]) {
        self.structure.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    }

    fn padded(&mut self, bytes: &[u8]) {
        self.structure.extend(bytes);
        self.structure.resize(self.structure.len().next_multiple_of(4), 0);
    }

    fn node(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.words(&[BEGIN_NODE]);
        self.padded(format!("{name}\0").as_bytes());
        content(self);
        self.words(&[END_NODE]);
    }

    fn property(&mut self, name: &str, value: &[u8]) {
        self.words(&[PROPERTY, value.len() as u32, self.names.len() as u32]);
        self.names.extend(name.bytes().chain([0]));
        self.padded(value);
    }

    fn cells(&mut self, name: &str, cells: &[u32]) {
        let bytes: Vec<u8> = cells.iter().flat_map(|cell| cell.to_be_bytes()).collect();
        self.property(name, &bytes);
    }

    fn finish(mut self) -> Vec<u8> {
        self.words(&[END]);
        let structure = HEADER_BYTES + RESERVED_BYTES;
        let names = structure + self.structure.len() as u32;
        let total = names + self.names.len() as u32;
        let (names_bytes, structure_bytes) = (self.names.len() as u32, self.structure.len() as u32);
        let header = [MAGIC, total, structure, names, HEADER_BYTES, 17, 16, 0, names_bytes, structure_bytes];
        let mut blob: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).collect();
        blob.extend([0; RESERVED_BYTES as usize]);
        blob.extend(self.structure);
        blob.extend(self.names);
        blob
    }
}

/// The tree, with the length of the VCHIQ node's registers and the cache line that it tells.
pub fn vchiq_tree(register_bytes: u32, cache_line: u32) -> Vec<u8> {
    let mut tree = Tree::default();
    tree.node("", |root| {
        root.cells("#address-cells", &[1]);
        root.cells("#size-cells", &[1]);
        root.property("compatible", b"raspberrypi,3-model-b\0brcm,bcm2837\0");
        root.node("memory@0", |memory| {
            memory.property("device_type", b"memory\0");
            memory.cells("reg", &[0, 0]);
        });
        root.node("chosen", |_| {});
        root.node("soc", |soc| {
            soc.property("compatible", b"simple-bus\0");
            soc.cells("#address-cells", &[1]);
            soc.cells("#size-cells", &[1]);
            soc.cells("ranges", &[0x7e00_0000, 0x3f00_0000, 0x0100_0000]);
            soc.node("mailbox@7e00b840", |vchiq| {
                vchiq.property("compatible", b"brcm,bcm2836-vchiq\0brcm,bcm2835-vchiq\0");
                vchiq.cells("reg", &[0x7e00_b840, register_bytes]);
                vchiq.cells("cache-line-size", &[cache_line]);
            });
        });
        root.node("__symbols__", |symbols| symbols.property("vchiq", b"/soc/mailbox@7e00b840\0"));
    });
    tree.finish()
}
