//! Sees that files have changed (inotify(7)): those that are touched to ask for something, and in development the code
//! of the application.

mod notices;
mod touch;
mod tree;

use std::{collections::BTreeSet, io};

use crate::config::Settings;

pub(super) use self::touch::Wish;
use self::{touch::Touch, tree::Tree};

/// Everything that is watched for the current generation.
pub(super) struct Watch {
    touch: Touch,
    tree: Option<Tree>,
    /// The command line says so, whatever the settings say.
    always_tree: bool,
}

impl Watch {
    /// Watches what the settings name; `always_tree`: the code too, in any case.
    pub(super) fn new(settings: &Settings, always_tree: bool) -> io::Result<Self> {
        let mut watch = Self {
            touch: Touch::new()?,
            tree: None,
            always_tree,
        };
        watch.follow(settings)?;
        Ok(watch)
    }

    /// From now on these settings count. The paths may be what they were and lead elsewhere by now.
    pub(super) fn follow(&mut self, settings: &Settings) -> io::Result<()> {
        self.touch.follow(&settings.reload);
        let wanted = self.always_tree || settings.reload.py_autoreload;
        match &mut self.tree {
            Some(tree) if wanted => tree.follow(&settings.app),
            tree => *tree = wanted.then(|| Tree::new(&settings.app)).transpose()?,
        }
        Ok(())
    }

    /// Returns what is wished for when something has changed.
    pub(super) async fn changed(&mut self) -> BTreeSet<Wish> {
        let Some(tree) = &mut self.tree else {
            return self.touch.touched().await;
        };
        tokio::select! {
            wishes = self.touch.touched() => wishes,
            () = tree.changed() => BTreeSet::from([Wish::Reload]),
        }
    }
}
