// What reconciliation's desk answers, as far as the pages show it: each answer is read by a schema here, so
// that a page never meets a shape that it does not know. The pages import the types alone.
import { z } from "zod";

const amount = z.string().regex(/^-?\d+(\.\d+)?$/);
const place = z.int();

const totalsSchema = z.array(
  z.object({ currency: z.string(), debits: amount, credits: amount, fees: amount }),
);
export type WindowTotals = z.infer<typeof totalsSchema>;

const netSchema = z.object({
  participant: z.string(),
  status: z.enum(["open", "held", "settled", "defaulted"]),
  netSeq: place,
  /** The entry that made it final. */
  finalSeq: place.optional(),
  why: z.string().optional(),
  /** The bank's own, an ISO 20022 code. */
  reason: z.string().optional(),
  totals: totalsSchema,
  legs: z.array(
    z.object({
      reference: z.string(),
      currency: z.string(),
      side: z.enum(["pay", "receive"]),
      counterparty: z.string(),
      amount,
      booked: z.boolean(),
    }),
  ),
});
export type WindowNetView = z.infer<typeof netSchema>;

const cutWindowSchema = z.object({
  corridor: z.string(),
  number: z.int(),
  cutSeq: place,
  cutTime: z.string(),
  from: place.optional(),
  to: place.optional(),
  netting: z.string().optional(),
  payBy: z.string().optional(),
  attempt: z.int(),
  status: z.enum(["settled", "unsettled"]),
  nets: z.array(netSchema),
  sums: z.array(z.object({ currency: z.string(), sum: amount })),
});
export type CutWindow = z.infer<typeof cutWindowSchema>;

const openWindowSchema = z.object({
  corridor: z.string(),
  number: z.int(),
  from: place,
  transfers: z.int(),
  nets: z.array(z.object({ participant: z.string(), totals: totalsSchema })),
});
export type OpenWindowView = z.infer<typeof openWindowSchema>;

export const windowListSchema = z.object({
  asOf: place,
  open: z.array(openWindowSchema),
  windows: z.array(cutWindowSchema),
  next: z.string().optional(),
});
export type WindowList = z.infer<typeof windowListSchema>;

export const windowSchema = cutWindowSchema.extend({
  asOf: place,
  statements: z.array(
    z.object({
      seq: place,
      time: z.string(),
      bank: z.string(),
      reference: z.string(),
      attempt: z.int(),
      lines: z.array(
        z.object({
          reference: z.string(),
          account: z.string(),
          currency: z.string(),
          side: z.enum(["debit", "credit"]),
          amount,
          status: z.enum(["booked", "pending", "rejected"]),
          reason: z.string().optional(),
        }),
      ),
    }),
  ),
});
export type WholeWindow = z.infer<typeof windowSchema>;
/** One window: cut, or still open. */
export type WindowAnswer =
  | { readonly found: "cut"; readonly window: WholeWindow }
  | { readonly found: "open"; readonly asOf: number; readonly window: OpenWindowView };

const breakSchema = z.object({
  id: z.string(),
  kind: z.string(),
  between: z.string(),
  participant: z.string(),
  subject: z.string(),
  side: z.string(),
  currency: z.string(),
  detail: z.string(),
  state: z.enum(["open", "proposed", "posting", "resolved", "cleared"]),
  owner: z.string(),
  openedAt: z.string(),
  ageSeconds: z.int(),
  deadline: z.string(),
  overdue: z.boolean(),
  transfer: z.string().optional(),
  expected: amount.optional(),
  found: amount.optional(),
  foundCurrency: z.string().optional(),
  endedAt: z.string().optional(),
  asOf: z.object({
    position: place,
    providerUntil: z.string().optional(),
    providerPosition: place.optional(),
  }),
  proposal: z
    .object({
      id: z.string(),
      by: z.string(),
      at: z.string(),
      outcome: z.string(),
      text: z.string(),
      transfer: z.string().optional(),
      note: z.string().optional(),
    })
    .optional(),
});
export type BreakView = z.infer<typeof breakSchema>;

const standingSchema = z.object({
  position: place,
  compared: place,
  logTime: z.string().optional(),
  providers: z.array(z.object({ participant: z.string(), until: z.string(), comparedUpTo: place })),
});
export type BreakStanding = z.infer<typeof standingSchema>;

export const breakListSchema = z.object({
  asOf: standingSchema,
  counts: z.array(
    z.object({ kind: z.string(), count: z.int(), overdue: z.int(), oldestAgeSeconds: z.int() }),
  ),
  breaks: z.array(breakSchema),
  next: z.string().optional(),
});
export type BreakList = z.infer<typeof breakListSchema>;

export const wholeBreakSchema = breakSchema.extend({
  log: z
    .object({
      seq: place,
      time: z.string(),
      outcome: z.string(),
      bookings: z.array(
        z.object({ side: z.string(), currency: z.string(), amount, fee: amount.optional() }),
      ),
    })
    .optional(),
  lines: z.array(
    z.object({
      reference: z.string(),
      statement: z.string(),
      side: z.string(),
      currency: z.string(),
      amount,
      fee: amount.optional(),
      status: z.string(),
      bookedAt: z.string(),
    }),
  ),
  events: z.array(
    z.object({
      n: z.int(),
      at: z.string(),
      principal: z.string(),
      kind: z.string(),
      body: z.record(z.string(), z.unknown()),
    }),
  ),
});
export type WholeBreak = z.infer<typeof wholeBreakSchema>;

export const participantsSchema = z.object({
  keysSize: z.int(),
  participants: z.array(
    z.object({ participant: z.string(), roles: z.array(z.string()), suspended: z.boolean() }),
  ),
});

export const laneSchema = z.object({
  lane: z.int(),
  stopped: z.object({ offset: z.string(), hash: z.string() }).loose().optional(),
});

export const heldTransfersSchema = z.object({
  approvals: z.array(
    z.object({
      transferId: z.string(),
      /** What an approver signs, byte for byte. */
      statement: z.string(),
      policy: z.string(),
      payer: z.string(),
      payee: z.string(),
      sent: z.object({ currency: z.string(), amount }).optional(),
      requestedAt: z.string(),
      expiresAt: z.string(),
      needed: z.int(),
      approvedBy: z.array(z.string()),
    }),
  ),
});
export type HeldTransfer = z.infer<typeof heldTransfersSchema>["approvals"][number] & {
  /** The adapter that holds it, by its name on the command line. */
  readonly wallet: string;
};

/** Everything that waits for a second person; a source that does not answer is said, not left out. */
export type Approvals = {
  readonly breaks: readonly BreakView[];
  readonly transfers: readonly HeldTransfer[];
  readonly suspended: readonly { readonly participant: string; readonly roles: string }[];
  readonly stopped?: { readonly lane: number; readonly offset: string; readonly hash: string };
  readonly faults: readonly { readonly source: string; readonly detail: string }[];
  /** Whether any adapter is asked for its held transfers. */
  readonly asksAdapters: boolean;
};

export const meSchema = z.object({
  principal: z.string(),
  role: z.enum(["operator", "approver", "auditor"]),
});
/** Who acts at reconciliation's desk from this browser. */
export type DeskSession = Partial<z.infer<typeof meSchema>>;

export const moneyAlertsSchema = z.object({
  alerts: z.array(
    z.object({
      level: z.enum(["warning", "critical"]),
      code: z.string(),
      participant: z.string(),
      currency: z.string().optional(),
      window: z.string().optional(),
      detail: z.string(),
    }),
  ),
});
export type MoneyAlert = z.infer<typeof moneyAlertsSchema>["alerts"][number];
