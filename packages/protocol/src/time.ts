// Log time: milliseconds since 1970 in memory, RFC 3339 UTC with milliseconds on the wire.

/** `2026-11-22T07:00:00.123Z`. @param timeMs whole milliseconds since the epoch */
export const formatTime = (timeMs: number): string => new Date(timeMs).toISOString();

/** Milliseconds since the epoch of a text that the time schema has accepted. */
export const parseTime = (text: string): number => Date.parse(text);
