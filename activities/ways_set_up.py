"""By whom messages are passed on, as the settings have it."""

from activities.ways import Ways
from providers.fcm import Fcm, ServiceAccount
from providers.mail import Mail, Mailing
from providers.ops_webhook import OpsWebhook
from providers.sendgrid import SendGrid
from providers.sms import Sms
from providers.web_push import WebPush
from settings import Settings


def mailing(settings: Settings) -> Mailing:
    """Whoever passes mails on."""
    key = settings.sendgrid_api_key.get_secret_value()
    if key:
        return SendGrid(
            key,
            sender=settings.mail_from,
            base_url=settings.sendgrid_base_url,
            timeout_seconds=settings.post_timeout_seconds,
        )
    return Mail(
        settings.smtp_url.get_secret_value(),
        sender=settings.mail_from,
        timeout_seconds=settings.post_timeout_seconds,
    )


def texting(settings: Settings) -> Sms:
    """Whoever passes text messages on."""
    return Sms(
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token.get_secret_value(),
        sender=settings.twilio_from,
        base_url=settings.twilio_base_url,
        timeout_seconds=settings.post_timeout_seconds,
    )


def ways_of(settings: Settings, mail: Mailing, sms: Sms) -> Ways:
    """By whom messages are passed on, as far as it is set up."""
    patience = settings.post_timeout_seconds
    account = settings.fcm_service_account.get_secret_value()
    vapid_key = settings.vapid_private_key.get_secret_value()
    webhook = settings.ops_webhook_url.get_secret_value()
    has_mail = settings.smtp_url.get_secret_value() or settings.sendgrid_api_key.get_secret_value()
    return Ways(
        mail=mail if has_mail else None,
        sms=sms if settings.twilio_account_sid else None,
        fcm=Fcm(
            ServiceAccount.model_validate_json(account),
            base_url=settings.fcm_base_url,
            timeout_seconds=patience,
        )
        if account
        else None,
        web_push=WebPush(
            vapid_key,
            subject=settings.vapid_subject,
            private_targets=settings.web_push_anywhere,
            timeout_seconds=patience,
        )
        if vapid_key
        else None,
        ops_webhook=OpsWebhook(webhook, timeout_seconds=patience) if webhook else None,
        ops_email=settings.ops_email or None,
    )
