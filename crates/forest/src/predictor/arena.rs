/// Bytes of a cache line.
pub(super) const LINE_BYTES: usize = 64;

/// A forest up to this size is taken to stay in a core's cache, or close to it.
pub(super) const CACHED_BYTES: usize = 4 << 20;

/// Nodes in one piece of memory that starts on a cache line, followed by padding.
#[derive(Debug)]
pub(super) struct Arena<N> {
    memory: Vec<N>,
    first: usize,
}

impl<N: Copy + Default> Arena<N> {
    /// Copies `nodes` and appends `padding` nodes that nobody visits.
    pub(super) fn new(nodes: &[N], padding: usize) -> Self {
        let line = LINE_BYTES / size_of::<N>();
        let mut memory = vec![N::default(); line + nodes.len() + padding];
        let first = memory.as_ptr().align_offset(LINE_BYTES).min(line);
        memory[first..first + nodes.len()].copy_from_slice(nodes);
        Self { memory, first }
    }

    pub(super) fn nodes(&self) -> &[N] {
        &self.memory[self.first..]
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(self.memory.as_slice())
    }
}
