// Why a service ended, from the end of its log: what was thrown last, or logged as an error.
import { readFileSync } from "node:fs";

const tailBytes = 16_384;

const loggedFault = (line: string): string | undefined => {
  if (!/"level":"(?:error|fatal)"/.test(line)) return undefined;
  try {
    const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string } };
    return err?.message ?? msg;
  } catch {
    return undefined;
  }
};

/** The fault and a line's end, to be put before "see FILE"; empty when the log names none. */
export const lastWords = (file: string): string => {
  let text: string;
  try {
    text = readFileSync(file).subarray(-tailBytes).toString("utf8");
  } catch {
    return "";
  }
  const thrown = /^(?:Uncaught )?\w*Error(?: \[\w+\])?: (.+)$/;
  const said = text.split("\n").findLast((line) => thrown.test(line) || loggedFault(line));
  if (said === undefined) return "";
  return `${thrown.exec(said)?.[1] ?? loggedFault(said) ?? ""}\n  `;
};
