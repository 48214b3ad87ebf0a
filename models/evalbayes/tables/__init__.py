"""Tables as people keep them: text parted by commas, sheets of workbooks, and numbers in cells."""
