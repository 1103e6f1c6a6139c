"""Laws that roles keep, and small worlds with known answers: for tests of your own roles, too."""
