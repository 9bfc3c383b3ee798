"""pjproject's side of a call. Lives in the telephone thread only, kept alive by `PhoneLibrary.pj_objects`.

A call that Python lets go is hung up at once, so it stays in that table until it has ended.
"""

from typing import TYPE_CHECKING, Any

from ccserver.sim.phones.events import Media, PhoneError, PhoneEvent
from ccserver.sim.phones.handset import Handset
from ccserver.sim.phones.pj import pj

if TYPE_CHECKING:
    from ccserver.sim.phones.call import Call
    from ccserver.sim.phones.phone import Phone

MEDIA: dict[int, Media] = {
    pj.PJSUA_CALL_MEDIA_ACTIVE: "active",
    pj.PJSUA_CALL_MEDIA_LOCAL_HOLD: "local_hold",
    pj.PJSUA_CALL_MEDIA_REMOTE_HOLD: "remote_hold",
}


class CallGone(PhoneError):
    """The call has ended, nothing can be done with it."""


class PjCall(pj.Call):  # type: ignore[misc]
    """Made with pjproject's call id for an incoming call, without for one to be dialled."""

    def __init__(self, account: Any, handle: "Call", call_id: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(account, call_id)
        self.handle = handle
        self._handset: Handset | None = None
        self._library = handle.phone.library
        self._library.pj_objects[handle.serial] = self

    # --- callbacks: pjproject's names, their exceptions are only printed ------------------------------------------
    # NB `self.getInfo().media` would point into a temporary that is gone: the info must have a name of its own.

    def onCallState(self, prm: Any) -> None:
        info = self.getInfo()
        self.handle.sip_call_id = info.callIdString
        self.handle.remote_uri = info.remoteUri
        events, code, reason = self.handle.events, info.lastStatusCode, info.lastReason
        if info.state == pj.PJSIP_INV_STATE_EARLY:
            events.add(PhoneEvent("ringing", code=code, reason=reason))
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            events.add(PhoneEvent("up", code=code, reason=reason))
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            events.add(PhoneEvent("gone", code=code, reason=reason))
            self.handle.ear.wake()
            self._library.soon(self.forget)  # never destroy a call inside its own callback

    def onCallMediaState(self, prm: Any) -> None:
        info = self.getInfo()
        for media in info.media:
            if media.type == pj.PJMEDIA_TYPE_AUDIO:
                state = MEDIA.get(media.status, "none")
                if state in ("active", "remote_hold"):
                    self._connect()
                self.handle.events.add(PhoneEvent("media", media=state))

    def onDtmfDigit(self, prm: Any) -> None:
        self.handle.events.add(PhoneEvent("digit", digit=prm.digit))

    def onCallTransferStatus(self, prm: Any) -> None:
        if not prm.finalNotify:
            return
        self.handle.events.add(PhoneEvent("transfer", code=prm.statusCode, reason=prm.reason))
        if prm.statusCode // 100 == 2:
            # Asterisk keeps the leg of a phone that has transferred until the phone hangs up.
            prm.cont = False
            self._library.soon(self.finish)

    # --- commands -------------------------------------------------------------------------------------------------

    def dial(self, uri: str, headers: dict[str, str]) -> None:
        """Send the INVITE."""
        options = pj.CallOpParam(True)
        options.opt.textCount = 0  # pjproject offers m=text by default
        for name, value in headers.items():
            header = pj.SipHeader()
            header.hName, header.hValue = name, value
            options.txOption.headers.append(header)
        try:
            self.makeCall(uri, options)
        except pj.Error:
            self.forget()
            raise

    def respond(self, code: int) -> None:
        """Answer an INVITE."""
        options = pj.CallOpParam()
        options.statusCode = code
        self.answer(options)

    def answer_if_ringing(self) -> None:
        """Answer an INVITE unless it has been cancelled meanwhile."""
        if self.handle.serial in self._library.pj_objects and self.isActive():
            self.respond(200)

    def is_of(self, phone: "Phone") -> bool:
        """Whether it is a call of this phone."""
        return self.handle.phone is phone

    def finish(self) -> None:
        """CANCEL, refuse or BYE; nothing if it has ended meanwhile."""
        if self.handle.serial in self._library.pj_objects and self.isActive():
            self.hangup(pj.CallOpParam(True))

    def hold(self) -> None:
        """re-INVITE, sendonly."""
        self.setHold(pj.CallOpParam(True))

    def unhold(self) -> None:
        """re-INVITE, sendrecv."""
        options = pj.CallOpParam(True)
        options.opt.flag |= pj.PJSUA_CALL_UNHOLD
        self.reinvite(options)

    def media_ports(self) -> set[int]:
        """The UDP ports of its RTP and RTCP sockets, none before media is set up."""
        ports: set[int] = set()
        if self.hasMedia():
            info = self.getMedTransportInfo(0)
            ports.update(int(name.rsplit(":", 1)[1]) for name in (info.localRtpName, info.localRtcpName) if name)
        return ports

    def counters(self) -> tuple[str, int, int, int]:
        """Codec, packets sent, received and lost."""
        stream, counted = self.getStreamInfo(0), self.getStreamStat(0)
        rtcp = counted.rtcp
        return stream.codecName, rtcp.txStat.pkt, rtcp.rxStat.pkt, rtcp.rxStat.loss

    def forget(self) -> None:
        """Let go of an ended call and of its handset."""
        self._library.pj_objects.pop(self.handle.serial, None)
        if self._handset is not None:
            self._handset.destroy()
            self._handset = None

    def _connect(self) -> None:
        """Join the media to the handset; the bridge's slot is a new one after each re-INVITE."""
        if self._handset is None:
            self._handset = Handset(self.handle.ear, self.handle.mouth)
        media = self.getAudioMedia(-1)
        media.startTransmit(self._handset)
        self._handset.startTransmit(media)
