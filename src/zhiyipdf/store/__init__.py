"""What was paid for, kept on any fsspec filesystem: records of tasks, archives, bundles, pictures.

::

    {store}/claims/ab/{work}.json       a record: which task, which key (fingerprint only), how far
    {store}/results/ab/{work}.zip       the archive as it was served
    {store}/bundles/ab/{work}/…         the unpacked Markdown; manifest.json is written last
    {store}/images/ab/{sha256}.png      pictures, named by their content

``work`` is the SHA-256 of what decides the result: the PDF's bytes, the options that change the
output, the service and the page range.
"""

from zhiyipdf.store.files import Files
from zhiyipdf.store.leases import Lease, Leases
from zhiyipdf.store.records import RecordState, TaskRecord, Work
from zhiyipdf.store.store import Store, StoredBundle

__all__ = ["Files", "Lease", "Leases", "RecordState", "Store", "StoredBundle", "TaskRecord", "Work"]
