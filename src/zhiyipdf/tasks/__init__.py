"""One paid task, from the upload to the archive: paid once, waited for, fetched, resumed.

::

    acquisition.py   a result: from the store, from a running task, or by paying
    surroundings.py  what it works with
    submission.py    the upload, its gate and its record
    holds.py         the right to upload, over threads and processes
    evidence.py      what the balance proves about an upload in doubt
    budget.py        the caller's own limit
    lanes.py         slots of the keys, and whose turn it is
    pacing.py        pure: how much at once, when to ask, how long to wait
    poller.py        one queue of polls for each key
    waiting.py       asking until a task ends
"""
