"""reasons.py: why a tunnel is not up, of the lines that charon logs."""
import re
from typing import NamedTuple

KINDS = [
    'no_answer',
    'no_proposal',
    'authentication_failed',
    'traffic_selectors',
    'no_shared_key',
    'certificate',
    'name_resolution',
    'closed_by_peer',
    'kernel',
    'other',
]


class Meaning(NamedTuple):
    pattern: 're.Pattern[str]'
    kind: str
    words: str  # {0}: what the pattern caught; {peer}: the address of the peer
    failure: bool = False  # whether it is counted: once for each time that it fails
    weak: bool = False  # said beside what tells more


def meaning(pattern: str, kind: str, words: str, failure: bool = False, weak: bool = False) -> Meaning:
    return Meaning(re.compile(pattern), kind, words, failure, weak)


# Of charon's lines (in libcharon: ike_sa.c, ikev2/tasks, ikev2/authenticators; in libstrongswan: credential_manager.c).
MEANINGS = [
    meaning(r'giving up after \d+ retransmits', 'no_answer', 'no answer from {peer}', failure=True),
    meaning(r'peer not responding', 'no_answer', 'no answer from {peer}'),
    meaning(r'retransmit \d+ of request', 'no_answer', 'no answer from {peer}', weak=True),
    meaning(r'received NO_PROPOSAL_CHOSEN notify error', 'no_proposal', 'no proposal chosen for IKE', failure=True),
    meaning(r'received proposals (?:un|in)acceptable', 'no_proposal', 'no proposal chosen for IKE', failure=True),
    meaning(r'received NO_PROPOSAL_CHOSEN notify, no CHILD_SA', 'no_proposal', 'no proposal chosen for ESP', failure=True),
    meaning(r'no acceptable proposal found', 'no_proposal', 'no proposal chosen for ESP', failure=True),
    meaning(r'not contained in any of our proposals', 'no_proposal', 'no proposal chosen', failure=True),
    meaning(r"no shared key found for ('.*' - '.*')", 'no_shared_key', 'no shared key for {0}', failure=True),
    meaning(r'tried \d+ shared keys? for .* but MAC mismatched', 'authentication_failed', 'authentication failed', failure=True),
    meaning(r'received AUTHENTICATION_FAILED notify error', 'authentication_failed', 'authentication failed', failure=True),
    meaning(r'received IDr .*, but require', 'authentication_failed', 'authentication failed', failure=True),
    meaning(r'constraint (?:check failed|requires)', 'authentication_failed', 'authentication failed', failure=True),
    meaning(r'no trusted .*public key found for (.*)', 'certificate', 'no trusted certificate for {0}', failure=True),
    meaning(r'no private key found for (.*)', 'certificate', 'no private key for {0}', failure=True),
    meaning(r'subject certificate invalid', 'certificate', 'a certificate is not valid now'),
    meaning(r'certificate was revoked', 'certificate', 'a certificate is revoked'),
    meaning(r'no issuer certificate found', 'certificate', 'no trusted certificate: the issuer is not known', weak=True),
    meaning(r'signature validation failed', 'authentication_failed', 'authentication failed', weak=True),
    meaning(r'no (?:alternative|matching peer) config found', 'authentication_failed', 'authentication failed', weak=True),
    meaning(r'received TS_UNACCEPTABLE notify', 'traffic_selectors', 'traffic selectors not accepted', failure=True),
    meaning(r'traffic selectors .* unacceptable', 'traffic_selectors', 'traffic selectors not accepted', failure=True),
    meaning(r'no acceptable traffic selectors found', 'traffic_selectors', 'traffic selectors not accepted', failure=True),
    meaning(r'received (\w+) notify, no CHILD_SA built', 'other', 'refused by the peer: {0}', failure=True),
    meaning(r'received (\w+) notify error', 'other', 'refused by the peer: {0}', failure=True),
    meaning(r'unable to resolve (.*), (?:initiate|retrying)', 'name_resolution', 'name {0} does not resolve', failure=True),
    meaning(r'unable to initiate to', 'other', 'the address of the peer is not known', failure=True),
    meaning(r'received DELETE for IKE_SA', 'closed_by_peer', 'peer closed it', failure=True, weak=True),
    meaning(r'received DELETE for (?:ESP|AH) CHILD_SA', 'closed_by_peer', 'peer closed it', weak=True),
    meaning(r'unable to install .* in kernel', 'kernel', 'the kernel refuses it', failure=True),
    meaning(r'received netlink error: (.*)', 'kernel', 'the kernel refuses it: {0}'),
    meaning(r'uniqueness policy', 'other', 'it is up already from another place', failure=True),
    meaning(r'failed to establish CHILD_SA', 'other', 'the child was not made', weak=True),
]
# With these charon does not know yet to which tunnel the peer belongs.
STRANGERS = re.compile(r'no (?:matching peer|IKE) config found|received proposals (?:un|in)acceptable')


class Reason(NamedTuple):
    words: str
    line: str
    at: float
    weak: bool

    def __str__(self) -> str:
        return f'{self.words} ({self.line})' if self.line else self.words
