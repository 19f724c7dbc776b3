"""A SCADA system that somebody else wrote polls the site, raises its own alarms, and is graded.

FUXA (https://github.com/frangoteam/FUXA, MIT) runs as a program of its own. Its devices, tags and alarms are
made from the alarm map; what it raised is fetched from its own history and compared with what the run should
have raised. ``make demo-scada`` installs it and does all of that.
"""
