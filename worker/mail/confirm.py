"""The use case: an order number in; its confirmation handed over at most once, or left for later."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import Engine

from shared.clock import Clock
from shared.domain.delivery import HandedOver, Handover, Later, NotOurs, Refused, Unknown
from shared.domain.mail_text import masked
from shared.persistence.core.errors import PersistenceError
from shared.persistence.mail.confirmations import (
    Try,
    begin_try,
    claim_hand_over,
    give_up,
    note_accepted,
    note_unknown,
    read_confirmation,
    take_claim_back,
)
from worker.mail.context import MailRoom, Post
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
            won = claim_hand_over(self.engine, self.number, moment)
        except PersistenceError:
            # It may have been committed, with only the news of it lost; nothing was sent yet.
            take_claim_back(self.engine, self.number, moment)
            raise
        self.made = moment if won else None
        return won


def confirm_order(room: MailRoom, number: int) -> Handover | None:
    """Send the confirmation of a first order number. None: nothing waits there, or not yet, or no post.

    Raises PersistenceError: what then has not been claimed is tried again, what has been is not.
    """
    if room.post is None:
        return None
    begun = begin_try(room.engine, number, room.pauses, room.luck())
    if begun is None:
        return None
    structlog.contextvars.bind_contextvars(
        request_id=begun.request_id, job_id=str(begun.job_id), order=number
    )
    if begun.left < 0:
        # The last try ended its process.
        return _give_up(room, number, None, f"given up after {begun.tries - 1} tries")
    letter = _write(room, number)
    if isinstance(letter, Refused):
        return _give_up(room, number, None, letter.reason)
    return _send(room, room.post, letter, begun)


def _write(room: MailRoom, number: int) -> Letter | Refused:
    confirmation = read_confirmation(room.engine, number)
    if confirmation is None:
        return Refused("there is no completed order of this number")
    try:
        return room.stationery.write(confirmation, room.clock())
    except (UnaddressableError, ForgedHeadError) as error:
        return Refused(str(error))


def _send(room: MailRoom, post: Post, letter: Letter, begun: Try) -> Handover:
    claim = _Claim(room.engine, letter.number, room.clock)
    handover = post.hand_over(letter, claim)
    told = {"to": masked(letter.recipient), "tries": begun.tries}
    match handover:
        case HandedOver():
            log.info("confirmation", **told)
            if claim.made is not None:
                note_accepted(room.engine, letter.number, claim.made)
        case Unknown(reason):
            log.error("confirmation_unknown", reason=reason, **told)
            if claim.made is not None:
                note_unknown(room.engine, letter.number, claim.made, f"not known: {reason}")
        case Refused(reason):
            return _give_up(room, letter.number, claim.made, reason, **told)
        case Later(reason) if begun.left == 0:
            return _give_up(
                room, letter.number, claim.made, f"given up after {begun.tries} tries: {reason}", **told
            )
        case Later(reason):
            log.warning("confirmation_left_for_later", reason=reason, **told)
            if claim.made is not None:
                take_claim_back(room.engine, letter.number, claim.made)
        case NotOurs():
            log.debug("confirmation_not_needed", **told)
    return handover


def _give_up(room: MailRoom, number: int, claimed: datetime | None, fault: str, **told: object) -> Refused:
    log.error("confirmation_given_up", reason=fault, **told)
    give_up(room.engine, number, claimed, fault)
    return Refused(fault)
