"""The pages: what operators see of the running site, drawn from frames and the historian alone."""

from dashboards.app import create_app
from dashboards.feed import FrameSource
from dashboards.server import DashboardError, ServerHandle, serve

__all__ = ["DashboardError", "FrameSource", "ServerHandle", "create_app", "serve"]
