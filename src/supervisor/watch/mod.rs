//! Sees that files have changed (inotify(7)): those that are touched to ask for something, and in development the code
//! of the application.

mod notices;
mod touch;
mod tree;

use std::{collections::BTreeSet, io, path::PathBuf};

use crate::config::Settings;

pub(super) use self::touch::Wish;
use self::{touch::Touch, tree::Tree};

/// Everything that is watched for the current generation.
pub(super) struct Watch {
    touch: Touch,
    tree: Option<Tree>,
}

impl Watch {
    /// Watches what the settings name.
    pub(super) fn new(settings: &Settings) -> io::Result<Self> {
        let mut watch = Self {
            touch: Touch::new()?,
            tree: None,
        };
        watch.follow(settings)?;
        Ok(watch)
    }

    /// From now on these settings count. The paths may be what they were and lead elsewhere by now.
    pub(super) fn follow(&mut self, settings: &Settings) -> io::Result<()> {
        self.touch.follow(&settings.reload);
        let wanted = settings.reload.py_autoreload;
        match &mut self.tree {
            Some(tree) if wanted => tree.follow(&settings.app),
            tree => *tree = wanted.then(|| Tree::new(&settings.app)).transpose()?,
        }
        Ok(())
    }

    /// Modules of the application were loaded from these files.
    pub(super) fn add_loaded(&mut self, files: &[PathBuf]) {
        if let Some(tree) = &mut self.tree {
            tree.add_loaded(files);
        }
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
