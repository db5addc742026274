//! Small integer names for frames and nodes, so that they can't be mixed up.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// The place of this id in its table.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl From<usize> for $name {
            fn from(index: usize) -> Self {
                Self(index as u32)
            }
        }
    };
}

id! {
    /// A function at one place, in the session's frame table. Never reused while the session lives.
    FrameId
}
id! {
    /// A call path, as its last node in the session's call tree. Renumbered when the tree is
    /// collected, so nothing outside the session keeps one: use a [`CallPath`].
    NodeId
}

/// A call path by its frames from the root (exclusive) to the leaf: the lasting name of a node.
pub type CallPath = Vec<FrameId>;
