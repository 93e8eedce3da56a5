#!/bin/sh
# Runs a command beside a camera: PipeWire, in a session of its own, shows a clip as /dev/video0 to
# programs under pw-v4l2. Usage: dbus-run-session -- camera_session.sh CLIP.avi COMMAND...
clip=$1
shift
XDG_RUNTIME_DIR=$(mktemp -d)
export XDG_RUNTIME_DIR
mkdir -p /run/systemd/users /run/systemd/seats /run/systemd/sessions /run/systemd/machines
trap 'kill $camera $manager $pipewire 2>/dev/null; wait; rm -rf "$XDG_RUNTIME_DIR"' EXIT

# until WHAT COMMAND...: ten seconds at most.
until_true() {
    what=$1
    shift
    tries=100
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || { echo "no $what" >&2; exit 99; }
        sleep 0.1
    done
}
has_camera() { pw-cli ls Node | grep -q signlight-camera; }

pipewire 2>/dev/null &
pipewire=$!
until_true PipeWire test -S "$XDG_RUNTIME_DIR/pipewire-0"
wireplumber 2>/dev/null &
manager=$!
gst-launch-1.0 -q filesrc location="$clip" ! avidemux ! jpegdec ! videoconvert \
    ! video/x-raw,format=YUY2 ! identity sync=true \
    ! pipewiresink mode=provide stream-properties="p,media.class=Video/Source,media.role=Camera,node.name=signlight-camera" &
camera=$!
until_true camera has_camera
export CAMERA_PID=$camera
"$@"
