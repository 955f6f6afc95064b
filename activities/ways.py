"""How a message is passed on, on each way. What keeps one whose answer was lost from being a second
one when it is tried again:

- a mail has the same Message-ID, which mailboxes know it by;
- Twilio knows nothing of the kind, but is asked whether it has taken it before;
- a push takes the place of the one with its key, on the phone or in the browser;
- an operators' webhook has nothing: the same words may be there twice.
"""

from dataclasses import dataclass

from domain.delivering import Way
from domain.languages import Language
from domain.notifications import Urgency, notice
from domain.wording import Wording, render
from providers.fcm import Fcm
from providers.mail import Mailing
from providers.ops_webhook import OpsWebhook
from providers.push import Push
from providers.sending import Refused
from providers.sms import Sms
from providers.web_push import Subscription, WebPush
from schema.queries.deliveries import Errand
from schema.tables import Device, DeviceKind
from schema.tables.columns import now


@dataclass(frozen=True)
class Ways:
    """By whom messages are passed on; None where that is not set up."""

    mail: Mailing | None = None
    sms: Sms | None = None
    fcm: Fcm | None = None
    web_push: WebPush | None = None
    ops_webhook: OpsWebhook | None = None
    ops_email: str | None = None

    def has(self, errand: Errand) -> bool:
        """Whether a message can be passed on at all."""
        device = errand.device
        is_there = {
            Way.EMAIL: self.mail,
            Way.SMS: self.sms,
            Way.PUSH: self.web_push if device and device.kind is DeviceKind.WEB_PUSH else self.fcm,
            Way.OPS_WEBHOOK: self.ops_webhook,
            Way.OPS_EMAIL: self.mail and self.ops_email,
        }
        return bool(is_there[errand.delivery.channel])

    async def pass_on(self, errand: Errand) -> str | None:
        """Pass a message on, in the language of whoever reads it; what it is called there.

        Raises Away, Refused.
        """
        address, device = errand.address, errand.device
        match errand.delivery.channel:
            case Way.EMAIL if self.mail and address:
                return await _mail(self.mail, address, errand.key, _words(errand))
            case Way.SMS if self.sms and address:
                return await _sms(self.sms, address, errand)
            case Way.PUSH if device is not None:
                return await self._push(device, errand)
            case Way.OPS_EMAIL if self.mail and self.ops_email:
                return await _mail(self.mail, self.ops_email, errand.key, _words_for_all(errand))
            case Way.OPS_WEBHOOK if self.ops_webhook:
                words = _words_for_all(errand)
                await self.ops_webhook.post(f"{words.title}: {words.line}")
                return None
        raise Refused("there is nobody to pass it on to")

    async def _push(self, device: Device, errand: Errand) -> str:
        push = _shown(errand)
        if self.fcm and device.kind is DeviceKind.FCM:
            return await self.fcm.send(device.token, push)
        if self.web_push and device.p256dh and device.auth:
            to = Subscription(device.token, device.p256dh, device.auth)
            return await self.web_push.send(to, push)
        raise Refused("there is nobody to pass it on to")

    async def aclose(self) -> None:
        """Close the connections."""
        for way in (self.mail, self.sms, self.fcm, self.web_push, self.ops_webhook):
            if way is not None:
                await way.aclose()


async def _mail(mail: Mailing, to: str, key: str, words: Wording) -> str:
    return await mail.send(key, to, words.subject, words.text, words.html)


async def _sms(sms: Sms, to: str, errand: Errand) -> str:
    said = _words(errand)
    words = f"{said.title}: {said.line}"
    began = errand.delivery.started_at
    before = await sms.sent(to, words, began, errand.others) if began else None
    return before or await sms.send(to, words)


def _shown(errand: Errand) -> Push:
    told, words = errand.notification, _words(errand)
    said = notice(told.occasion, told.audience)
    data = {"notificationId": str(told.id), "type": told.type}
    if told.related_order_id is not None:
        data["orderId"] = str(told.related_order_id)
    return Push(
        key=errand.key,
        title=words.title,
        line=words.line,
        urgent=said is not None and said.urgency is not Urgency.NORMAL,
        good_for=errand.delivery.good_until - now(),
        data=data,
    )


def _words(errand: Errand) -> Wording:
    told = errand.notification
    return render(told.occasion, told.audience, told.words, errand.language, errand.timezone)


def _words_for_all(errand: Errand) -> Wording:
    """In the language of the house, by the clock of where it happens."""
    told = errand.notification
    return render(told.occasion, told.audience, told.words, Language.EN, None)
