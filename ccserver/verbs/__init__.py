"""What can be asked of `ccserver`: one verb a file, each with its `STORY`, its options, and `run`, which returns the exit code.

`ccserver.__main__` lists them and loads the one that was asked for, so that `ccserver check` does not wait for the web server.
"""
