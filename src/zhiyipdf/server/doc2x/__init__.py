"""The Doc2X service's half of the wire, version 1 and 2, over the same accounts, queue and engine.

Read it in this order: :mod:`~zhiyipdf.server.doc2x.settings`,
:mod:`~zhiyipdf.server.doc2x.uploads` and :mod:`~zhiyipdf.server.doc2x.exports` (what is durable),
:mod:`~zhiyipdf.server.doc2x.intake` (from an upload to a task),
:mod:`~zhiyipdf.server.doc2x.conversion` (from a task to pages),
:mod:`~zhiyipdf.server.doc2x.pages` (pages in the service's style),
:mod:`~zhiyipdf.server.doc2x.rendering` (files of them), :mod:`~zhiyipdf.server.doc2x.desk` (all of
it wired up), and the routes: :mod:`~zhiyipdf.server.doc2x.v1_routes`,
:mod:`~zhiyipdf.server.doc2x.v2_routes` and :mod:`~zhiyipdf.server.doc2x.object_routes`.
"""
