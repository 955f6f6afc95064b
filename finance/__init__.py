"""What finance asks of the books, and how it proves that payouts were right."""
