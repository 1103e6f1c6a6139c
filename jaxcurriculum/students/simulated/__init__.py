"""students/simulated"""
