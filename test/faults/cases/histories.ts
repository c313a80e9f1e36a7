// Two histories: a log that says one thing to one witness and another to the next, and a database that was
// put back to an old copy, under a running ledger, with another one waiting.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readKeyFile } from "@sealane/signer";
import {
  checkCheckpoint,
  composeNote,
  formatAddCheckpoint,
  formatCheckpointText,
  parsePolicy,
  signNoteLine,
} from "@sealane/tlog";
import { copySchema, restoreSchema } from "../../src/database-copy.ts";
import { eventually } from "../../src/eventually.ts";
import { forkEvidence } from "../../src/oracles/index.ts";
import { sealaneJson } from "../../src/sealane.ts";
import { laneOf, startSecondLedger } from "../processes.ts";
import { seconds, type FaultCase, type Stage } from "../stage.ts";

const policyOf = ({ world }: Stage) =>
  parsePolicy(readFileSync(world.stack.home.path("trust.policy"), "utf8"));

const logUrl = ({ world }: Stage): string => `http://127.0.0.1:${world.proxies.ledger.port}/log`;

/** A checkpoint that the log's own key signs, of a tree that nobody has. */
const forged = (stage: Stage, size: number, salt: string): string => {
  const { name, seed } = readKeyFile(stage.world.stack.home.keys("operator", "checkpoint.key"));
  const root = createHash("sha256").update(salt).digest();
  const text = formatCheckpointText({ origin: name, size, root, extensions: [] });
  return composeNote(text, [signNoteLine(name, seed, text)]);
};

const offer = async (url: string, body: string): Promise<number> => {
  const response = await fetch(`${url}/add-checkpoint`, {
    method: "POST",
    body,
    headers: { "Content-Type": "text/plain" },
    signal: AbortSignal.timeout(5_000),
  });
  await response.body?.cancel();
  return response.status;
};

const equivocation: FaultCase = {
  name: "equivocation",
  what: "the log's key signs a second root of one size, and growth that is none, for each witness",
  run: async (stage) => {
    const state = stage.world.stack.home.path("state");
    await stage.underLoad(() => Promise.resolve());
    // Quiet, so that everybody holds one size.
    await seconds(2);
    const note = await (await fetch(`${logUrl(stage)}/checkpoint`)).text();
    const { size } = checkCheckpoint(policyOf(stage), note).checkpoint;
    const before = new Set(forkEvidence(state));
    const answers: number[] = [];
    for (const { name, url = "" } of policyOf(stage).witnesses) {
      const same = { oldSize: size, proof: [], checkpoint: forged(stage, size, "another") };
      answers.push(await offer(url, formatAddCheckpoint(same)));
      const proof = [createHash("sha256").update("nothing").digest()];
      const grown = { oldSize: size, proof, checkpoint: forged(stage, size + 3, name) };
      answers.push(await offer(url, formatAddCheckpoint(grown)));
    }
    if (answers.some((status) => status === 200)) stage.fault("a witness cosigned a fork");
    const evidence = forkEvidence(state).filter((name) => !before.has(name));
    for (const name of evidence) stage.expectFork(name);
    if (evidence.length < 4) stage.fault(`${evidence.length} files of evidence were kept`);
    stage.showed(
      `answers ${[...new Set(answers)].join(", ")}; ${evidence.length} files of evidence`,
    );
    await stage.underLoad(() => Promise.resolve());
  },
};

const oldCopy: FaultCase = {
  name: "old-copy",
  what: "Postgres is put back to an old copy under a running ledger, with another one waiting",
  spoils: true,
  run: async (stage) => {
    const { world } = stage;
    const { stack } = world;
    await stage.underLoad(async () => copySchema(world, "ledger"));
    const second = await startSecondLedger(world, "ledger-2");
    // Somebody always sends: a ledger that writes nothing has nothing to refuse.
    const load = stage.load({ rate: 8 });
    try {
      await sealaneJson(world, [
        "export",
        "--url",
        logUrl(stage),
        "--policy",
        "trust.policy",
        "--out",
        "export",
      ]);
      await restoreSchema(world, "ledger");
      // The second one's turn comes when the first does not renew its lease.
      const said = await Promise.all(
        [stack.urls["ledger"] ?? "", second.url].map((url) =>
          eventually(
            `${url} refuses`,
            async () => {
              const lane = await laneOf(url);
              return lane.includes("do not sign") ? lane : undefined;
            },
            90_000,
          ),
        ),
      );
      stage.showed(`both refuse: ${said[0]?.split(":")[0]}`);
    } finally {
      await second.stop();
      await stack.kill("ledger");
    }
    const told = await sealaneJson(world, ["recover", "--from", "export"]);
    if (told["ok"] !== true) stage.fault(`recover says ${JSON.stringify(told)}`);
    await stack.start("ledger");
    await load.finish();
    await stage.underLoad(() => Promise.resolve());
  },
};

export const historyCases: readonly FaultCase[] = [equivocation, oldCopy];
