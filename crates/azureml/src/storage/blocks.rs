//! How a file is cut into blocks, and what they are called.

/// Azure's limit.
const MAX_BLOCKS: u64 = 50_000;

/// The blocks of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Blocks {
    file_size: u64,
    block_size: u64,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) index: u64,
    pub(super) offset: u64,
    pub(super) size: u64,
}

impl Blocks {
    /// Blocks of the size that is wanted, or of as many whole MiB as it takes to stay below the limit.
    pub(super) fn of(file_size: u64, block_size: u64) -> Self {
        const MIB: u64 = 1 << 20;
        let needed = file_size.div_ceil(MAX_BLOCKS);
        let block_size =
            if needed > block_size { needed.div_ceil(MIB) * MIB } else { block_size.max(1) };
        Self { file_size, block_size }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Block> {
        (0..self.file_size.div_ceil(self.block_size)).map(move |index| {
            let offset = index * self.block_size;
            let size = self.block_size.min(self.file_size - offset);
            Block { index, offset, size }
        })
    }

    /// The id of a block, which is the same whenever the same content is cut into blocks of the same size, so that an upload can go on
    /// where another ended.
    ///
    /// All ids of a blob must have the same length, those of an upload that someone else left unfinished included: it is that of the
    /// Python SDK's ids, 48 bytes.
    pub(super) fn id(self, block: Block, content_hash: &str) -> Vec<u8> {
        let hash = content_hash.get(..31).unwrap_or(content_hash);
        format!("{:05}-{:010}-{hash:0<31}", block.index, self.block_size).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_a_file_once() {
        for (file_size, block_size) in [(0, 7), (1, 7), (7, 7), (8, 7), (700, 7), (12_345, 1024)] {
            let mut end = 0;
            for block in Blocks::of(file_size, block_size).iter() {
                assert_eq!(block.offset, end);
                assert!((1..=block_size).contains(&block.size));
                end += block.size;
            }
            assert_eq!(end, file_size);
        }
    }

    #[test]
    fn there_are_never_more_than_azure_allows() {
        let terabyte = 1_u64 << 40;
        for file_size in [8 * 50_000, 8 * 50_000 + 1, terabyte, 190 * terabyte] {
            let blocks = Blocks::of(file_size, 8);
            let count = file_size.div_ceil(blocks.block_size);
            assert!(count <= MAX_BLOCKS, "{count}");
            assert!(blocks.block_size <= 4000 << 20);
        }
        assert_eq!(Blocks::of(8 * 50_000, 8).block_size, 8);
    }

    #[test]
    fn ids_differ_by_index_size_and_content_and_are_all_of_one_length() {
        let hash = "f2d844f49c102a3d9225d647b48db8bbb0f6e787e453644a5c8351ff9d8163f7";
        let blocks = Blocks::of(100, 10);
        let ids: Vec<_> = blocks.iter().map(|block| blocks.id(block, hash)).collect();
        assert_eq!(ids[3], b"00003-0000000010-f2d844f49c102a3d9225d647b48db8b");
        assert!(ids.iter().all(|id| id.len() == 48));
        let others = Blocks::of(100, 11);
        assert_ne!(others.id(others.iter().next().unwrap(), hash), ids[0]);
        assert_ne!(blocks.id(blocks.iter().next().unwrap(), &"0".repeat(64)), ids[0]);
    }
}
