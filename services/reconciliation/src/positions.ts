// Cover, caps and exposure per participant and currency, from the books in memory; what is pending only
// the ledger knows, so it is asked. And what of it somebody should look at.
import { formatTime } from "@sealane/protocol";
import {
  amountOf,
  isFinal,
  shortfallOf,
  standingOf,
  unbackedOf,
  type AuditState,
  type KeyState,
} from "@sealane/rules";

/** Minor units that are reserved, by `participant currency`. */
export type Pending = ReadonlyMap<string, bigint>;

export type PositionView = {
  readonly participant: string;
  readonly currency: string;
  readonly liquidity: string;
  readonly unbacked: string;
  readonly cap?: string;
  readonly pending: string;
  readonly exposure: string;
  readonly headroom: string;
  readonly shortfall: string;
  /** Of the smaller of liquidity and cap, in per cent, rounded down. */
  readonly usedPercent: number;
};

export type AlertLevels = { readonly warnPercent: number; readonly criticalPercent: number };

export type Alert = {
  readonly level: "warning" | "critical";
  readonly code: "headroom" | "overdue" | "held" | "shortfall" | "partly-booked";
  readonly participant: string;
  readonly currency?: string;
  readonly window?: string;
  readonly detail: string;
};

const usedOf = (exposure: bigint, most: bigint): number => {
  if (exposure <= 0n) return 0;
  return most <= 0n ? 100 : Number((exposure * 100n) / most);
};

/** Every participant's position in each of its currencies, sorted. */
export const positionsOf = (
  { balances, settlement }: AuditState,
  keys: KeyState,
  pending: Pending,
): PositionView[] =>
  [...keys.participants.values()].flatMap((record) => {
    const { participant, roles, currencies } = record;
    if (roles.every((role) => role === "settlement-bank")) return [];
    return currencies.map((currency): PositionView => {
      const posted = standingOf(balances, record, currency, settlement);
      const held = pending.get(`${participant} ${currency}`) ?? 0n;
      const { liquidity, cap } = posted;
      const most = cap !== undefined && cap < liquidity ? cap : liquidity;
      const exposure = posted.exposure + held;
      const text = (minor: bigint): string => amountOf(minor, currency);
      return {
        participant,
        currency,
        liquidity: text(liquidity),
        unbacked: text(unbackedOf(settlement, participant, currency)),
        ...(cap === undefined ? {} : { cap: text(cap) }),
        pending: text(held),
        exposure: text(exposure),
        headroom: text(most - exposure),
        shortfall: text(shortfallOf(balances, participant, currency)),
        usedPercent: usedOf(exposure, most),
      };
    });
  });

const positionAlerts = (
  { participant, currency, usedPercent, headroom, shortfall }: PositionView,
  { warnPercent, criticalPercent }: AlertLevels,
): Alert[] => {
  const alerts: Alert[] = [];
  const common = { participant, currency };
  if (!/^0(?:\.0*)?$/.test(shortfall)) {
    const detail = `${shortfall} ${currency} is not paid back`;
    alerts.push({ level: "critical", code: "shortfall", ...common, detail });
  }
  if (usedPercent < warnPercent) return alerts;
  const level = usedPercent >= criticalPercent ? "critical" : "warning";
  const detail = `${usedPercent} % used, ${headroom} ${currency} left`;
  return [...alerts, { level, code: "headroom", ...common, detail }];
};

/** What somebody should look at, by log time `nowMs`. */
export const alertsOf = (
  state: AuditState,
  positions: readonly PositionView[],
  levels: AlertLevels,
  nowMs: number,
): Alert[] => {
  const alerts = positions.flatMap((position) => positionAlerts(position, levels));
  for (const [window, { nets, payByMs }] of state.settlement.closed) {
    for (const net of nets.values()) {
      if (isFinal(net)) continue;
      const { participant, status, why, reason, booked } = net;
      const common = { participant, window };
      if (booked.length > 0) {
        const detail = `${booked.length} of ${net.legs.length} lines are booked: exposure`;
        alerts.push({ level: "critical", code: "partly-booked", ...common, detail });
      } else if (status === "held") {
        const detail = reason === undefined ? (why ?? "held") : `${why ?? "held"}: ${reason}`;
        alerts.push({ level: "warning", code: "held", ...common, detail });
      }
      if (nowMs < payByMs) continue;
      const detail = `was due at ${formatTime(payByMs)}`;
      alerts.push({ level: "critical", code: "overdue", ...common, detail });
    }
  }
  return alerts;
};
