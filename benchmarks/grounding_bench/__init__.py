"""What `benchmarks/grounding.py` is made of: documents, truth, perturbations, scores, tables.

- :mod:`corpus` finds or fetches the PDFs, :mod:`engines` has them converted page by page;
- :mod:`truth` joins the pages and remembers where each character came from;
- :mod:`perturbations` spoils that in known ways;
- :mod:`methods` are what is compared: ours and the :mod:`baselines`;
- :mod:`scoring` holds answers against the truth;
- :mod:`people` (with :mod:`icdar` and :mod:`docling_order`), :mod:`boxes`, :mod:`translations` and
  :mod:`speed` are the other rows;
- :mod:`targets` holds what was measured against the issue's :mod:`goals`; :mod:`report` prints it
  with :mod:`notes` on how it was measured.
"""
