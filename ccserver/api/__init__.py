"""The door for people and programs: the status API, the live web socket and the page at `/`.

Supervisors watch the page, scripts and other systems call the API; both get the same values. Reading guide:

    server      build(): the aiohttp application, and listening(): it on a port
    sources     what the API asks of the rest of the daemon, as Protocols; `ccserver.app` brings the real ones
    messages    every JSON body that goes out or comes in, as types; openapi makes the document of them
    views       from the core's values to those bodies
    operations  one Operation a route: method, path, types, who may; the router and the document are made of the list
    errors      what is answered when something is wrong, always as JSON
    auth        the token, and the cookie that the page has instead of it
    asked       all that is asked about contacts that go on, and agents, in one table
    status contacts recordings measures live metrics page openapi   the other routes
    finished    the last contacts that ended, for `live`

Imports nothing of Asterisk, connectors or audio: a recording comes as a file, the link to Asterisk as a status.
"""
