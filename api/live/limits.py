"""What holds for every client that listens, whatever it is set up to."""

# A command's: a hundred positions of a driver's fit in; uvicorn is told the same.
MOST_MESSAGE_BYTES = 64 * 1024
# How long a client may take to say who it is, and to leave once it is told to.
SETTLING_SECONDS = 10.0
