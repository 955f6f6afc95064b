"""Telling clients what happens, as it happens: by Socket.IO, WebSocket and Server-Sent Events, from
one source.
"""
