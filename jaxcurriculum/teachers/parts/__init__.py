"""The mathematics that teachers share."""
