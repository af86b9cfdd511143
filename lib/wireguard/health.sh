#!/bin/sh
# health.sh: a CGI program of busybox httpd that gives out what server.sh found. It answers the question it is named after:
# live, ready or metrics.
#
# Environment: STALE_SECONDS (30). For tests only: TEST_ROOT stands before /run.
set -eu
export LC_ALL=C

QUESTION=${0##*/}
STATUS=${TEST_ROOT:-}/run/health/status
METRICS=${TEST_ROOT:-}/run/health/metrics
STALE_SECONDS=${STALE_SECONDS:-30}

# answer CODE TEXT
answer() {
	printf 'Status: %s\r\nContent-Type: text/plain\r\nCache-Control: no-store\r\n\r\n%s\n' "$1" "$2"
	exit 0
}
refuse() { answer '503 Service Unavailable' "$1"; }

main() {
	time='' live='' ready='' reason=''
	if [ -r "$STATUS" ]; then
		while read -r name text; do
			case $name in
			time) time=$text ;;
			live) live=$text ;;
			ready) ready=$text ;;
			reason) reason=$text ;;
			esac
		done <"$STATUS"
	fi
	case $time in
	'' | *[!0-9]*) refuse stale ;;
	esac
	age=$(($(date +%s) - time))
	if [ "$age" -gt "$STALE_SECONDS" ] || [ "$age" -lt "-$STALE_SECONDS" ]; then
		refuse stale
	fi
	case $QUESTION in
	live) truth=$live ;;
	ready) truth=$ready ;;
	metrics)
		[ -r "$METRICS" ] || refuse 'no metrics yet'
		printf 'Status: 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nCache-Control: no-store\r\n\r\n'
		exec cat "$METRICS"
		;;
	*) refuse "no such question: $QUESTION" ;;
	esac
	[ "$truth" = 1 ] || refuse "${reason:-no reason given}"
	answer '200 OK' ok
}

main "$@"
