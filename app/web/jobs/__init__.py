"""Jobs of the page, without the page: queue, worker processes, and the folder of each job."""
