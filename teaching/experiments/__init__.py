"""Published claims that anyone can reproduce, one file each."""
