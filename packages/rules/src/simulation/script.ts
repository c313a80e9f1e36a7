// What the key log says in the course of a run, made once with real signatures: the same few stories for
// all seeds. Its entries have fixed times; a run's clock decides when each of them is there.
import {
  accountOf,
  bank,
  genesisMs,
  fx,
  hk,
  makeGenesis,
  operator,
  ph,
  testKeys,
} from "../testing/genesis.ts";
import { makeKeyLogKit } from "../testing/key-log-kit.ts";
import type { GenesisOptions } from "../testing/genesis.ts";
import type { KeyHistory } from "../key-history.ts";
import type { KeyStatementKind } from "@sealane/protocol";
import type { TestKey } from "../testing/keys.ts";

export type Story = {
  readonly name: string;
  readonly history: KeyHistory;
  /** Entries that are there before the run begins. */
  readonly begun: number;
};

/** When a run begins. */
export const beginMs = genesisMs + 1_000;

type Event = readonly [
  afterMs: number,
  kind: KeyStatementKind,
  body: object,
  signers: readonly TestKey[],
];

const { alice, bob, hkRoot } = testKeys;
const suspend = (participant: string, suspended: boolean) => ({
  participant,
  suspended,
  reason: suspended ? "drill" : "over",
});

const record = (changes: object) => ({
  participant: hk,
  roles: ["wallet"],
  rootKey: hkRoot.vkey,
  currencies: ["HKD", "PHP"],
  exposure: "gross",
  accounts: ["HKD", "PHP"].map((currency) => ({
    bank,
    currency,
    account: accountOf(hk, currency),
  })),
  caps: [],
  ...changes,
});

const stories: readonly (readonly [string, GenesisOptions, readonly Event[]])[] = [
  ["nothing changes", {}, []],
  [
    "the payee is suspended and resumed",
    {},
    [
      [2_500, "suspension", suspend(ph, true), [alice]],
      [6_000, "suspension", suspend(ph, false), [alice, bob]],
    ],
  ],
  [
    "a key is revoked",
    {},
    [[3_000, "revocation", { participant: hk, vkey: testKeys.hk.vkey, reason: "lost" }, [hkRoot]]],
  ],
  [
    "the liquidity provider is suspended, and a payer has a cap",
    { hk: { caps: [{ currency: "HKD", amount: "2000.00" }] } },
    [
      [2_000, "suspension", suspend(fx, true), [bob]],
      [4_000, "suspension", suspend(fx, false), [alice, bob]],
    ],
  ],
  [
    "a payer's cap falls",
    { hk: { caps: [{ currency: "HKD", amount: "2000.00" }] } },
    [
      [
        3_000,
        "participant",
        record({ caps: [{ currency: "HKD", amount: "900.00" }] }),
        [hkRoot, alice],
      ],
    ],
  ],
  ["credits count as cover", { hk: { exposure: "net" }, ph: { exposure: "net" } }, []],
  [
    "a policy binds the payer",
    {},
    [
      [2_000, "policy", { policy: "bound/1", kind: "transfer", operatorsFrom: [] }, [alice, bob]],
      [
        3_000,
        "binding",
        { participant: hk, policy: "bound/1", reason: "agreed" },
        [hkRoot, alice, bob],
      ],
    ],
  ],
];

const tell = ([name, options, events]: (typeof stories)[number]): Story => {
  const genesis = makeGenesis({ corridor: {}, ...options });
  const kit = makeKeyLogKit(genesis.key, genesis);
  const back = { schedule: "php-hkd", from: "PHP", to: "HKD", payee: operator };
  const fees = { ...back, basisPoints: "37.5", minimum: "5.00", rounding: "up" };
  kit.log("fee-schedule", fees, [alice, bob], genesisMs);
  const begun = kit.entries.length;
  for (const [afterMs, kind, body, signers] of events) {
    kit.log(kind, body, signers, beginMs + afterMs);
  }
  return { name, history: kit.history(), begun };
};

let told: readonly Story[] | undefined;

export const allStories = (): readonly Story[] => (told ??= stories.map(tell));
