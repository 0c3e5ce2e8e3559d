"""For those who teach the course: grading a class, and what else a room full of learners needs."""
