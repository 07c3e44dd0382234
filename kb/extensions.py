"""Flask extensions, made here and bound to the app in create_app. Imports no kb module."""

from __future__ import annotations

from hashlib import sha256

from flask.sessions import SecureCookieSessionInterface
from flask_babel import Babel
from flask_bootstrap import Bootstrap5
from flask_login import LoginManager
from flask_wtf import CSRFProtect
from itsdangerous import Signer

babel = Babel()
bootstrap = Bootstrap5()
csrf = CSRFProtect()
login_manager = LoginManager()

# Cookies and the tokens of forms are signed with HMAC-SHA-256; what the libraries take where nobody says is SHA-1.
SecureCookieSessionInterface.digest_method = staticmethod(sha256)
Signer.default_digest_method = staticmethod(sha256)
