// Windows with more counterparties than one entry of the log has room for: a ring of wallets, each of
// which pays the next one through the liquidity provider.
import { transferIdOf, type Netting } from "@sealane/protocol";
import { moreKey, moreWallet } from "./genesis.ts";
import { makeSettlingWorld } from "./settlement-kit.ts";
import * as say from "./statements.ts";
import type { World } from "./world.ts";

/** Each has paid the next `rounds` times, in one window that is open. */
export const makeRing = (wallets: number, netting: Netting, rounds = 1): World => {
  const world = makeSettlingWorld({ corridor: { netting }, more: wallets });
  const funds = Array.from({ length: wallets }, (_, n) =>
    say.advance(world.keys(), { key: `ring-${n}`, participant: moreWallet(n) }),
  );
  world.run(funds);
  for (let n = 0; n < wallets * rounds; n += 1) {
    const at = n % wallets;
    const next = (at + 1) % wallets;
    const key = `ring-transfer-${n}`;
    const payer = { ...world.terms({ key }).payer, participant: moreWallet(at) };
    const payee = { ...world.terms({ key }).payee, participant: moreWallet(next) };
    const id = transferIdOf(payer.participant, key);
    const amount = `${100 + n}.00`;
    const own = { id, quote: id, key, amount, payer, payee };
    const intent = world.intent(own, { signers: [moreKey(at)] });
    world.run([intent]);
    world.run([world.accept(id, { signers: [moreKey(next)] })]);
  }
  return world;
};
