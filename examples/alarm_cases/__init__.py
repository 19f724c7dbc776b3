"""Alarm logic in tests: a small works, its alarms, and one test for each case that they must stand.

``docs/alarm-cases.md`` lists them. Run them with ``pytest examples/alarm_cases``; to test a site of your own,
put your network, scenario and rules in the place of these and keep the cases that it has.
"""
