"""Reading text from pictures of it: whole pages that are scans, and images that stand on a page."""
