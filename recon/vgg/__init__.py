"""VGG networks (Simonyan and Zisserman 2015), by whose features pictures are compared; their weights do not ship."""
