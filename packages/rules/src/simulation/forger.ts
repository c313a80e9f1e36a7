// Who must not be believed: old statements sent again, signatures over something else, by another's key,
// by a key that nobody registered, for another log. Nothing of it may get into the log.
import { hk, origin, ph, testKeys } from "../testing/genesis.ts";
import type { TestKey } from "../testing/keys.ts";
import type { Topic } from "./bus.ts";
import { frameOf, type LaneFrame } from "./frames.ts";
import type { Sim } from "./sim.ts";
import type { Store } from "./store.ts";
import { sayAs, stubLine, type Said } from "./stub-keys.ts";

export type Forger = {
  readonly step: () => void;
  /** Signature lines that must not be found in any entry. */
  readonly lines: ReadonlySet<string>;
};

type OpenText = {
  readonly id: string;
  readonly text: string;
  readonly lines: readonly string[];
};

export const makeForger = (sim: Sim, lane: Topic<LaneFrame>, store: Store): Forger => {
  const dice = sim.dice("forger");
  const lines = new Set<string>();
  const made = new Set<LaneFrame>();
  const strangers: readonly TestKey[] = [testKeys.stranger, testKeys.fx, testKeys.fxTransfer];

  /** @param own lines that stand there rightly */
  const put = (frame: LaneFrame, own: readonly string[]): void => {
    const signed = frame.kind === "acceptance" ? [frame.line] : frame.said.lines;
    if (signed.some((line) => own.includes(line))) return;
    for (const line of signed) lines.add(line);
    made.add(frame);
    lane.produce(frame);
  };

  /** The same statement under lines that are not its signers'. */
  const forge = ({ kind, said }: Extract<LaneFrame, { said: Said }>): void => {
    const key = dice.pick(strangers);
    const another = sayAs(said.origin, said.kind, { ...(said.body as object), forged: 1 }, [key]);
    const wrong = dice.pick([
      // A line over another text.
      another.lines,
      // A good line of a key that may not say this.
      [stubLine(key, said.text)],
    ]);
    put({ kind, said: { ...said, lines: wrong } }, said.lines);
  };

  const elsewhere = ({ kind, said }: Extract<LaneFrame, { said: Said }>): void => {
    const signer = said.kind === "transfer" ? testKeys.hk : testKeys.ph;
    put(frameOf(kind, sayAs(`${origin}9`, said.kind, said.body, [signer], said.inner)), []);
  };

  const acceptForAnother = (): void => {
    const open = [...store.open.values()].map((body) => JSON.parse(body) as OpenText);
    if (open.length === 0) return;
    const { id, text, lines: own } = dice.pick(open);
    const payer = text.includes(`"payer":{"participant":"${hk}"`) ? hk : ph;
    const key = payer === hk ? testKeys.hk2 : testKeys.stranger;
    put({ kind: "acceptance", id, line: stubLine(key, dice.pick([text, `${text}x\n`])) }, own);
  };

  return {
    lines,
    step: () => {
      if (!sim.hits("forgery", 0.5) || lane.records.length === 0) return;
      const turn = dice.int(5);
      if (turn === 0) return acceptForAnother();
      const frame = dice.pick(lane.records);
      if (turn <= 2 || frame.kind === "acceptance") {
        lane.produce(frame); // an old one again, as it was
        return undefined;
      }
      if (made.has(frame)) return undefined;
      return turn === 3 ? forge(frame) : elsewhere(frame);
    },
  };
};
