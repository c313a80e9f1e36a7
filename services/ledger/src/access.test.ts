// Where entries may be read without a token: on this machine's own address, and nowhere else.
import { describe, expect, it } from "vitest";
import { refuseOpenBundles } from "./access.ts";

describe("entries without a token", () => {
  it.each(["127.0.0.1", "127.4.5.6", "::1"])("are served on %s", (host) => {
    expect(() => refuseOpenBundles("yes", host)).not.toThrow();
  });

  it.each(["0.0.0.0", "::", "10.0.0.1", "192.168.1.7", "128.0.0.1", "::ffff:127.0.0.1"])(
    "are refused on %s, before the ledger starts",
    (host) => {
      expect(() => refuseOpenBundles("yes", host)).toThrow(/SEALANE_OPEN_BUNDLES/);
      expect(() => refuseOpenBundles("no", host)).not.toThrow();
    },
  );
});
