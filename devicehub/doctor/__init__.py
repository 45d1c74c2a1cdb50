"""What keeps a station from doing its work: facts are gathered, checks judge them, some of what they find is mended."""
