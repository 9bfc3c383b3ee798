"""`[sip]`: addresses, networks, certificates, encryption."""

from tests.unit.planted.fault import Plant, added, fault, main


def sip(text: str) -> Plant:
    """`[sip]` with one setting or some."""
    return added(f"[sip]\n{text}\n")


FAULTS = (
    fault(
        "an external address that is none",
        "sip.external_address: expected an IP address or a host name",
        sip('external_address = "a b"'),
    ),
    fault(
        "a certificate for nobody",
        "sip.tls_names[0]: expected a host name or an IP address",
        sip('tls_names = ["a b"]'),
    ),
    fault(
        "a network that is none", "sip.local_nets[0]: expected a network like", sip('local_nets = ["192.168.0.1/16"]')
    ),
    fault(
        "a trunk that the access list bars",
        "they would be refused with 403",
        sip('deny_nets = ["192.0.2.0/24"]'),
        added('[[trunks]]\nname = "north"\ntitle = "x"\nhost = "192.0.2.10"\n'),
    ),
    fault(
        "a certificate without its key",
        "sip.certificate: sip.private_key is missing",
        sip('certificate = "a.pem"\ntls_port = 5061'),
    ),
    fault("a certificate for nothing", "TLS is off: sip.tls_port is 0", sip('tls_names = ["example.ru"]')),
    fault(
        "encryption that anybody could read",
        "sip.encryption: the keys of encrypted sound travel in SIP",
        sip('encryption = "required"'),
    ),
    fault(
        "an operator's encryption that anybody could read",
        "operators[0].encryption: the keys of encrypted sound",
        main('extension = "1001"', 'extension = "1001"\nencryption = "allowed"'),
    ),
)
