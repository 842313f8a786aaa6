"""The use case of the mailer: an order's confirmation handed over at most once, or left for later."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import Engine

from shared.clock import Clock
from shared.domain.delivery import Bounced, ClaimedElsewhere, Deferred, Delivered, Delivery, Unknown
from shared.domain.mail_text import masked
from shared.persistence.core.errors import PersistenceError
from shared.persistence.mail.confirmations import (
    Try,
    begin_try,
    claim_delivery,
    give_up,
    note_accepted,
    note_unknown,
    read_confirmation,
    unclaim_delivery,
)
from worker.mail.context import MailContext, Post
from worker.mail.head import ForgedHeadError
from worker.mail.message import Letter, UnaddressableError

log = structlog.get_logger()


@dataclass
class _Claim:
    """The right to send one mail, asked for when all but the mail itself has been said."""

    engine: Engine
    number: int
    clock: Clock
    made: datetime | None = field(default=None)

    def __call__(self) -> bool:
        moment = self.clock()
        try:
            won = claim_delivery(self.engine, self.number, moment)
        except PersistenceError:
            # It may have been committed, with only the news of it lost; nothing was sent yet.
            unclaim_delivery(self.engine, self.number, moment)
            raise
        self.made = moment if won else None
        return won


def confirm_order(context: MailContext, number: int) -> Delivery | None:
    """Send the confirmation of a first order number. None: nothing waits there, or not yet, or no post.

    Raises PersistenceError: what then has not been claimed is tried again, what has been is not.
    """
    if context.post is None:
        return None
    begun = begin_try(context.engine, number, context.pauses, context.luck())
    if begun is None:
        return None
    structlog.contextvars.bind_contextvars(
        request_id=begun.request_id, job_id=str(begun.job_id), order=number
    )
    if begun.left < 0:
        # The last try ended its process.
        return _give_up(context, number, None, f"given up after {begun.tries - 1} tries")
    letter = _write(context, number)
    if isinstance(letter, Bounced):
        return _give_up(context, number, None, letter.reason)
    return _send(context, context.post, letter, begun)


def _write(context: MailContext, number: int) -> Letter | Bounced:
    confirmation = read_confirmation(context.engine, number)
    if confirmation is None:
        return Bounced("there is no completed order of this number")
    try:
        return context.stationery.write(confirmation, context.clock())
    except (UnaddressableError, ForgedHeadError) as error:
        return Bounced(str(error))


def _send(context: MailContext, post: Post, letter: Letter, begun: Try) -> Delivery:
    claim = _Claim(context.engine, letter.number, context.clock)
    delivery = post.deliver(letter, claim)
    told = {"to": masked(letter.recipient), "tries": begun.tries}
    match delivery:
        case Delivered():
            log.info("confirmation", **told)
            if claim.made is not None:
                note_accepted(context.engine, letter.number, claim.made)
        case Unknown(reason):
            log.error("confirmation_unknown", reason=reason, **told)
            if claim.made is not None:
                note_unknown(context.engine, letter.number, claim.made, f"not known: {reason}")
        case Bounced(reason):
            return _give_up(context, letter.number, claim.made, reason, **told)
        case Deferred(reason) if begun.left == 0:
            return _give_up(
                context, letter.number, claim.made, f"given up after {begun.tries} tries: {reason}", **told
            )
        case Deferred(reason):
            log.warning("confirmation_left_for_later", reason=reason, **told)
            if claim.made is not None:
                unclaim_delivery(context.engine, letter.number, claim.made)
        case ClaimedElsewhere():
            log.debug("confirmation_not_needed", **told)
    return delivery


def _give_up(
    context: MailContext, number: int, claimed: datetime | None, fault: str, **told: object
) -> Bounced:
    log.error("confirmation_given_up", reason=fault, **told)
    give_up(context.engine, number, claimed, fault)
    return Bounced(fault)
