"""WsgiDAV with a directory of the test's own. Locks and properties are in the memory of the one process."""

import os

from wsgidav.fs_dav_provider import FilesystemProvider
from wsgidav.wsgidav_app import WsgiDAVApp

application = WsgiDAVApp({
    "provider_mapping": {"/": FilesystemProvider(os.environ["DAV_ROOT"], readonly=False)},
    "simple_dc": {"user_mapping": {"*": True}},
    "http_authenticator": {"accept_basic": False, "accept_digest": False},
    "lock_storage": True,
    "property_manager": True,
    "logging": {"enable": False},
    "verbose": 1,
})
