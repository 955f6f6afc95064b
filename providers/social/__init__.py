"""Logins at Google, Facebook and Apple: the authorization code flow of OAuth 2 with PKCE."""

from providers.social.logins import SocialLogins
from providers.social.oauth import SocialAway, SocialRefused, Verifier, clean
from providers.social.pending import Pending

__all__ = ["Pending", "SocialAway", "SocialLogins", "SocialRefused", "Verifier", "clean"]
