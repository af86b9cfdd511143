"""waits.py: how long control.py waits for what."""
import os

FASTER = float(os.environ.get('TEST_FASTER', '1'))
TICK_SECONDS = 1 / FASTER
ANSWER_SECONDS = 3.0  # how long charon may take for a question that it answers at once
SLOW_SECONDS = 60.0  # how long it may take to start or end an SA: it resolves names meanwhile
LOAD_SECONDS = 60 / FASTER  # how long swanctl may take
RETRY_SECONDS = 30 / FASTER  # when a failed load is tried again
QUIET_SECONDS = 5 / FASTER  # how often SAs are listed while all is well
FIRST_SECONDS, LAST_SECONDS = 5 / FASTER, 30 / FASTER  # the shortest and the longest time from one initiation to the next
CHARON_FIRST_SECONDS = 2 / FASTER  # how long charon has to restart by itself what went down
OLD_SECONDS = 120.0  # what was logged so long before a tunnel went down is not why
LIVE_SECONDS = 15 / FASTER
STALE_SECONDS = 30.0  # what another container has not said again for so long is no longer true
TOUCH_SECONDS = 10 / FASTER  # how often what has not changed is said again
ASK_SECONDS = 2.0  # how long the pod of another gateway may take for an answer
QUESTION_SECONDS = 6.0  # how long all of them may take, with their names
DRAIN_SECONDS = 15 / FASTER  # how long the reflector may take to withdraw all routes
TELL_SECONDS = 120 / FASTER  # and until nodes have heard of it whose agent is away
LAST_SECONDS_OF_CHARON = 10 / FASTER  # how long charon may take to tell its peers that it ends
CHECK_SECONDS = 600.0  # how often certificates are looked at although they have not changed: they expire
LATE_SECONDS = 15.0  # a charon that does not answer for so long is taken for gone; the answer itself is not waited for any faster
