// Amounts of this core's one currency: decimal strings outside, exact minor units as bigint inside.

/** The syntax of an amount above zero with at most `decimals` places. */
export function amountPattern(decimals: number): RegExp {
  const fraction = decimals === 0 ? "" : `(\\.\\d{1,${decimals}})?`;
  return new RegExp(`^(?=.*[1-9])(0|[1-9]\\d{0,14})${fraction}$`);
}

/** Minor units of an amount that matches `amountPattern`: `toMinor("10.5", 2)` is `1050n`. */
export function toMinor(amount: string, decimals: number): bigint {
  const [whole = "0", fraction = ""] = amount.split(".");
  return BigInt(whole + fraction.padEnd(decimals, "0"));
}

/** The decimal string of minor units, with all places: `fromMinor(1050n, 2)` is `10.50`. */
export function fromMinor(minor: bigint, decimals: number): string {
  if (decimals === 0) return minor.toString();
  const digits = minor.toString().padStart(decimals + 1, "0");
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}
