"""The voice connector: the core's commands become ARI requests on one Asterisk, its events become facts.

Reading guide: `connector` is the whole; `facts` translates what Asterisk says; `performer` does what the core commands (legs
by `calling`, sound by `playing`), one ordered lane per contact (`lanes`), minding the media state of each call (`calls`);
`listing` tells everything a node holds after a gap; `phones` pushes the operators' endpoints (`endpoints`) and watches them;
`trunks` watches the ways to the public network; `monitor` records conversations over AMI (`ami`).
`liveness` asks by `probes` whether Asterisk is alive at all (SIP: `sip_options`).

No decision is taken here. What Asterisk really does, and what these modules therefore must do, is written where it matters.
"""

from ccserver.connectors.voice.connector import AriLink, EndpointsRefused, NodeTooOld, VoiceConnector, VoiceSettings
from ccserver.connectors.voice.endpoints import PhoneRules
from ccserver.connectors.voice.liveness import Liveness
from ccserver.connectors.voice.probes import SipPort
from ccserver.connectors.voice.trunks import TrunkSettings, TrunkSigns

__all__ = [
    "AriLink",
    "EndpointsRefused",
    "Liveness",
    "NodeTooOld",
    "PhoneRules",
    "SipPort",
    "TrunkSettings",
    "TrunkSigns",
    "VoiceConnector",
    "VoiceSettings",
]
