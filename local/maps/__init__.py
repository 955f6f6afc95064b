"""A stand-in for Google Maps, and for Mapbox behind it, that knows Austin, Texas.

`python -m local.maps --port 8082` serves Google's geocoding and distance matrix and Mapbox's
geocoding v6, in the providers' own shapes, to their own clients. `streets.csv` is all it knows:
any house number on those streets has a position, and nothing else does. What goes wrong is asked
for at `/_control/faults`; what was called is counted at `/_control/calls`.
"""
