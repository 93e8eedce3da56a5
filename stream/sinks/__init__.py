"""Where pictures go that are kept: MP4 files, snapshots."""
