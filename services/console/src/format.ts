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

/** An age in its two largest units: `3 d 4 h`, `12 min`, `8 s`. */
export const ageText = (seconds: number): string => {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
};

/** Less the one amount, plus the other, in decimals of the same length; text in, text out. */
export const netText = (credits: string, fees: string, debits: string): string => {
  const decimals = credits.split(".")[1]?.length ?? 0;
  const minor = (text: string): bigint => BigInt(text.replace(".", ""));
  const net = minor(credits) + minor(fees) - minor(debits);
  const digits = String(net < 0n ? -net : net).padStart(decimals + 1, "0");
  const at = digits.length - decimals;
  const text = decimals === 0 ? digits : `${digits.slice(0, at)}.${digits.slice(at)}`;
  return net < 0n ? `-${text}` : text;
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
