"""Settings of confirmations by e-mail: the server, the sender, and tries."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.setting import setting


@dataclass(frozen=True, kw_only=True)
class MailSettings:
    """Settings of confirmations by e-mail: the server, the sender, and tries."""

    smtp_url: str = setting("", "mail server, as smtp://user:password@host:587 or smtps://…; else MAIL_DIR")
    smtp_starttls: str = setting("auto", "always, never, or auto: if offered; a must before a password")
    mail_dir: str = setting("", "directory for mails as .eml files when there is no SMTP_URL; else they wait")
    mail_from: str = setting("", "sender, as orders@shop.example or Shop <orders@shop.example>")
    mail_threads: int = setting(4, "mails that one mailer hands over at once", minimum=1)
    mail_step_seconds: float = setting(10.0, "limit for each answer of the mail server", minimum=0.1)
    mail_limit_seconds: float = setting(20.0, "limit for handing over one mail", minimum=0.1)
    mail_retry_first_seconds: float = setting(
        30.0, "pause after a mail's first try, doubled by each", minimum=0
    )
    mail_retry_most_seconds: float = setting(3600.0, "the most that this grows to", minimum=0)
    mail_tries_max: int = setting(30, "tries of one mail; with these pauses about a day", minimum=1)

    @property
    def sends_mails(self) -> bool:
        """Whether there is a way for mails to leave."""
        return bool(self.smtp_url or self.mail_dir)
