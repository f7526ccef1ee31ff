"""Files and streams to tables of rows and to named conversations."""
