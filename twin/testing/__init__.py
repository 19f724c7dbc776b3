"""For tests of masters and alarm systems: a site on free ports whose time stands still between steps."""

from twin.testing.alarm_watch import AlarmWatch
from twin.testing.site_under_test import SiteRefusedError, SiteUnderTest

__all__ = ["AlarmWatch", "SiteRefusedError", "SiteUnderTest"]
