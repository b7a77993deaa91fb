"""Names of the files from which the scene viewer of a job is made."""


def view_file(what: str) -> str:
    """Name of the file that describes a view, beside that of its Gaussians."""
    return f"{what}.view.json"
