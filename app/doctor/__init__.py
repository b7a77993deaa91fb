"""What this installation can do: facts about the machine, parts that are there or missing, and two small trials."""

from app.doctor.diagnosis import Diagnosis, diagnose

__all__ = ["Diagnosis", "diagnose"]
