"""Many conversations, from files into a file: in portions, with a journal, so that an interrupted job goes on where it was."""

from diasum.bulk.job import BulkResult, Job, Worker

__all__ = ["BulkResult", "Job", "Worker"]
