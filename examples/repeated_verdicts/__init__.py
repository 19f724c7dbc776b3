"""One scenario, watched many times by the reference alarm server, to see how alike the verdicts are.

In lockstep, where simulated time goes on only when each poll has finished, every run must give the same
verdict, bit by bit. By the clock, the phase of polling and the machine differ: the same alarms are missed
and false, and the latencies are a distribution.
"""
