"""Where pictures go: MP4 files, windows, snapshots."""
