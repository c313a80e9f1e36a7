// Numbers and times as people read them. Pure, and run in the browser. Amounts stay text: no float ever
// touches one.

const WHOLE = /\B(?=(\d{3})+(?!\d))/g;

/** `1234567.80` → `1,234,567.80`; the decimals are as they were given. */
export const groupDigits = (text: string): string => {
  const [whole = "", fraction] = text.split(".");
  const grouped = whole.replaceAll(WHOLE, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
};

/** Of a counter. */
export const countText = (count: number): string => groupDigits(String(Math.round(count)));

/** A duration in the unit that fits, to three digits or so: `4.2 ms`, `950 ms`, `3.1 s`, `12 min`. */
export const durationText = (ms: number): string => {
  if (ms === 0) return "0 ms";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
};

/** How long ago, never in the future: clocks differ. */
export const agoText = (atMs: number, nowMs: number): string => {
  const ms = nowMs - atMs;
  if (ms < 1_000) return "now";
  const text = ms < 10_000 ? `${Math.floor(ms / 1_000)} s` : durationText(ms);
  return `${text} ago`;
};

/** UTC, with the day when it is not today; fractions of a second only where the time has some. */
export const clockText = (time: string, nowMs: number): string => {
  const [day = "", clock = ""] = time.replace("Z", "").split("T");
  const shown = clock.replace(/\.000$/, "");
  return new Date(nowMs).toISOString().startsWith(day) ? shown : `${day} ${shown}`;
};

/** The beginning of an id, enough to tell two apart on one screen. */
export const shortId = (id: string): string => `${id.slice(0, 8)}…${id.slice(-4)}`;

/** `rate-sheet` → `Rate sheet`. */
export const words = (name: string): string => {
  const text = name.replaceAll("-", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};
