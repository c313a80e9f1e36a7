// Windows as the log gives them, held against those that reconciliation shows: intervals, totals, legs,
// and what has become final up to the audited position.
import { LogReadError } from "@sealane/client";
import type { SettlementEntry } from "@sealane/rules";
import { joinNetParts, type WindowNet } from "@sealane/protocol";

export type SettlementAt = { readonly seq: number; readonly said: SettlementEntry };

type Net = { net: WindowNet; final: "settled" | "defaulted" | undefined };
type Recomputed = { readonly cutSeq: number; readonly nets: Map<string, Net> };

/** By `corridor/number`, from the entries alone. */
export const windowsOf = (entries: readonly SettlementAt[]): Map<string, Recomputed> => {
  const windows = new Map<string, Recomputed>();
  const netOf = (body: { corridor: string; number: number; participant: string }) =>
    windows.get(`${body.corridor}/${body.number}`)?.nets.get(body.participant);
  for (const { seq, said } of entries) {
    const { kind, body } = said;
    if (kind === "window-cut") {
      windows.set(`${body.corridor}/${body.number}`, { cutSeq: seq, nets: new Map() });
    } else if (kind === "window-net") {
      const final = body.legs.length === 0 ? "settled" : undefined;
      const before = netOf(body)?.net;
      const [net = body] = before === undefined ? [body] : joinNetParts([before, body]);
      windows.get(`${body.corridor}/${body.number}`)?.nets.set(body.participant, { net, final });
    } else if (kind === "settlement" && body.result === "settled") {
      Object.assign(netOf(body) ?? {}, { final: "settled" });
    } else if (kind === "window-default") Object.assign(netOf(body) ?? {}, { final: "defaulted" });
  }
  return windows;
};

type Shown = {
  readonly corridor: string;
  readonly number: number;
  readonly cutSeq: number;
  readonly nets: readonly {
    readonly participant: string;
    readonly status: string;
    readonly totals: WindowNet["totals"];
    readonly finalSeq?: number;
  }[];
};

type Page = { readonly asOf: number; readonly windows: readonly Shown[]; readonly next?: string };

const read = async (url: string, token: string, after: string | undefined): Promise<Page> => {
  const path = `${url}/v1/windows?limit=100${after === undefined ? "" : `&after=${after}`}`;
  let response: Response;
  try {
    const headers = { Authorization: `Bearer ${token}` };
    response = await fetch(path, { headers, signal: AbortSignal.timeout(30_000) });
  } catch (cause) {
    throw new LogReadError("log-unreachable", `${url} cannot be reached`, cause);
  }
  if (response.ok) return (await response.json()) as Page;
  throw new LogReadError("log-unreachable", `${url} answers ${response.status}`);
};

const shownWindows = async (url: string, token: string, size: number): Promise<Shown[]> => {
  const all: Shown[] = [];
  let after: string | undefined;
  do {
    const page = await read(url, token, after);
    if (page.asOf < size) {
      throw new LogReadError("log-unreachable", `reconciliation has ${page.asOf} of ${size}`);
    }
    all.push(...page.windows);
    after = page.next;
  } while (after !== undefined);
  return all.filter(({ cutSeq }) => cutSeq < size);
};

const totalsText = (totals: WindowNet["totals"]): string =>
  totals
    .map(({ currency, debits, credits, fees }) => [currency, debits, credits, fees].join(" "))
    .join(", ");

const netFault = (
  name: string,
  own: Net | undefined,
  shown: Shown["nets"][number],
  size: number,
) => {
  const at = `${name} ${shown.participant}`;
  if (own === undefined) return `${at} is not in the log`;
  if (totalsText(own.net.totals) !== totalsText(shown.totals)) return `${at} has other totals`;
  const final = (shown.finalSeq ?? size) < size ? shown.status : undefined;
  return final === own.final
    ? undefined
    : `${at} is ${shown.status}, by the log ${own.final ?? "not final"}`;
};

export type WindowsCompared =
  | { readonly ok: true; readonly compared: number }
  | { readonly ok: false; readonly code: "windows-differ"; readonly detail: string };

/**
 * @param size entries that were audited: reconciliation may be further
 * @throws LogReadError when reconciliation does not answer, or is behind
 */
export const compareWindows = async (
  url: string,
  token: string,
  size: number,
  entries: readonly SettlementAt[],
): Promise<WindowsCompared> => {
  const own = windowsOf(entries);
  const shown = await shownWindows(url, token, size);
  const no = (detail: string) => ({ ok: false, code: "windows-differ", detail }) as const;
  if (shown.length !== own.size) {
    return no(`reconciliation shows ${shown.length} windows, the log has ${own.size}`);
  }
  for (const { corridor, number, cutSeq, nets } of shown) {
    const name = `${corridor}/${number}`;
    const window = own.get(name);
    if (window?.cutSeq !== cutSeq) return no(`${name} is cut elsewhere in the log`);
    if (window.nets.size !== nets.length) return no(`${name} has other participants`);
    for (const net of nets) {
      const fault = netFault(name, window.nets.get(net.participant), net, size);
      if (fault !== undefined) return no(fault);
    }
  }
  return { ok: true, compared: shown.length };
};
