"""The page of endpoints: the servers that can be asked, their keys, and what a test of the connection says."""
