// Money that comes back: what could not be credited, whole and partial returns, a recall that is agreed to
// and one that is refused, and a return of more than is left, which must be refused.
import { AdapterRefusal, type Transfer } from "@sealane/client";
import { amountOf, minorOf } from "@sealane/rules";
import { eventually } from "../src/eventually.ts";
import type { DaySystem, DayWallet } from "./day-system.ts";
import type { Answered, PayeeKind } from "./traffic.ts";

export type GivenBack = {
  readonly why: "not-credited" | "whole" | "half" | "recall-agreed" | "recall-refused" | "too-much";
  readonly outcome: string;
};

const waitSeconds = 10;

const finalOf = (system: DaySystem, wallet: DayWallet, id: string): Promise<Transfer> =>
  eventually(
    `${id} is final`,
    async () => {
      const seen = await system.clientOf(wallet).get(id, { waitSeconds });
      return seen.final && seen;
    },
    60_000,
  );

const endOf = ({ status, reason, code }: Transfer): string =>
  status === "sealed" || status === "credited"
    ? "done"
    : `${status} ${reason ?? code ?? ""}`.trim();

type Amount = { readonly currency: string; readonly amount: string };

/** The payee's provider gives back; the adapter may hear of the commitment a moment later than the payer. */
const giveBack = async (
  system: DaySystem,
  { payee, transfer }: Answered,
  step: string,
  request: { readonly amount?: Amount; readonly reason: string },
): Promise<string> => {
  const id = transfer?.transferId ?? "";
  const client = system.clientOf(payee);
  await eventually("the payee's side has it", async () => (await client.get(id)).received);
  const options = { idempotencyKey: `${step} ${id}`.replace(" ", "-"), waitSeconds };
  const made = await client.giveBack(id, request, options);
  return endOf(await finalOf(system, payee, made.transferId));
};

/** Before it is paid out every recall is agreed to: the core just does not credit it any more. */
const recall = async (system: DaySystem, { payer, payee, transfer }: Answered): Promise<string> => {
  const id = transfer?.transferId ?? "";
  await eventually(
    `${id} is paid out`,
    async () => (await system.clientOf(payee).get(id)).status === "credited",
    60_000,
  );
  const options = { idempotencyKey: `recall-${id}`, waitSeconds };
  const made = await system.clientOf(payer).recall(id, { reason: "CUST" }, options);
  // Sealed, a recall is asked and not answered yet: it ends credited, or rejected with a reason.
  const answered = await eventually(
    `the recall of ${id} is answered`,
    async () => {
      const seen = await system.clientOf(payer).get(made.transferId);
      return (seen.status === "credited" || seen.status === "rejected") && seen;
    },
    60_000,
  );
  return endOf(answered);
};

/** Half of what was received, and then all of it once more, which is too much. */
const halfThenAll = async (system: DaySystem, one: Answered): Promise<readonly GivenBack[]> => {
  const { currency = "", amount = "0" } = one.transfer?.received ?? {};
  const half = amountOf(minorOf(amount, currency) / 2n, currency);
  const request = { amount: { currency, amount: half }, reason: "MD06" };
  const first = await giveBack(system, one, "half", request);
  let second: string;
  try {
    second = await giveBack(system, one, "more", { amount: { currency, amount }, reason: "MD06" });
  } catch (error) {
    if (!(error instanceof AdapterRefusal)) throw error;
    second = `refused ${error.code}`;
  }
  return [
    { why: "half", outcome: first },
    { why: "too-much", outcome: second },
  ];
};

/** Gives back what this part of the day has to. */
export const giveSomeBack = async (
  system: DaySystem,
  answers: readonly Answered[],
): Promise<readonly GivenBack[]> => {
  const some = Math.max(1, Math.ceil(answers.length / 200));
  const committed = (kind: PayeeKind): Answered[] =>
    answers.filter((one) => one.kind === kind && one.outcome === "committed");
  const open = committed("open");
  const [whole, half, recalled] = [0, 1, 2].map((at) => open.slice(at * some, (at + 1) * some));
  const all = (
    why: GivenBack["why"],
    ones: readonly Answered[],
    act: (one: Answered) => Promise<string>,
  ) => ones.map(async (one): Promise<GivenBack[]> => [{ why, outcome: await act(one) }]);
  const done = await Promise.all([
    ...all("not-credited", committed("credit-fails"), (one) =>
      giveBack(system, one, "back", { reason: "AC06" }),
    ),
    ...all("whole", whole ?? [], (one) => giveBack(system, one, "whole", { reason: "MD06" })),
    ...all("recall-agreed", recalled ?? [], (one) => recall(system, one)),
    ...all("recall-refused", committed("keeps-money").slice(0, some), (one) => recall(system, one)),
    ...(half ?? []).map((one) => halfThenAll(system, one)),
  ]);
  return done.flat();
};
