"""An RTSP server, run by the Python that GStreamer's bindings belong to.

Arguments: what to send, as a pipeline; the port, or 0 for any that is free; "open", "secret" for a
server that asks for a password, or "empty" for one that has nothing to send. Prints its port once
it listens, on this machine alone.
"""

from __future__ import annotations

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

launch, port, access = sys.argv[1:]
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(port)
if access == "secret":
    server.set_auth(GstRtspServer.RTSPAuth())
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(launch)
if access != "empty":
    server.get_mount_points().add_factory("/clip", factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
