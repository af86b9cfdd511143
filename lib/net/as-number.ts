/** Numbers of autonomous systems (RFC 6793). */

/** The lowest; 0 names none (RFC 7607). */
export const AS_NUMBER_MIN = 1;

/** The highest that may be used; the one after it is reserved (RFC 7300). */
export const AS_NUMBER_MAX = 4_294_967_294;

/** Stands for a number of four bytes where a router knows only two, and is nobody's own (RFC 6793, 9). */
export const AS_TRANS = 23_456;
