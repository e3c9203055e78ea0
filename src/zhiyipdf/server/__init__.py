"""The embedded server: the service's half of the wire, converting for real on this machine.

It is another program that happens to live in this package: it shares no code with the client, so
that one misreading of the API's document cannot pass on both sides.

Read it in this order: :mod:`~zhiyipdf.server.settings`, :mod:`~zhiyipdf.server.accounts` and
:mod:`~zhiyipdf.server.task_table` (what is durable), :mod:`~zhiyipdf.server.scheduling` (what
starts next), :mod:`~zhiyipdf.server.queue`, :mod:`~zhiyipdf.server.conversion` (what becomes of a
task),
:mod:`~zhiyipdf.server.service` (all of it wired up), and the wire protocols on top:
:mod:`~zhiyipdf.server.zhiyipdf_routes`, :mod:`~zhiyipdf.server.doc2x` and
:mod:`~zhiyipdf.server.app`.
"""
